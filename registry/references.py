"""From a model reference to a verified package on this machine.

models:/pentimento@champion   what an alias points to
models:/pentimento/3          one version
pretrained:compact            weights that ship with Pentimento
path/to/folder                any package
"""

import sys
from pathlib import Path

from registry.errors import UnknownVersion
from registry.selectors import MODELS_SCHEME
from registry.settings import Settings
from runtime.package import MANIFEST_NAME, Package, open_package

PRETRAINED_SCHEME = "pretrained:"


def resolve(ref: str, settings: Settings) -> Package:
    """The package that `ref` names, every file's digest checked.

    Raises:
        UnknownVersion: it names nothing; the message says what there is.
        PackageError: the package is there, but must not be used (from `runtime`).
        StoreError: the registry cannot be asked, or has it damaged.
    """
    if ref.startswith(MODELS_SCHEME):
        from registry.versions import Registry  # opens MLflow: seconds that a folder need not wait for

        return Registry(settings).fetch(ref)
    if ref.startswith(PRETRAINED_SCHEME):
        return _pretrained(ref.removeprefix(PRETRAINED_SCHEME))
    folder = Path(ref).expanduser()
    if folder.is_dir():
        return open_package(folder)
    kinds = f"models:/pentimento@champion, models:/pentimento/3, {' or '.join(_shipped_references()) or 'a package'}"
    raise UnknownVersion(f"no model {ref!r}: there is no such folder; give a package's folder, or {kinds}")


def pretrained_folder() -> Path | None:
    """Where the weights lie that ship with Pentimento: beside the code, or among an installation's data."""
    beside_the_code = Path(__file__).resolve().parents[1] / "pretrained"
    installed = Path(sys.prefix) / "share" / "pentimento" / "pretrained"
    return next((folder for folder in (beside_the_code, installed) if folder.is_dir()), None)


def pretrained_names() -> list[str]:
    """Which shipped packages there are, for example ["adain", "compact"]."""
    root = pretrained_folder()
    return sorted(path.parent.name for path in root.glob(f"*/{MANIFEST_NAME}")) if root else []


def _shipped_references() -> list[str]:
    return [PRETRAINED_SCHEME + name for name in pretrained_names()]


def _pretrained(name: str) -> Package:
    root, have = pretrained_folder(), pretrained_names()
    if root is None or name not in have:
        there = ", ".join(_shipped_references()) or "none in this installation"
        raise UnknownVersion(f"no shipped model '{PRETRAINED_SCHEME}{name}' (have: {there})")
    return open_package(root / name)
