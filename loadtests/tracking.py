"""The verdict in the MLflow run of the model version that was tested, beside its scores."""

import os
from pathlib import Path
from typing import Any

from loadtests.verdict import Verdict


class TrackingError(Exception):
    """The verdict could not be logged."""


def log_to_mlflow(verdict: Verdict, files: list[Path]) -> str:
    """Log numbers, tags and files; returns the run's id.

    The service names the version that it serves (GET /v1/model); MLFLOW_TRACKING_URI or PENTIMENTO_HOME say where its
    run is, as they do for `pentimento` itself.

    Raises:
        TrackingError: no version, no MLflow, or a registry that does not know the version.
    """
    run = verdict.run
    name, _, number = (run.model or {}).get("version", "").partition("/") if run else ("", "", "")
    if run is None or not number.isdigit():
        raise TrackingError(
            f"the service did not name a registered version (it said {name or 'nothing'!r}), so there is no run to log "
            "to; serve one: `pentimento serve --model models:/pentimento@champion`"
        )
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise TrackingError(
            "MLflow is not installed; `pip install 'pentimento[registry]'`, or log without it"
        ) from error
    try:
        client = MlflowClient(tracking_uri=_tracking_uri(), registry_uri=_tracking_uri())
        run_id = client.get_model_version(name, number).run_id
        if not run_id:
            raise TrackingError(f"{name}/{number} was registered without a run; train it, or register it with one")
        _log(client, run_id, verdict, files)
    except MlflowException as error:
        raise TrackingError(f"{name}/{number} cannot be found in {_tracking_uri()}: {error.message}") from error
    return str(run_id)


def metrics_of(verdict: Verdict) -> dict[str, float]:
    """load.SHAPE.PHASE.ENDPOINT.NAME: every number that was measured, under names that MLflow accepts."""
    found: dict[str, float] = {}
    prefix = f"load.{verdict.run.shape}" if verdict.run else "load"
    for phase in verdict.phases:
        found[_name(prefix, phase.name, "good_per_s")] = phase.good_per_s
        for endpoint, seen in phase.endpoints.items():
            values = {
                "p50_ms": seen.accepted.p50_ms,
                "p95_ms": seen.accepted.p95_ms,
                "p99_ms": seen.accepted.p99_ms,
                "refused_p99_ms": seen.refused.p99_ms,
                "error_share": seen.error_share,
                "shed_share": seen.shed_share,
            }
            found |= {_name(prefix, phase.name, endpoint, key): v for key, v in values.items() if v is not None}
    if verdict.breakpoint and verdict.breakpoint.holds_per_s is not None:
        found[_name(prefix, "holds_per_s")] = verdict.breakpoint.holds_per_s
    if verdict.recovery_s is not None:
        found[_name(prefix, "recovery_s")] = verdict.recovery_s
    return found


def _log(client: Any, run_id: str, verdict: Verdict, files: list[Path]) -> None:
    shape = verdict.run.shape if verdict.run else "load"
    for key, value in metrics_of(verdict).items():
        client.log_metric(run_id, key, value)
    client.set_tag(run_id, f"load.{shape}", f"{verdict.outcome}: {verdict.reason}"[:500])
    for file in files:
        client.log_artifact(run_id, str(file), artifact_path=f"load/{shape}")


def _name(*parts: str) -> str:
    allowed = ["".join(c if c.isalnum() or c in "_-" else "_" for c in part) for part in parts[1:]]
    return ".".join([parts[0], *allowed])


def _tracking_uri() -> str:
    home = Path(os.environ.get("PENTIMENTO_HOME") or ".pentimento").expanduser().resolve()
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}"
