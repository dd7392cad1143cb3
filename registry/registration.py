"""From a package to a version: all or nothing, and the same package twice is one version.

MLflow has no transaction over a run, files, a version and an alias. So every registration carries an id of its own,
written on each thing it makes, and each undo is prepared *before* its step and finds what to take back by that id: an
interruption between "the store has done it" and "we know that it has" is undone as well. After kill -9 nobody undoes;
`pentimento doctor --repair` then finds the same things by the same id (`leftovers.py`).

A version appears in one transaction with its tags, and by then its files are all there. Two machines that register the
same package at once both get that far; the higher number withdraws.
"""

import logging
import shutil
import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from registry.aliases import point, pointed
from registry.errors import RegistrationFailed
from registry.flavor import save_mlflow_model
from registry.listing import ANNOUNCED_TAG, DIGEST_TAG, REGISTRATION_TAG, list_versions
from registry.locks import sweep
from registry.registrars import REGISTRAR_TAG, registrar
from registry.settings import MODEL_NAME, Settings
from registry.store import ensure_experiment
from runtime.package import Package

if TYPE_CHECKING:
    from mlflow import MlflowClient

_logger = logging.getLogger(__name__)
STAGING = ".registering-"


def store_version(
    client: "MlflowClient", settings: Settings, package: Package, *, run_id: str | None, tags: Mapping[str, str]
) -> int:
    """Make a new version with alias `candidate`, and return its number. The caller holds this machine's lock.

    Raises:
        RegistrationFailed: there is no run `run_id`; nothing was left behind.
    """
    registration = uuid.uuid4().hex
    marks = {REGISTRATION_TAG: registration, REGISTRAR_TAG: registrar()}
    undo = ExitStack()
    try:
        run_id, experiment_id = _run(client, settings, package, run_id, marks, undo)
        undo.callback(drop_models, client, settings, [experiment_id], registration)
        model = client.create_logged_model(experiment_id, name=MODEL_NAME, source_run_id=run_id, tags=marks)
        sweep(settings.home, STAGING)
        with tempfile.TemporaryDirectory(dir=settings.home, prefix=STAGING) as staging:
            save_mlflow_model(package, Path(staging) / "model", run_id=run_id, model_id=model.model_id)
            client.log_model_artifacts(model.model_id, str(Path(staging) / "model"))
        client.finalize_logged_model(model.model_id, "READY")
        _ensure_registered_model(client)
        undo.callback(drop_version, client, registration)
        created = client.create_model_version(
            MODEL_NAME,
            # Not "models:/<id>": MLflow would look that up in the process's global store, which may be another one.
            source=model.artifact_location,
            run_id=run_id,
            tags={**tags, **marks},
            model_id=model.model_id,
        )
        first = min(version.number for version in list_versions(client, digest=tags[DIGEST_TAG]))
        if first != int(created.version):  # another machine registered the same package at the same time
            _take_back(undo, registration)
        else:
            before = pointed(client, "candidate")
            undo.callback(_restore_candidate, client, before.number if before else None)
        announce(client, first)
    except BaseException:
        _take_back(undo, registration)
        raise
    return first


def announce(client: "MlflowClient", number: int) -> None:
    """Point `candidate` to a version, and mark it as registered to the end."""
    point(client, "candidate", number)
    client.set_model_version_tag(MODEL_NAME, str(number), ANNOUNCED_TAG, "true")


def _take_back(undo: ExitStack, registration: str) -> None:
    with _interrupts_held_off():
        try:
            undo.close()
        except Exception as error:  # the first failure is the one to report; this one may well be its echo
            _logger.warning("registration %s could not be taken back whole: %s", registration, error)


def _run(
    client: "MlflowClient",
    settings: Settings,
    package: Package,
    run_id: str | None,
    marks: Mapping[str, str],
    undo: ExitStack,
) -> tuple[str, str]:
    """(run, experiment) that the version belongs to; a run of its own where it comes from no training run."""
    from mlflow.exceptions import MlflowException

    if run_id is not None:
        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            raise RegistrationFailed(f"there is no run {run_id!r} in this store; leave it out or name a run") from error
        return run_id, run.info.experiment_id
    experiment_id = ensure_experiment(client, settings)
    undo.callback(drop_runs, client, [experiment_id], marks[REGISTRATION_TAG])
    tags = {**marks, DIGEST_TAG: package.digest}
    run = client.create_run(experiment_id, run_name=f"register-{package.digest[:8]}", tags=tags)
    client.set_terminated(run.info.run_id)
    return run.info.run_id, experiment_id


def _ensure_registered_model(client: "MlflowClient") -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(MODEL_NAME)
    except MlflowException:
        with suppress(MlflowException):  # another machine was quicker; if not, the next step says why
            client.create_registered_model(MODEL_NAME, description="Turns photographs into paintings")


def _restore_candidate(client: "MlflowClient", before: int | None) -> None:
    if before is not None:
        point(client, "candidate", before)


def drop_version(client: "MlflowClient", registration: str) -> None:
    """Take back the version of a registration; its aliases go with it."""
    for version in client.search_model_versions(f"name = '{MODEL_NAME}' and {_tagged(registration)}"):
        client.delete_model_version(MODEL_NAME, str(version.version))


def drop_models(client: "MlflowClient", settings: Settings, experiments: list[str], registration: str) -> None:
    """Take back the files of a registration, and then MLflow's entry for them, by which they are found."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    for model in client.search_logged_models(experiments, filter_string=_tagged(registration)):
        with suppress(Exception):  # not yet any file, or a store that keeps what it has: it is unreachable either way
            # Named, for MLflow would otherwise ask the process's global store, which may be another one.
            get_artifact_repository(model.artifact_location, tracking_uri=settings.tracking_uri).delete_artifacts()
        folder = Path(model.artifact_location.removeprefix("file://"))
        if folder.is_absolute():  # MLflow deletes what is inside and leaves models/<id>/artifacts/ standing
            shutil.rmtree(folder.parent if folder.name == "artifacts" else folder, ignore_errors=True)
        client.delete_logged_model(model.model_id)


def drop_runs(client: "MlflowClient", experiments: list[str], registration: str) -> None:
    """Take back the run that a registration made for itself."""
    for run in client.search_runs(experiments, filter_string=_tagged(registration)):
        client.delete_run(run.info.run_id)


def _tagged(registration: str) -> str:
    return f"tags.`{REGISTRATION_TAG}` = '{registration}'"


@contextmanager
def _interrupts_held_off() -> Iterator[None]:
    """A second Ctrl-C must not stop the undoing that the first one began."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets, and may handle, signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
