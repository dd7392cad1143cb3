"""Where a flow can be trusted: not where things are covered or uncovered, nor where it tears.

The two tests and their constants are those of Sundaram, Brox & Keutzer 2010, as video stylisation uses them (Ruder et
al. 2016, section 4). Letters: H height, W width.
"""

import numpy as np
from numpy.typing import NDArray

from motion.flow import Flow, warp

Mask = NDArray[np.bool_]


def consistent(forth: Flow, back: Flow) -> Mask:
    """Where going forth and back leads home again: elsewhere something was covered or uncovered.

    Args:
        forth: float32 (H, W, 2) from this frame to the other.
        back: float32 (H, W, 2) from the other frame to this one.

    Returns:
        bool (H, W): False also where the way leads out of the picture.
    """
    there = warp(back, forth)
    gap = np.square(forth + there).sum(axis=2)
    length = np.square(forth).sum(axis=2) + np.square(there).sum(axis=2)
    return (gap < 0.01 * length + 0.5) & inside(forth)


def inside(flow: Flow) -> Mask:
    """Where the flow leads to a place within the picture: bool (H, W)."""
    height, width = flow.shape[:2]
    columns = flow[:, :, 0] + np.arange(width, dtype=np.float32)
    rows = flow[:, :, 1] + np.arange(height, dtype=np.float32)[:, None]
    return (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)


def untorn(flow: Flow) -> Mask:
    """Where neighbours move together: bool (H, W), False at the borders of moving things."""
    slope = sum(np.square(np.gradient(flow[:, :, part], axis=axis)) for part in (0, 1) for axis in (0, 1))
    return slope < 0.01 * np.square(flow).sum(axis=2) + 0.002
