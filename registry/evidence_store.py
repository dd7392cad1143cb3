"""Evidence kept with the version: an evaluation's whole folder among its run's artifacts, the verdict as a tag."""

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from registry.errors import EvidenceError
from registry.evidence import EVIDENCE_NAME, Evidence, read_evidence
from registry.listing import EVIDENCE_TAG, SCORES_TAG, VERDICT_TAG, Version
from registry.registrars import is_gone, registrar
from registry.settings import MODEL_NAME, Settings
from registry.store import told_plainly
from runtime.package import file_digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

EVIDENCE_FOLDER = "evidence"
_UPLOADING = "uploading "
_CANDIDATE = "candidate"  # how evidence names the judged method among its scores
_METRICS_AT_ONCE = 500  # MLflow takes at most 1000


def _state_tag(path: str) -> str:
    """The tag that says how far an evidence folder is: being uploaded by whom and since when, or its verdict."""
    return f"{EVIDENCE_TAG}.{path.rpartition('/')[2]}"


def keep_evidence(client: "MlflowClient", version: Version, folder: Path) -> str:
    """Upload `folder` into the version's run, then tag the version: what a tag names is there whole.

    Returns:
        The folder's path among the run's artifacts.

    Raises:
        EvidenceError: nothing to keep, or evidence about another package.
    """
    evidence = read_evidence(folder) if (folder / EVIDENCE_NAME).exists() else None
    if evidence is not None and evidence.candidate_digest != version.digest:
        raise EvidenceError(
            f"{folder / EVIDENCE_NAME} is about package {evidence.candidate_digest[:12]}, but {version.name} is "
            f"package {version.digest[:12]}; evaluate models:/{version.name}"
        )
    path = f"{EVIDENCE_FOLDER}/{_folder_digest(folder)[:16]}"
    tags = {EVIDENCE_TAG: path}
    if version.tags.get(_state_tag(path), _UPLOADING).startswith(_UPLOADING):  # else it is there whole
        began = f"{_UPLOADING}{int(time.time() * 1000)} {registrar()}"
        client.set_model_version_tag(MODEL_NAME, str(version.number), _state_tag(path), began)
        client.log_artifacts(version.run_id, str(folder), path)
        if evidence is not None:
            _log_scores(client, version, evidence)
    if evidence is not None:
        own = {name: value for name, value in evidence.scores.get(_CANDIDATE, {}).items() if value is not None}
        tags |= {VERDICT_TAG: evidence.verdict, SCORES_TAG: json.dumps(own, sort_keys=True)}
    for key, value in {**tags, _state_tag(path): evidence.verdict if evidence else "no verdict"}.items():
        client.set_model_version_tag(MODEL_NAME, str(version.number), key, value)
    return path


def fetch_evidence(client: "MlflowClient", settings: Settings, version: Version) -> Evidence | None:
    """The evidence logged last for a version, None where there is none.

    Raises:
        EvidenceError: it cannot be read any more.
        StoreError: the store has lost it.
    """
    if version.verdict is None or version.evidence_path is None:
        return None
    with tempfile.TemporaryDirectory(prefix="pentimento-evidence-") as folder, told_plainly(settings):
        where = client.download_artifacts(version.run_id, f"{version.evidence_path}/{EVIDENCE_NAME}", folder)
        return read_evidence(where)


def half_kept(version: Version) -> Iterator[str]:
    """The evidence folders of a version whose uploader was killed, as paths in its run."""
    for key, state in version.tags.items():
        if key.startswith(f"{EVIDENCE_TAG}.") and state.startswith(_UPLOADING):
            since_ms, _, who = state.removeprefix(_UPLOADING).partition(" ")
            if is_gone(who, since_ms=float(since_ms)):
                yield f"{EVIDENCE_FOLDER}/{key.rpartition('.')[2]}"


def drop_evidence(client: "MlflowClient", settings: Settings, version: Version, path: str) -> None:
    """Remove one evidence folder from the version's run, and then the tag by which it is found."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    root = client.get_run(version.run_id).info.artifact_uri
    get_artifact_repository(root, tracking_uri=settings.tracking_uri).delete_artifacts(path)
    client.delete_model_version_tag(MODEL_NAME, str(version.number), _state_tag(path))


def _log_scores(client: "MlflowClient", version: Version, evidence: Evidence) -> None:
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    metrics = [
        Metric(re.sub(r"[^\w./ -]", "_", f"evaluation/{method}/{name}", flags=re.ASCII), value, now_ms, version.number)
        for method, scores in evidence.scores.items()
        for name, value in scores.items()
        if value is not None
    ]
    for start in range(0, len(metrics), _METRICS_AT_ONCE):
        client.log_batch(version.run_id, metrics=metrics[start : start + _METRICS_AT_ONCE])


def _folder_digest(folder: Path) -> str:
    """sha256 over the names and contents of every file in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if not files:
        raise EvidenceError(f"{folder} holds no file; `pentimento evaluate MODEL --out DIR` fills it")
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(folder).as_posix()}\0{file_digest(path)}\n".encode())
    return total.hexdigest()
