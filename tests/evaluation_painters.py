"""Methods for the judge to judge: small painters of plain image operations behind the real `Engine` interface.

They are candidates, not stand-ins for our own parts: each keeps the engine's contract (its own size, strength 0 is the
input), and each is good or bad in a way that is known beforehand.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from evaluation.methods import blend, recolour
from runtime.package import Manifest, Package
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels

Operation = Callable[[Pixels, Pixels, float], Pixels]
"""(photo, style, strength) -> painted, all uint8 (H, W, 3)."""


class Painting:
    """An engine that applies one operation; its style code carries the style picture itself."""

    def __init__(self, name: str, operation: Operation) -> None:
        self.name, self.precision = name, "uint8"
        manifest = Manifest(
            schema_version=1,
            name=name,
            variant="compact",
            config={},
            git_commit="unknown",
            data_digest="unknown",
            files={},
        )
        self.package = Package(Path(name), manifest, hashlib.sha256(name.encode()).hexdigest())
        self.operation = operation

    def encode_style(self, pixels: Pixels) -> StyleCode:
        return StyleCode(
            colour=np.zeros(12, dtype=np.float32),
            texture=pixels.astype(np.float32).ravel(),
            semantics=np.array(pixels.shape, dtype=np.float32),
        )

    def stylize(
        self, pixels: Pixels, code: StyleCode, dials: Dials | None = None, *, mask: NDArray[np.float32] | None = None
    ) -> Pixels:
        strength = (dials or Dials()).strength
        if strength == 0.0:
            return pixels
        style = code.texture.reshape(code.semantics.astype(int)).astype(np.uint8)
        return self.operation(pixels, style, strength)

    def close(self) -> None:
        pass


def careful(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The style's colours and strokes laid over the photograph, which stays sharp and in place: the better method."""
    coloured = blend(photo, recolour(photo, style), strength).astype(np.float64)
    return _pixels(coloured + 0.5 * strength * _strokes(style, photo.shape))


def smearing(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The same colours and strokes over a photograph that is blurred and bent: much style, little structure."""
    return careful(_bend(_blur(photo, 0.6 * strength), 1.2 * strength), style, strength)


def identity(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """Nothing at all."""
    return photo


def half_blend(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """Half of the raw photograph laid over what the baseline painted."""
    return blend(photo, smearing(photo, style, 1.0), 0.5 * strength)


def recoloured_half_blend(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The same with the recoloured photograph, which washes out less."""
    return blend(photo, blend(recolour(photo, style), smearing(photo, style, 1.0), 0.5), strength)


def recolour_only(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The style's colours and none of its strokes."""
    return blend(photo, recolour(photo, style), strength)


def blurred(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The better method out of focus."""
    return _blur(careful(photo, style, strength), 3.0 * strength)


def _strokes(style: Pixels, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The style's fine band, tiled to a shape."""
    values = style.astype(np.float64)
    band = values - gaussian_filter(values, (3, 3, 0))
    repeats = (-(-shape[0] // band.shape[0]), -(-shape[1] // band.shape[1]), 1)
    return np.tile(band, repeats)[: shape[0], : shape[1]]


def _blur(photo: Pixels, sigma: float) -> Pixels:
    return _pixels(gaussian_filter(photo.astype(np.float64), (sigma, sigma, 0)))


def _bend(photo: Pixels, reach_px: float) -> Pixels:
    rows, columns = np.mgrid[0 : photo.shape[0], 0 : photo.shape[1]].astype(np.float64)
    places = [rows + reach_px * np.sin(columns / 5), columns + reach_px * np.cos(rows / 6)]
    planes = [map_coordinates(photo[:, :, c].astype(np.float64), places, order=1, mode="nearest") for c in range(3)]
    return _pixels(np.stack(planes, axis=2))


def _pixels(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
