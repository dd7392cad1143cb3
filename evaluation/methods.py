"""What paints: engines under test, and the null methods that any real painter must beat.

A null method is what one gets without painting anything new: AdaIN's picture blended with the photograph. If such a
trick scored well, the score would be worth nothing.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, cast, get_args

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import MethodError
from evaluation.ledger import digest_of
from evaluation.pairs import Picture
from evaluation.scores import ADAIN, MethodInfo
from runtime.engine import Engine, EngineName
from runtime.loading import load_engine
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.errors import CodeError
from stylenet.images import Pixels
from stylenet.pictures import write_bytes

CODES_IN_MEMORY = 64

NULL_LABELS = {
    "raw_blend": "raw blend",
    "recoloured_blend": "recoloured blend",
    "colour_transfer": "colour transfer",
}
NULL_NOTES = {
    "raw_blend": "the photo, blended with AdaIN's picture",
    "recoloured_blend": "the photo, blended with half recoloured photo and half AdaIN's picture",
    "colour_transfer": "the photo, blended with the photo in the style's colours; no strokes at all",
}


Recipe = Callable[[], "Method"]
"""Makes a method anew in another process; it can be pickled, which a loaded engine cannot."""


class Method(Protocol):
    """Whatever can be judged: an engine, somebody else's ONNX file, a folder of finished pictures."""

    @property
    def name(self) -> str:
        """Its column in the report: "candidate", "adain" ..."""
        ...

    @property
    def key(self) -> str:
        """A digest of all that its pictures depend on besides pair and strength; its name does not belong to it."""
        ...

    def info(self) -> MethodInfo:
        """How reports show it."""
        ...

    def paint(self, photo: Picture, style: Picture, strength: float) -> Pixels:
        """The photograph in the style: uint8 (H, W, 3) of the photograph's own size; itself at strength 0.

        Raises:
            MethodError: it cannot, or broke that contract.
        """
        ...

    def recipe(self) -> Recipe:
        """How another process makes the same method."""
        ...


@dataclass(frozen=True, slots=True)
class Painter:
    """An engine under test, and the style codes that it has made: each style is encoded once.

    Args:
        name: its column in the report.
        engine: what paints.
        cache: a folder where codes are kept by digest, for the next judgement; None keeps them in memory only.
    """

    name: str
    engine: Engine
    cache: Path | None = None
    codes: OrderedDict[str, StyleCode] = field(default_factory=OrderedDict)

    @property
    def key(self) -> str:
        """The package's digest and what computes."""
        return digest_of([self.engine.package.digest, self.engine.name, self.engine.precision])

    def info(self) -> MethodInfo:
        """The package by its digest, the engine and its precision."""
        package = self.engine.package
        return MethodInfo(
            name=self.name,
            label="AdaIN" if self.name == ADAIN else self.name,
            digest=package.digest,
            engine=f"{self.engine.name} {self.engine.precision}",
            note=f"{package.manifest.name} ({package.manifest.variant})",
        )

    def code(self, style: Picture) -> StyleCode:
        """The style's code: from memory, from the cache, or made now."""
        if style.sha256 not in self.codes:
            self.codes[style.sha256] = self._kept_code(style) or self._new_code(style)
            if len(self.codes) > CODES_IN_MEMORY:
                self.codes.popitem(last=False)
        return self.codes[style.sha256]

    def paint(self, photo: Picture, style: Picture, strength: float) -> Pixels:
        """See `Method.paint`; every other dial stands at its default."""
        painted = self.engine.stylize(photo.pixels, self.code(style), Dials(strength=strength))
        return check_painted(self.name, painted, photo.pixels, strength)

    def recipe(self) -> Recipe:
        """The package's folder is opened again, with the same engine; an engine of another kind goes as it is."""
        engine = self.engine
        if engine.name not in get_args(EngineName):
            return partial(Painter, self.name, engine, self.cache)
        folder, kind = engine.package.folder.resolve(), cast(EngineName, engine.name)
        return partial(_open_painter, self.name, folder, kind, engine.precision, engine.package.digest, self.cache)

    def _new_code(self, style: Picture) -> StyleCode:
        code = self.engine.encode_style(style.pixels)
        if (path := self._code_path(style)) is not None:
            write_bytes(code.to_bytes(), path)
        return code

    def _kept_code(self, style: Picture) -> StyleCode | None:
        path = self._code_path(style)
        try:
            return None if path is None else StyleCode.from_bytes(path.read_bytes())
        except (OSError, CodeError):
            return None  # not there, or not whole: it is made again

    def _code_path(self, style: Picture) -> Path | None:
        if self.cache is None:
            return None
        return self.cache / "codes" / self.key[:16] / f"{digest_of([style.sha256, style.short_side_px])}.safetensors"


def check_painted(name: str, painted: Pixels, photo: Pixels, strength: float) -> Pixels:
    """The painted picture, if it keeps the contract.

    Raises:
        MethodError: another size or type, or a photograph that changed at strength 0.
    """
    if painted.dtype != np.uint8 or painted.shape != photo.shape:
        raise MethodError(
            f"{name} returned {painted.dtype} {painted.shape} for a photograph of uint8 {photo.shape}; "
            "an engine gives back exactly the size it was given"
        )
    if strength == 0.0 and not np.array_equal(painted, photo):
        raise MethodError(f"{name} changed the photograph at strength 0; strength 0 is the input, bit for bit")
    return painted


def _open_painter(
    name: str, folder: Path, engine: EngineName, precision: str, digest: str, cache: Path | None
) -> Painter:
    loaded = load_engine(folder, engine, precision=precision if engine == "openvino" else None)
    if loaded.package.digest != digest:
        raise MethodError(f"{folder} holds another package on this machine than where the judgement was started")
    return Painter(name, loaded, cache)


def null_sweeps(photo: Pixels, style: Pixels, painted: Pixels, strengths: tuple[float, ...]) -> dict[str, list[Pixels]]:
    """The null methods' pictures, by name.

    Args:
        photo: uint8 (H, W, 3).
        style: uint8 (H', W', 3).
        painted: AdaIN's picture at strength 1, uint8 (H, W, 3).
    """
    recoloured = recolour(photo, style)
    targets = {
        "raw_blend": painted,
        "recoloured_blend": blend(recoloured, painted, 0.5),
        "colour_transfer": recoloured,
    }
    return {name: [blend(photo, target, strength) for strength in strengths] for name, target in targets.items()}


def blend(photo: Pixels, painted: Pixels, share: float) -> Pixels:
    """(1 - share) of the first and `share` of the second, rounded to the nearest."""
    mixed = photo.astype(np.float32) * (1 - share) + painted.astype(np.float32) * share
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def recolour(photo: Pixels, style: Pixels) -> Pixels:
    """The photograph with the style's mean and covariance of RGB: the linear Monge-Kantorovich map (Pitié 2007).

    A judge's own implementation on purpose: it shares no line with the network that it helps to judge.
    """
    source, target = _colours(photo), _colours(style)
    covariance = _covariance(source)
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    transform = inverse @ _power(root @ _covariance(target) @ root, 0.5) @ inverse
    moved = (source - source.mean(axis=0)) @ transform + target.mean(axis=0)
    return np.clip(np.round(moved), 0, 255).astype(np.uint8).reshape(photo.shape)


def _colours(pixels: Pixels) -> NDArray[np.float64]:
    return pixels.reshape(-1, 3).astype(np.float64)


def _covariance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cov(colours, rowvar=False) + np.eye(3)  # one grey level: a flat picture has no inverse


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-9) ** exponent) @ vectors.T
