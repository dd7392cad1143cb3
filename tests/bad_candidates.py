"""Candidates that must never be promoted, each bad in one way that is known beforehand, and one good enough to pass."""

import numpy as np
from evaluation_painters import Operation, Painting, careful, smearing
from numpy.typing import NDArray

from evaluation.methods import blend
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels


class Dialled(Painting):
    """A painter whose other dials work too: texture scales the painting, fidelity lays the photograph over it."""

    def stylize(
        self, pixels: Pixels, code: StyleCode, dials: Dials | None = None, *, mask: NDArray[np.float32] | None = None
    ) -> Pixels:
        chosen = dials or Dials()
        painted = super().stylize(pixels, code, Dials(strength=chosen.strength * chosen.texture))
        return blend(painted, pixels, max(0.0, chosen.fidelity - 0.5))


def luminance_swap(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The photograph's light with the baseline's colours: every edge is kept, and no stroke is painted."""
    painted = smearing(photo, style, 1.0).astype(np.float64)
    light = np.array([0.299, 0.587, 0.114])
    swapped = painted + ((photo.astype(np.float64) - painted) @ light)[:, :, None]
    return blend(photo, np.clip(np.round(swapped), 0, 255).astype(np.uint8), strength)


def switch(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """The better method at full strength whatever the dial says."""
    return careful(photo, style, 1.0)


def broken(photo: Pixels, style: Pixels, strength: float) -> Pixels:
    """What is left of a picture when NaN becomes bytes: black."""
    return np.zeros_like(photo)


def wrecking(buildings: set[bytes]) -> Operation:
    """The better method, but whatever is on the list is bent and blurred as AdaIN does it."""

    def wrecks_buildings(photo: Pixels, style: Pixels, strength: float) -> Pixels:
        if photo.tobytes() in buildings:
            return smearing(photo, style, strength)
        return careful(photo, style, strength)

    return wrecks_buildings
