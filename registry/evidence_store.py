"""Evidence kept with the version: an evaluation's whole folder among its run's artifacts, the verdict as a tag."""

import hashlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from registry.errors import EvidenceError
from registry.evidence import EVIDENCE_NAME, Evidence, read_evidence
from registry.listing import EVIDENCE_TAG, VERDICT_TAG, Version
from registry.settings import MODEL_NAME
from runtime.package import file_digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

_METRICS_AT_ONCE = 500  # MLflow takes at most 1000


def keep_evidence(client: "MlflowClient", version: Version, folder: Path) -> str:
    """Upload `folder` into the version's run, then tag the version: what the tag names is there whole.

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
    path = f"evidence/{_folder_digest(folder)[:16]}"
    if not client.list_artifacts(version.run_id, path):
        client.log_artifacts(version.run_id, str(folder), path)
        if evidence is not None:
            _log_scores(client, version, evidence)
    if evidence is not None:
        client.set_model_version_tag(MODEL_NAME, str(version.number), VERDICT_TAG, evidence.verdict)
    client.set_model_version_tag(MODEL_NAME, str(version.number), EVIDENCE_TAG, path)
    return path


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
