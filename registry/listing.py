"""What is registered: MLflow's entries read into `Version`s, and the tags that carry their lineage."""

import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from registry.settings import MODEL_NAME
from runtime.package import Package

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

TAG_PREFIX = "pentimento."
DIGEST_TAG = "pentimento.digest"
REGISTRATION_TAG = "pentimento.registration"
ANNOUNCED_TAG = "pentimento.announced"
VERDICT_TAG = "pentimento.verdict"
SCORES_TAG = "pentimento.scores"
EVIDENCE_TAG = "pentimento.evidence"
PROMOTION_TAG = "pentimento.promotion"
FORCED_TAG = "pentimento.forced"
ENVIRONMENT = ("torch", "numpy", "openvino", "onnxruntime", "mlflow")
"""The libraries whose versions a version remembers, beside Python's and the platform."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One registered version.

    Args:
        number: 1, 2, 3 and so on.
        digest: `Package.digest` of what is registered.
        aliases: which of candidate, challenger, champion and previous point here, sorted.
        run_id: the MLflow run that it came from, which also holds its evidence.
        parents: digests of the packages that it was trained from.
        verdict: of the evidence logged last, None where there is none.
        evidence_path: where in the run that evidence lies.
        tags: every tag of the version, ours ("pentimento....") and others.
        stage1_run_id: the run of the first training stage, None where it did not come from training.
        parent_versions: the numbers of the versions among `parents`, as far as they were registered before.
        environment: what registered it: Python, platform and libraries, by name.
        scores: the candidate's own in the evidence logged last, by metric.
    """

    number: int
    digest: str
    variant: str
    created_at: datetime
    aliases: tuple[str, ...]
    run_id: str
    git_commit: str
    data_digest: str
    parents: tuple[str, ...]
    verdict: str | None
    evidence_path: str | None
    tags: Mapping[str, str]
    stage1_run_id: str | None = None
    parent_versions: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people: pentimento/3."""
        return f"{MODEL_NAME}/{self.number}"

    @property
    def reference(self) -> str:
        """For commands: models:/pentimento/3."""
        return f"models:/{self.name}"


def lineage(
    package: Package, *, parent_versions: Sequence[int] = (), stage1_run_id: str | None = None
) -> dict[str, str]:
    """The tags that say where a package comes from.

    Args:
        package: what is being registered.
        parent_versions: the numbers of the registered versions among its parents.
        stage1_run_id: the run of its first training stage.
    """
    manifest = package.manifest
    tags = {
        DIGEST_TAG: package.digest,
        "pentimento.variant": manifest.variant,
        "pentimento.git_commit": manifest.git_commit,
        "pentimento.data_digest": manifest.data_digest,
        "pentimento.parents": json.dumps(manifest.parents),
        "pentimento.parent_versions": json.dumps(list(parent_versions)),
        "pentimento.environment": json.dumps(environment(), sort_keys=True),
    }
    return tags if stage1_run_id is None else {**tags, "pentimento.stage1_run": stage1_run_id}


def environment() -> dict[str, str]:
    """This process's Python, platform and libraries, by name."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ENVIRONMENT:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def list_versions(client: "MlflowClient", *, digest: str | None = None) -> list[Version]:
    """Every version, the newest first; or those that hold one package. Entries of other tools are left out.

    Raises:
        MlflowException: the store failed.
    """
    from mlflow.exceptions import MlflowException

    try:
        pointers = client.get_registered_model(MODEL_NAME).aliases
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return []
        raise
    aliases: dict[int, list[str]] = {}
    for alias, number in sorted(pointers.items()):
        aliases.setdefault(int(number), []).append(alias)
    wanted = f"name = '{MODEL_NAME}'" + (f" and tags.`{DIGEST_TAG}` = '{digest}'" if digest else "")
    found: list[Version] = []
    token = None
    while True:
        page = client.search_model_versions(wanted, page_token=token)
        found += [version_of(entry, aliases.get(int(entry.version), [])) for entry in page if DIGEST_TAG in entry.tags]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: -version.number)


def version_of(entry: "ModelVersion", aliases: Sequence[str]) -> Version:
    """MLflow's entry, which carries our tags, as a `Version`."""
    tags = dict(entry.tags)
    return Version(
        number=int(entry.version),
        digest=tags[DIGEST_TAG],
        variant=tags.get("pentimento.variant", "unknown"),
        created_at=datetime.fromtimestamp(entry.creation_timestamp / 1000, UTC),
        aliases=tuple(sorted(aliases)),
        run_id=entry.run_id or "",
        git_commit=tags.get("pentimento.git_commit", "unknown"),
        data_digest=tags.get("pentimento.data_digest", "unknown"),
        parents=tuple(json.loads(tags.get("pentimento.parents", "[]"))),
        verdict=tags.get(VERDICT_TAG),
        evidence_path=tags.get(EVIDENCE_TAG),
        tags=tags,
        stage1_run_id=tags.get("pentimento.stage1_run"),
        parent_versions=tuple(json.loads(tags.get("pentimento.parent_versions", "[]"))),
        environment=json.loads(tags.get("pentimento.environment", "{}")),
        scores=json.loads(tags.get(SCORES_TAG, "{}")),
    )
