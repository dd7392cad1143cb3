"""The one door to MLflow: opened quietly, its failures told in one line. Importing this module imports no mlflow."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registry.errors import StoreError
from registry.locks import exclusive
from registry.settings import EXPERIMENT_NAME, Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient


def quiet_mlflow() -> None:
    """Import mlflow without telemetry, bars or chatter, and so that a dead server is told in seconds, not minutes."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    # mlflow gives its logger a level of its own when it is first imported, so import it here and speak last.
    import mlflow  # noqa: F401

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def open_client(settings: Settings) -> "MlflowClient":
    """A client of the settings' own store, whatever the process's global tracking URI says.

    Raises:
        StoreError: the store cannot be reached or opened.
    """
    quiet_mlflow()
    from mlflow import MlflowClient

    with told_plainly(settings):
        if not settings.uses_database_directly:
            return MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
        settings.home.mkdir(parents=True, exist_ok=True)
        # The first opening creates some fifty tables; two processes doing so at once would trip over each other.
        with exclusive(settings.home / "mlflow.lock", timeout_s=120):
            client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
            client.search_experiments(max_results=1)
            client.search_registered_models(max_results=1)
        return client


def ensure_experiment(client: "MlflowClient", settings: Settings, name: str = EXPERIMENT_NAME) -> str:
    """The experiment's id; created where it does not exist, with its files under the settings' artifact root.

    MLflow's own default would put them into ./mlruns of whatever folder the process happens to stand in.
    """
    from mlflow.exceptions import MlflowException

    with told_plainly(settings):
        found = client.get_experiment_by_name(name)
        if found is None:
            location = str(settings.artifact_root) if settings.uses_database_directly else None
            try:
                return str(client.create_experiment(name, artifact_location=location))
            except MlflowException:
                found = client.get_experiment_by_name(name)  # another process was quicker
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


@contextmanager
def told_plainly(settings: Settings) -> Iterator[None]:
    """Turn what MLflow raises into a StoreError of one line that names the store."""
    quiet_mlflow()
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StoreError(
            f"the MLflow store {without_password(settings.tracking_uri)} did not do as asked: {first_line}; "
            "check MLFLOW_TRACKING_URI, `pentimento doctor` tells what it sees"
        ) from error


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    head, at, tail = url.rpartition("@")
    if not at or "://" not in head:
        return url
    scheme, _, login = head.partition("://")
    return f"{scheme}://{login.partition(':')[0]}:***@{tail}" if ":" in login else url
