"""What is registered: MLflow's entries read into `Version`s, and the tags that carry their lineage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
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
VERDICT_TAG = "pentimento.verdict"
EVIDENCE_TAG = "pentimento.evidence"
FORCED_TAG = "pentimento.forced"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One registered version.

    Args:
        number: 1, 2, 3 and so on.
        digest: `Package.digest` of what is registered.
        aliases: which of candidate, champion and previous point here, sorted.
        run_id: the MLflow run that it came from, which also holds its evidence.
        parents: digests of the packages that it was trained from.
        verdict: of the evidence logged last, None where there is none.
        evidence_path: where in the run that evidence lies.
        tags: every tag of the version, ours ("pentimento....") and others.
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

    @property
    def name(self) -> str:
        """For people: pentimento/3."""
        return f"{MODEL_NAME}/{self.number}"

    @property
    def reference(self) -> str:
        """For commands: models:/pentimento/3."""
        return f"models:/{self.name}"


def lineage(package: Package) -> dict[str, str]:
    """The tags that say where a package comes from."""
    manifest = package.manifest
    return {
        DIGEST_TAG: package.digest,
        "pentimento.variant": manifest.variant,
        "pentimento.git_commit": manifest.git_commit,
        "pentimento.data_digest": manifest.data_digest,
        "pentimento.parents": json.dumps(manifest.parents),
    }


def list_versions(client: "MlflowClient") -> list[Version]:
    """Every version, the newest first. Entries that another tool made under our name are left out.

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
    found: list[Version] = []
    token = None
    while True:
        page = client.search_model_versions(f"name = '{MODEL_NAME}'", page_token=token)
        found += [_version(entry, aliases.get(int(entry.version), [])) for entry in page if DIGEST_TAG in entry.tags]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: -version.number)


def _version(entry: "ModelVersion", aliases: list[str]) -> Version:
    tags = dict(entry.tags)
    return Version(
        number=int(entry.version),
        digest=tags[DIGEST_TAG],
        variant=tags.get("pentimento.variant", "unknown"),
        created_at=datetime.fromtimestamp(entry.creation_timestamp / 1000, UTC),
        aliases=tuple(aliases),
        run_id=entry.run_id or "",
        git_commit=tags.get("pentimento.git_commit", "unknown"),
        data_digest=tags.get("pentimento.data_digest", "unknown"),
        parents=tuple(json.loads(tags.get("pentimento.parents", "[]"))),
        verdict=tags.get(VERDICT_TAG),
        evidence_path=tags.get(EVIDENCE_TAG),
        tags=tags,
    )
