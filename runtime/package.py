"""The model package: the folder that is registered, judged, shipped and served. No pickles; every file is digested.

package.json           this module's `Manifest`: what the package is, and the sha256 of every other file
                       (`pentimento package schema` prints its JSON schema)
weights.safetensors
onnx/style.onnx        style picture -> style code
onnx/stylize.onnx      image + code + dials -> image
onnx/stylize.int8.onnx the same with explicit Q/DQ, only where it passed its check
golden/                input.png, style.png, output.png: checked at every load
MODEL_CARD.md
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.errors import PackageError

SCHEMA_VERSION: Literal[1] = 1
MANIFEST_NAME = "package.json"
WEIGHTS_NAME = "weights.safetensors"
STYLE_ONNX_NAME = "onnx/style.onnx"
STYLIZE_ONNX_NAME = "onnx/stylize.onnx"
INT8_NAME = "onnx/stylize.int8.onnx"
CARD_NAME = "MODEL_CARD.md"
GOLDEN_NAMES = ("golden/input.png", "golden/style.png", "golden/output.png")
_LONGEST_NAME = 200
REQUIRED_NAMES = (WEIGHTS_NAME, STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, CARD_NAME, *GOLDEN_NAMES)


class Manifest(BaseModel):
    """The contents of package.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    name: str
    variant: Literal["compact", "base", "adain"]
    config: dict[str, Any] = Field(description="what rebuilds the network: the fields of its own config class")
    git_commit: str = Field(description="the commit that trained it, or 'unknown'")
    data_digest: str = Field(description="sha256 over the training pictures, or 'unknown'")
    parents: list[str] = Field(default_factory=list, description="digests of the packages that it was trained from")
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        description="sha256 of every other file, by its path inside the package"
    )


@dataclass(frozen=True, slots=True)
class Package:
    """A package whose files were all found and verified.

    Args:
        folder: where it lies.
        manifest: its package.json.
        digest: sha256 of package.json, and so, through it, of everything inside.
    """

    folder: Path
    manifest: Manifest
    digest: str

    def path(self, name: str) -> Path:
        """Where one of its files lies."""
        return self.folder / name


def open_package(folder: str | os.PathLike[str]) -> Package:
    """Read a package and verify every file against its digest.

    Raises:
        PackageError: not a package; an unknown schema; an unsafe path; a file missing, altered or not listed.
    """
    root = Path(folder)
    try:
        blob = (root / MANIFEST_NAME).read_bytes()
    except OSError as error:
        raise PackageError(f"{root} is not a model package: it has no readable {MANIFEST_NAME}") from error
    manifest = _parse_manifest(root, blob)
    for name, expected in manifest.files.items():
        _check_name(root, name)
        _check_file(root / name, expected)
    for name in REQUIRED_NAMES:
        if name not in manifest.files:
            raise PackageError(f"{root / MANIFEST_NAME} does not list {name}; export the package again")
    # A link to a folder is listed here as a file: what lies behind it can be exchanged without touching the package.
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
    unlisted = found - {MANIFEST_NAME, *manifest.files}
    if unlisted:
        raise PackageError(f"{root / min(unlisted)} is not listed in {MANIFEST_NAME}; remove it")
    return Package(root, manifest, hashlib.sha256(blob).hexdigest())


def write_package(
    folder: str | os.PathLike[str],
    *,
    files: Mapping[str, bytes],
    name: str,
    variant: Literal["compact", "base", "adain"],
    config: dict[str, Any],
    git_commit: str = "unknown",
    data_digest: str = "unknown",
    parents: list[str] | None = None,
) -> Package:
    """Write a whole package or none: aside, verified, then renamed into place.

    Args:
        folder: where it shall lie; an existing package there is replaced, anything else there is refused.
        files: contents by path inside the package; must hold every required file.

    Raises:
        PackageError: a required file is not given, or `folder` holds something else.
    """
    target = Path(folder)
    _refuse_other_things(target)
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        name=name,
        variant=variant,
        config=config,
        git_commit=git_commit,
        data_digest=data_digest,
        parents=parents or [],
        files={path: hashlib.sha256(blob).hexdigest() for path, blob in sorted(files.items())},
    )
    with _written_aside(target) as aside:
        for path, blob in files.items():
            _check_name(aside, path)
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(blob)
        (aside / MANIFEST_NAME).write_text(_canonical(manifest))
        open_package(aside)
    return open_package(target)


def file_digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_file(path: Path, expected: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise PackageError(f"{path} is missing from the package; fetch or export the package again")
    try:
        altered = file_digest(path) != expected
    except OSError as error:
        raise PackageError(
            f"{path} cannot be read ({error.strerror}); check its permissions, or fetch it again"
        ) from error
    if altered:
        raise PackageError(f"{path} was altered: its sha256 is not the one in {MANIFEST_NAME}; fetch it again")


def _canonical(manifest: Manifest) -> str:
    return json.dumps(manifest.model_dump(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _parse_manifest(root: Path, blob: bytes) -> Manifest:
    try:
        raw = json.loads(blob)
    except (ValueError, RecursionError) as error:
        raise PackageError(f"{root / MANIFEST_NAME} is not JSON ({error}); fetch the package again") from error
    schema = raw.get("schema_version") if isinstance(raw, dict) else None
    if schema != SCHEMA_VERSION:
        raise PackageError(
            f"{root / MANIFEST_NAME} has schema version {schema!r}; this Pentimento reads {SCHEMA_VERSION}: "
            "use the Pentimento that wrote it, or export it again"
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PackageError(f"{root / MANIFEST_NAME}: {where}: {first['msg']}") from error


def _check_name(root: Path, name: str) -> None:
    """A path of a package stays inside it, whoever wrote package.json, and has one spelling."""
    path = PurePosixPath(name)
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    odd = name != path.as_posix() or not path.parts or not name.isprintable() or len(name) > _LONGEST_NAME
    if leads_out or odd or name == MANIFEST_NAME:
        raise PackageError(f"{root / MANIFEST_NAME} lists the unsafe path {name!r}; do not use this package")


def copy_package(package: Package, folder: str | os.PathLike[str]) -> Package:
    """The same package, byte for byte, in another place; whole or not at all.

    Raises:
        PackageError: `folder` exists and is no package, or a file changed while it was copied.
    """
    target = Path(folder)
    _refuse_other_things(target)
    with _written_aside(target) as aside:
        for name in (MANIFEST_NAME, *package.manifest.files):
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(package.folder / name, aside / name)
        if open_package(aside).digest != package.digest:
            raise PackageError(f"{package.folder} changed while it was copied; try again")
    return open_package(target)


def _refuse_other_things(target: Path) -> None:
    """A package may replace a package, and nothing else."""
    if target.exists() and not (target / MANIFEST_NAME).is_file():
        raise PackageError(f"{target} exists and is no model package; choose another folder")


@contextmanager
def _written_aside(target: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of `target` if the body succeeds and vanishes if it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        os.chmod(aside, 0o755)  # mkdtemp's 0700 would hide the package from the service's own user
        yield aside
        if target.exists():
            shutil.rmtree(target)
        os.replace(aside, target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
