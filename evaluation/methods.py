"""What paints: engines under test, and the null methods that any real painter must beat.

A null method is what one gets without painting anything new: AdaIN's picture blended with the photograph. If such a
trick scored well, the score would be worth nothing.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import MethodError
from evaluation.pairs import Picture
from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels

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


@dataclass(frozen=True, slots=True)
class Painter:
    """An engine and the style codes that it has made, so that each style is encoded once."""

    name: str
    engine: Engine
    codes: dict[str, StyleCode] = field(default_factory=dict)

    def code(self, style: Picture) -> StyleCode:
        """The style's code, made at the first call."""
        if style.sha256 not in self.codes:
            self.codes[style.sha256] = self.engine.encode_style(style.pixels)
        return self.codes[style.sha256]

    def paint(self, photo: Pixels, style: Picture, strength: float) -> Pixels:
        """The photograph in the style, every other dial at its default.

        Raises:
            MethodError: the engine gave back another size or type, or changed the photograph at strength 0.
        """
        painted = self.engine.stylize(photo, self.code(style), Dials(strength=strength))
        if painted.dtype != np.uint8 or painted.shape != photo.shape:
            raise MethodError(
                f"{self.name} returned {painted.dtype} {painted.shape} for a photograph of uint8 {photo.shape}; "
                "an engine gives back exactly the size it was given"
            )
        if strength == 0.0 and not np.array_equal(painted, photo):
            raise MethodError(f"{self.name} changed the photograph at strength 0; strength 0 is the input, bit for bit")
        return painted

    def sweep(self, photo: Pixels, style: Picture, strengths: tuple[float, ...]) -> list[Pixels]:
        """One picture for each strength."""
        return [self.paint(photo, style, strength) for strength in strengths]


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
    root = _power(_covariance(source), 0.5)
    inverse = _power(_covariance(source), -0.5)
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
