"""What the registry's tests share: an MLflow database made once and copied, packages that differ only by digest."""

import atexit
import functools
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from registry.evidence import Evidence, RuleResult, write_evidence
from registry.settings import Settings
from registry.store import open_client
from runtime.package import Package, open_package, write_package


@functools.cache
def empty_database() -> Path:
    """An MLflow database with all its tables and nothing in them; making one takes seconds, copying it none."""
    folder = Path(tempfile.mkdtemp(prefix="pentimento-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_client(Settings.at(folder))
    return folder / "mlflow.db"


def settings_in(home: Path) -> Settings:
    """Settings whose MLflow database exists already."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(empty_database(), home / "mlflow.db")
    return Settings.at(home)


def another(package: Path, folder: Path, commit: str) -> Package:
    """The same package with another commit, and so another digest."""
    known = open_package(package)
    files = {name: known.path(name).read_bytes() for name in known.manifest.files}
    manifest = known.manifest.model_copy(update={"git_commit": commit, "parents": [known.digest]})
    return write_package(folder / commit, files=files, **manifest.model_dump(exclude={"files", "schema_version"}))


def evidence_about(digest: str, champion: str | None, folder: Path, verdict: str = "passed") -> Path:
    """A folder as `pentimento gate` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text("<h1>Report</h1>")
    holds = verdict == "passed"
    rule = RuleResult(name="ssim_at_equal_style", passed=holds, value=0.86, interval=(0.85, 0.87), needed=">= 0.85")
    evidence = Evidence(
        candidate_digest=digest,
        champion_digest=champion,
        verdict=verdict,
        rules=(rule,),
        scores={"candidate": {"ssim": 0.86, "lpips": float("nan")}, "adain (s=.5)": {"ssim": 0.78}},
        pairs=24,
        dataset_digest="d" * 64,
        policy_digest="e" * 64,
        created_at=datetime.now(UTC),
    )
    write_evidence(evidence, folder)
    return folder


def files_under(folder: Path) -> set[str]:
    """Every file, for telling that nothing was left behind."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
