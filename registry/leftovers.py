"""What kill -9 leaves behind in the registry, each named with what cleaning it does. `pentimento doctor` shows it.

Nothing here is ever visible to a reader: no version is listed, no alias moved, before it is whole. It only takes room.
Whatever may still be somebody's work is left alone: this machine's is held off by its lock, another machine's registrar
is dead for sure after an hour (`registrars.py`).
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.aliases import point, pointed
from registry.evidence_store import drop_evidence, half_kept
from registry.fetching import half_fetched
from registry.listing import ANNOUNCED_TAG, REGISTRATION_TAG, Version, list_versions
from registry.locks import exclusive
from registry.moves import settle, unfinished
from registry.promotion_store import LOG_NAME, PromotionLog
from registry.registrars import REGISTRAR_TAG, is_gone
from registry.registration import STAGING, announce, drop_models, drop_runs, drop_version
from registry.settings import MODEL_NAME, Settings
from registry.store import open_client, told_plainly

if TYPE_CHECKING:
    from mlflow import MlflowClient

_STYLE_REPAIR = "registry.style_repair"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """One thing that a killed process left.

    Args:
        kind: "run", "model files", "version", "promotion", "evidence", "folder", "package", or the style library's own.
        name: which one, for people.
        cure: what `clean` does, in words.
        clean: does it. Safe to call twice.
    """

    kind: str
    name: str
    cure: str
    clean: Callable[[], None]


def find_leftovers(settings: Settings) -> tuple[Leftover, ...]:
    """Everything that is left behind: on this machine, in the registry, and in the style library.

    Raises:
        StoreError: the registry or the style library cannot be asked, or this machine is busy with it for long.
        LogBroken: the promotion log was altered.
    """
    with exclusive(settings.lock_path), told_plainly(settings):
        found = [*_folders(settings), *_packages(settings)]
        if settings.has_registry:
            client = open_client(settings)
            found += [*_versions(client), *_registrations(client, settings), *_evidence(client, settings)]
            found += _promotions(client)
    return (*found, *_styles(settings))


def clean(leftover: Leftover, settings: Settings) -> None:
    """Clean one up, while nobody else on this machine registers or promotes.

    Raises:
        RegistryError: it could not be done; whatever is left is named again the next time.
    """
    with exclusive(settings.lock_path), told_plainly(settings):
        leftover.clean()


def _folders(settings: Settings) -> Iterator[Leftover]:
    """Folders that were being written aside when their writer died."""
    for folder in (*settings.home.glob(f"{STAGING}*"), *settings.home.glob("runs/*/.package.*")):
        yield Leftover(
            kind="folder",
            name=str(folder),
            cure="remove the unfinished folder",
            clean=partial(shutil.rmtree, folder, ignore_errors=True),
        )


def _packages(settings: Settings) -> Iterator[Leftover]:
    for folder in half_fetched(settings):
        yield Leftover(
            kind="package",
            name=str(folder),
            cure="remove the half-fetched package; it is fetched again when it is needed",
            clean=partial(_remove_fetched, settings, folder),
        )


def _remove_fetched(settings: Settings, folder: Path) -> None:
    if folder in set(half_fetched(settings)):  # not, if somebody has fetched it whole meanwhile
        shutil.rmtree(folder, ignore_errors=True)


def _versions(client: "MlflowClient") -> Iterator[Leftover]:
    """Whole versions whose registration did not get to its end: without the alias, or twice by two machines."""
    versions = list_versions(client)
    first = {version.digest: version.number for version in versions}  # the newest come first: the oldest stays
    for version in versions:
        if ANNOUNCED_TAG in version.tags or not _abandoned(version.tags, version.created_at.timestamp() * 1000):
            continue
        if first[version.digest] != version.number:
            cure = f"remove it: {MODEL_NAME}/{first[version.digest]} holds the same package"
            act = partial(drop_version, client, version.tags[REGISTRATION_TAG])
        elif version.number == max(other.number for other in versions):
            cure, act = (
                "point `candidate` to it: it is the last one registered",
                partial(announce, client, version.number),
            )
        else:
            cure, act = "mark it as registered", partial(_mark, client, version)
        yield Leftover(kind="version", name=version.name, cure=cure, clean=act)


def _mark(client: "MlflowClient", version: Version) -> None:
    client.set_model_version_tag(MODEL_NAME, str(version.number), ANNOUNCED_TAG, "true")


def _registrations(client: "MlflowClient", settings: Settings) -> Iterator[Leftover]:
    """Files and runs that were made for a version that never came to be."""
    whole = {version.tags.get(REGISTRATION_TAG) for version in list_versions(client)}
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    any_registration = f"tags.`{REGISTRATION_TAG}` LIKE '%'"
    for model in _all_pages(client.search_logged_models, experiments, any_registration):
        registration = model.tags[REGISTRATION_TAG]
        if registration not in whole and _abandoned(model.tags, model.creation_timestamp):
            yield Leftover(
                kind="model files",
                name=f"{model.model_id} in {model.artifact_location}",
                cure="delete the files and MLflow's entry for them",
                clean=partial(drop_models, client, settings, experiments, registration),
            )
    for run in _all_pages(client.search_runs, experiments, any_registration):
        registration = run.data.tags[REGISTRATION_TAG]
        if registration not in whole and _abandoned(run.data.tags, run.info.start_time):
            yield Leftover(
                kind="run",
                name=f"{run.info.run_name} ({run.info.run_id})",
                cure="delete the run",
                clean=partial(drop_runs, client, experiments, registration),
            )


def _evidence(client: "MlflowClient", settings: Settings) -> Iterator[Leftover]:
    for version in list_versions(client):
        for path in half_kept(version):
            yield Leftover(
                kind="evidence",
                name=f"{path} of {version.name}",
                cure="delete the half-uploaded folder; promoting with it again uploads it whole",
                clean=partial(drop_evidence, client, settings, version, path),
            )


def _promotions(client: "MlflowClient") -> Iterator[Leftover]:
    log = PromotionLog(client)
    line = unfinished(client, log.chain())
    if line is not None:
        yield Leftover(
            kind="promotion",
            name=f"line {line.sequence} of {LOG_NAME}: {line.action} {MODEL_NAME}/{line.version}",
            cure="move the aliases to where the log says they are",
            clean=partial(_settle, client, log),
        )
        return
    champion, previous = pointed(client, "champion"), pointed(client, "previous")
    if champion is not None and previous is not None and champion.number == previous.number:
        yield Leftover(
            kind="promotion",
            name=f"alias previous on the champion, {champion.name}",
            cure="remove the alias",
            clean=partial(point, client, "previous", None),
        )


def _settle(client: "MlflowClient", log: PromotionLog) -> None:
    settle(client, log)


def _styles(settings: Settings) -> Iterator[Leftover]:
    if find_spec(_STYLE_REPAIR) is not None:
        yield from import_module(_STYLE_REPAIR).leftovers(settings)


def _all_pages(search: Callable[..., Any], experiments: list[str], wanted: str) -> Iterator[Any]:
    token = None
    while True:
        page = search(experiments, filter_string=wanted, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _abandoned(tags: Mapping[str, str], since_ms: float) -> bool:
    return is_gone(tags.get(REGISTRAR_TAG, ""), since_ms=since_ms)
