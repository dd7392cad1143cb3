"""The share of a painting that is plain colour change: the best affine map from the frame's colours to the painting's.

Taken off, what remains is strokes and light, the layer that is carried from frame to frame. Outlines are in the map's
part, which is always computed from the frame itself: they cannot lag behind.
"""

import numpy as np
from numpy.typing import NDArray

ColourMap = NDArray[np.float32]
"""float32 (4, 3): RGB and 1, to RGB, all on the scale of pixels."""
_STEP_PX = 4  # every fourth pixel each way is plenty for twelve numbers
_RIDGE = 1.0  # grey levels squared per pixel: where a frame has no colours to tell, the map leaves them alone


def fit_colours(frame: NDArray[np.float32], painting: NDArray[np.float32]) -> ColourMap:
    """The map that takes the frame closest to the painting (least squares, with a ridge towards the identity).

    Args:
        frame, painting: float32 (H, W, 3), 0..255.
    """
    source = frame[::_STEP_PX, ::_STEP_PX].reshape(-1, 3).astype(np.float64)
    target = painting[::_STEP_PX, ::_STEP_PX].reshape(-1, 3).astype(np.float64)
    centre, aim = source.mean(axis=0), target.mean(axis=0)
    x, y = source - centre, target - aim
    ridge = _RIDGE * len(x) * np.eye(3)
    turn = np.linalg.solve(x.T @ x + ridge, x.T @ y + ridge)
    return np.concatenate([turn, [aim - centre @ turn]]).astype(np.float32)


def apply_colours(colours: ColourMap, frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """The frame in the map's colours: float32 (H, W, 3), not clipped."""
    return np.asarray(frame @ colours[:3] + colours[3], dtype=np.float32)
