"""Methods that are not ours: an ONNX file, or a folder of finished pictures; as candidate or as baseline.

One that has no strength dial is swept by blending its picture with the photograph, which anybody could do, and the
report says so. Pictures of a folder are found by the names of photograph and painting (docs/JUDGING.md):

    <photograph>__<painting>.png            at full strength
    <photograph>__<painting>@0.50.png       at another; then every strength of the sweep must be there
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evaluation.errors import MethodError
from evaluation.ledger import digest_of
from evaluation.methods import Method, Recipe, blend, check_painted
from evaluation.pairs import Picture
from evaluation.picture_names import name_key
from evaluation.scores import ADAIN, CANDIDATE, CHAMPION, NST, NULL_METHODS, MethodInfo
from evaluation.sources import pictures_below
from runtime.errors import PackageError
from runtime.foreign import ForeignGraph
from runtime.package import MANIFEST_NAME, file_digest
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import read_picture, resize_short_side

BLENDED = "no dial of its own: its strengths are blends with the photograph"
RESERVED = (CANDIDATE, ADAIN, CHAMPION, NST, *NULL_METHODS)
ASPECT_TOLERANCE = 0.02


def is_foreign(path: Path) -> bool:
    """Whether a path is an ONNX file or a folder of pictures, rather than a model package."""
    return path.suffix.lower() == ".onnx" or (path.is_dir() and not (path / MANIFEST_NAME).is_file())


def open_foreign(path: Path, name: str | None = None) -> Method:
    """An ONNX file or a folder of finished pictures as a method.

    Args:
        name: its column in the report; the file's own name by default.

    Raises:
        MethodError: neither of the two, or a name that is taken.
        PackageError: an ONNX file that does not keep the contract (from `runtime`).
    """
    column = name or path.stem
    if name is None and column in RESERVED:
        raise MethodError(
            f"{path}: the name {column!r} has its own meaning in reports; rename it, for example my-{column}"
        )
    if path.is_dir():
        return FinishedPictures.open(path, column)
    if not path.is_file():
        raise MethodError(f"{path} is neither a file nor a folder; give an ONNX file or a folder of finished pictures")
    return OnnxMethod(column, path, file_digest(path), ForeignGraph(path))


@dataclass(frozen=True, slots=True)
class OnnxMethod:
    """A painter in an ONNX file; `runtime.foreign` holds the contract.

    Args:
        name: its column in the report.
        path: the file.
        digest: its sha256.
        graph: the file, loaded.
    """

    name: str
    path: Path
    digest: str
    graph: ForeignGraph

    @property
    def key(self) -> str:
        """The file's digest, whatever it is called."""
        return digest_of(["onnx", self.digest])

    def info(self) -> MethodInfo:
        """See `Method.info`."""
        note = f"{self.path.name}; " + ("its own strength dial" if self.graph.has_strength else BLENDED)
        return MethodInfo(name=self.name, label=self.path.stem, digest=self.digest, engine="onnx float32", note=note)

    def paint(self, photo: Picture, style: Picture, strength: float) -> Pixels:
        """See `Method.paint`. Strength 0 is the photograph: the comparison starts there for everybody."""
        if strength == 0.0:
            return photo.pixels
        try:
            painted = self.graph.paint(photo.pixels, style.pixels, strength)
        except PackageError as error:
            raise MethodError(str(error)) from error
        check_painted(self.name, painted, photo.pixels, strength)
        return painted if self.graph.has_strength else blend(photo.pixels, painted, strength)

    def recipe(self) -> Recipe:
        """The file is opened again."""
        return partial(open_foreign, self.path.resolve(), self.name)


@dataclass(frozen=True, slots=True)
class FinishedPictures:
    """A folder of pictures that somebody painted already.

    Args:
        name: its column in the report.
        folder: where they lie.
        digest: sha256 over all their names and bytes.
        paths: the pictures by `name_key` of their names without suffix.
    """

    name: str
    folder: Path
    digest: str
    paths: dict[str, Path]

    @staticmethod
    def open(folder: Path, name: str) -> "FinishedPictures":
        """List and digest a folder.

        Raises:
            MethodError: it holds no pictures.
        """
        found = pictures_below(folder)
        if not found:
            raise MethodError(f"{folder} holds no pictures; name them <photograph>__<painting>.png (docs/JUDGING.md)")
        digest = hashlib.sha256()
        for path in found:
            digest.update(f"{path.relative_to(folder).as_posix()}\0{file_digest(path)}\n".encode())
        return FinishedPictures(name, folder, digest.hexdigest(), {name_key(path.stem): path for path in found})

    @property
    def key(self) -> str:
        """The folder's digest, whatever it is called."""
        return digest_of(["finished", self.digest])

    def info(self) -> MethodInfo:
        """See `Method.info`."""
        note = f"{len(self.paths)} finished pictures; " + ("a picture a strength" if self._has_sweep else BLENDED)
        return MethodInfo(
            name=self.name, label=self.folder.name, digest=self.digest, engine="finished pictures", note=note
        )

    def paint(self, photo: Picture, style: Picture, strength: float) -> Pixels:
        """See `Method.paint`."""
        if strength == 0.0:
            return photo.pixels
        pair = f"{_stem(photo)}__{_stem(style)}"
        if self._has_sweep:
            return self._read([f"{pair}@{strength:.2f}", *([pair] if strength == 1.0 else [])], photo)
        return blend(photo.pixels, self._read([pair], photo), strength)

    def recipe(self) -> Recipe:
        """The folder is opened again."""
        return partial(open_foreign, self.folder.resolve(), self.name)

    @property
    def _has_sweep(self) -> bool:
        return any("@" in key for key in self.paths)

    def _read(self, names: list[str], photo: Picture) -> Pixels:
        path = next((self.paths[name_key(name)] for name in names if name_key(name) in self.paths), None)
        if path is None:
            raise MethodError(f"{self.folder} has no {names[0]}.png; every judged pair needs its picture")
        try:
            picture = read_picture(path)
        except PictureError as error:
            raise MethodError(f"{self.folder}: {error}") from error
        return _at_size(picture, photo, path)


def _stem(picture: Picture) -> str:
    return Path(picture.name.rsplit("/", 1)[-1]).stem


def _at_size(picture: Pixels, photo: Picture, path: Path) -> Pixels:
    """The picture at the judged size; a larger one is shrunk as the photograph was.

    Raises:
        MethodError: smaller than judged, or of another aspect.
    """
    height, width = photo.shape
    if picture.shape[:2] == (height, width):
        return picture
    aspect = picture.shape[1] / picture.shape[0]
    if min(picture.shape[:2]) > photo.short_side_px and abs(aspect * height / width - 1) <= ASPECT_TOLERANCE:
        shrunk = resize_short_side(picture, photo.short_side_px)
        if shrunk.shape[:2] == (height, width):
            return shrunk
    raise MethodError(
        f"{path} is {picture.shape[1]}x{picture.shape[0]}; the photograph is judged at {width}x{height}: "
        "paint it at that size, or larger in the same aspect"
    )
