"""Motion whose flow is known: what a camera does between two frames, made up. For training and tests.

Letters: H height, W width.
"""

import numpy as np
from numpy.typing import NDArray

from motion.flow import Flow


def random_motion(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    shift_px: float = 6.0,
    turn_deg: float = 3.0,
    bend_px: float = 2.0,
) -> Flow:
    """A shift, a turn, a zoom, and a smooth bend on top.

    Args:
        height, width: of the frame.
        rng: where the chance comes from.
        shift_px: up to so far along each axis.
        turn_deg: up to so much either way; the zoom is up to as much as the turn moves the same places.
        bend_px: about so far, differently in different parts of the frame.

    Returns:
        float32 (H, W, 2).
    """
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = columns - (width - 1) / 2, rows - (height - 1) / 2
    turn = np.deg2rad(rng.uniform(-turn_deg, turn_deg))
    zoom = 1 + np.deg2rad(rng.uniform(-turn_deg, turn_deg))
    cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
    shift = rng.uniform(-shift_px, shift_px, 2)
    flow = np.stack([cos * x - sin * y - x, sin * x + cos * y - y], axis=2) + shift
    bends = [_smooth(height, width, rng) for _ in range(2)]
    return (flow + bend_px * np.stack(bends, axis=2)).astype(np.float32)


def _smooth(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(H, W) of three slow waves, about -1..1."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [
        np.sin(2 * np.pi * (rng.uniform(-2, 2) * rows + rng.uniform(-2, 2) * columns + rng.uniform())) for _ in range(3)
    ]
    return np.asarray(sum(waves) / 3)
