"""What the registry's tests share: an MLflow database made once and copied, packages that differ only by digest."""

import atexit
import dataclasses
import functools
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from postgres_server import start_postgres, why_not

from registry.evidence import Evidence, RuleResult, write_evidence
from registry.settings import Settings
from registry.store import open_client
from runtime.package import Package, open_package, write_package

STORES = ("sqlite", "postgresql")
"""Every operation of the registry passes the same tests on both."""


@functools.cache
def empty_database() -> Path:
    """An MLflow database with all its tables and nothing in them; making one takes seconds, copying it none."""
    folder = Path(tempfile.mkdtemp(prefix="pentimento-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_client(Settings.at(folder))
    return folder / "mlflow.db"


@functools.cache
def empty_postgres() -> str:
    """The same in PostgreSQL: the name of a database to copy."""
    url = start_postgres().database()
    open_client(dataclasses.replace(Settings.at(empty_database().parent), tracking_uri=url))
    return _database(url)


def settings_in(home: Path, store: str = "sqlite", *, like: Settings | None = None) -> Settings:
    """Settings whose MLflow database exists already.

    Args:
        home: their folder.
        store: "sqlite" or "postgresql"; the latter skips the test, with the reason, where there is no server.
        like: the registry whose contents the database shall have; files are shared. Empty without.
    """
    home.mkdir(parents=True, exist_ok=True)
    settings = Settings.at(home)
    if store == "sqlite":
        shutil.copy(like.home / "mlflow.db" if like else empty_database(), home / "mlflow.db")
        return settings
    if why_not():
        pytest.skip(str(why_not()))
    template = _database(like.tracking_uri) if like else empty_postgres()
    forget_connections(close=True)  # of the tests before: MLflow keeps them for the life of the process
    start_postgres().disconnect(template)
    return dataclasses.replace(settings, tracking_uri=start_postgres().database(template))


def forget_connections(*, close: bool = False) -> None:
    """Drop MLflow's open connections. In a forked child they are the parent's, who goes on using them: not closed."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Versions
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs

    for engine in {*Versions._engine_map.values(), *Runs._engine_map.values()}:
        engine.dispose(close=close)


def _database(url: str) -> str:
    return url.rpartition("/")[2]


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
