"""What the paint lies on and how the light falls on it: relief, canvas weave, paper tooth, varnish."""

import numpy as np

from samples.scene import Array, Sheet, noise
from samples.strokes import blurred


def lit(picture: Array, height: Array, *, depth: float = 1.0) -> Array:
    """Light thick paint from the upper left. `height` is a field 0..1; returns colour."""
    smooth = blurred(height, 0.0015)
    down, right = np.gradient(smooth)
    # The slope per pixel shrinks as the picture grows; this keeps the relief as strong at every size.
    slope = (down + right) * np.sqrt(height.shape[0] / 512)
    shade = np.clip(-slope * 2.0 * depth, -0.30, 0.30)[..., None]
    gleam = np.clip(-slope - 0.07, 0, 0.25)[..., None] * 1.1 * depth
    return np.asarray(picture * (1 + shade) + gleam)


def woven(picture: Array, sheet: Sheet, *, strength: float = 0.03, threads: int = 190) -> Array:
    """Show the linen through the paint."""
    across = np.sin(sheet.x * threads * 2 * np.pi)
    along = np.sin(sheet.y * threads * 2 * np.pi)
    over_under = np.where(np.sin(sheet.x * threads * np.pi) * np.sin(sheet.y * threads * np.pi) > 0, across, along)
    uneven = 0.6 + 0.4 * noise(sheet, 91, cell=0.05, octaves=2)
    return np.asarray(picture * (1 + strength * over_under * uneven)[..., None])


def tooth(sheet: Sheet, seed: int, *, grain: float = 0.006) -> Array:
    """The roughness of a paper: field, about -1..1, features `grain` wide."""
    return noise(sheet, seed, cell=grain, octaves=2, gain=0.7)


def grained(picture: Array, sheet: Sheet, seed: int, *, strength: float = 0.04, grain: float = 0.006) -> Array:
    """Show the paper through the ink."""
    return picture * (1 + strength * tooth(sheet, seed, grain=grain))[..., None]


def varnished(picture: Array, sheet: Sheet, *, strength: float = 0.18) -> Array:
    """Old varnish: a little warmer, and darker towards the corners."""
    across = (sheet.x / sheet.aspect - 0.5) ** 2
    along = (sheet.y - 0.5) ** 2
    warm = np.array([1.01, 1.0, 0.97], np.float32)
    return picture * (1 - strength * (across + along) ** 1.2 * 2)[..., None] * warm
