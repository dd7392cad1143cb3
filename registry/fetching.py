"""From a registered version to its package on this machine: copied once, kept by digest, verified every time."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from registry.errors import StoreError
from registry.flavor import PACKAGE_IN_MODEL
from registry.listing import Version
from registry.locks import exclusive, sweep
from registry.settings import MODEL_NAME, Settings
from registry.store import told_plainly
from runtime.errors import PackageError
from runtime.package import Package, open_package

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ASIDE = ".fetching-"


def fetch_package(client: "MlflowClient", settings: Settings, version: Version) -> Package:
    """The version's package, verified.

    Raises:
        StoreError: its files are gone, or are not those that were registered.
    """
    target = settings.packages_folder / version.digest
    with exclusive(settings.packages_folder / "fetch.lock", timeout_s=600):
        kept = _open_if_whole(target, version.digest)
        if kept is not None:
            return kept
        shutil.rmtree(target, ignore_errors=True)  # altered or half deleted: the registry has it whole
        sweep(settings.packages_folder, _ASIDE)
        aside = Path(tempfile.mkdtemp(dir=settings.packages_folder, prefix=_ASIDE))
        try:
            package = _download(client, settings, version, aside)
            if package.digest != version.digest:
                raise StoreError(
                    f"{version.name} was registered as package {version.digest[:12]}, but its files are package "
                    f"{package.digest[:12]}: they were exchanged; register the right package again"
                )
            os.replace(package.folder, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return open_package(target)


def half_fetched(settings: Settings) -> list[Path]:
    """What a killed fetch left in the packages' folder: unfinished copies, and packages that are not whole."""
    folder = settings.packages_folder
    if not folder.is_dir():
        return []
    with exclusive(folder / "fetch.lock"):
        aside = sorted(folder.glob(f"{_ASIDE}*"))
        kept = (path for path in sorted(folder.iterdir()) if path.is_dir() and path not in aside)
        return aside + [path for path in kept if _open_if_whole(path, path.name) is None]


def _open_if_whole(folder: Path, digest: str) -> Package | None:
    try:
        package = open_package(folder)
    except PackageError:
        return None
    return package if package.digest == digest else None


def _download(client: "MlflowClient", settings: Settings, version: Version, aside: Path) -> Package:
    from mlflow.artifacts import download_artifacts

    with told_plainly(settings):
        source = client.get_model_version_download_uri(MODEL_NAME, str(version.number))
        folder = download_artifacts(
            artifact_uri=f"{source.rstrip('/')}/{PACKAGE_IN_MODEL}",
            dst_path=str(aside),
            tracking_uri=settings.tracking_uri,
        )
    try:
        return open_package(folder)
    except PackageError as error:
        raise StoreError(f"{version.name} is damaged in the registry: {error}") from error
