"""The registry's aliases: read one cheaply, move one.

candidate    the last one registered
challenger   the one that is tried out beside the champion
champion     the one that is served
previous     the one that was served before; `rollback` returns to it
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from registry.listing import DIGEST_TAG, Version, version_of
from registry.settings import MODEL_NAME

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the second: no such alias, by MLflow's SQL store


def pointed(client: "MlflowClient", alias: str) -> Version | None:
    """What an alias points to, in one request; None where it is not set, or set to what another tool registered.

    Raises:
        MlflowException: the store failed.
    """
    return _ours(lambda: client.get_model_version_by_alias(MODEL_NAME, alias))


def numbered(client: "MlflowClient", number: int) -> Version | None:
    """One version by its number, in one request; None where there is none of ours.

    Raises:
        MlflowException: the store failed.
    """
    return _ours(lambda: client.get_model_version(MODEL_NAME, str(number)))


def point(client: "MlflowClient", alias: str, number: int | None) -> None:
    """Set an alias, or remove it where `number` is None.

    Raises:
        MlflowException: there is no such version, or the store failed.
    """
    if number is not None:
        client.set_registered_model_alias(MODEL_NAME, alias, str(number))
    elif pointed(client, alias) is not None:
        client.delete_registered_model_alias(MODEL_NAME, alias)


def _ours(ask: Callable[[], "ModelVersion"]) -> Version | None:
    from mlflow.exceptions import MlflowException

    try:
        entry = ask()
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise
    return version_of(entry, list(entry.aliases)) if DIGEST_TAG in entry.tags else None
