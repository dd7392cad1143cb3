"""Optical flow between two frames, and warping along it.

A flow is float32 (H, W, 2): at every pixel of one frame the way, in pixels to the right and down, to the same thing in
another frame. Dense inverse search (Kroeger et al. 2016) needs no weights; OpenCV has it.
Letters: H height, W width.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from motion.errors import FrameMismatch

Frame = NDArray[np.uint8]
"""uint8 (H, W, 3) RGB, the same as pixels everywhere else."""
Flow = NDArray[np.float32]
Preset = Literal["fast", "medium"]
SMALLEST_SIDE_PX = 16  # DIS matches patches of 8 pixels, and needs room to search


def optical_flow(here: Frame, there: Frame, preset: Preset = "medium") -> Flow:
    """Where every pixel of `here` is found in `there`.

    Args:
        here, there: uint8 (H, W, 3), one size, sides of at least 16.
        preset: "medium" is more exact, "fast" about three times as fast.

    Returns:
        float32 (H, W, 2); the same input gives the same bytes.

    Raises:
        FrameMismatch: two sizes, or too small to search in.
    """
    import cv2

    if here.shape != there.shape or min(here.shape[:2]) < SMALLEST_SIDE_PX:
        raise FrameMismatch(
            f"optical flow needs two frames of one size with sides of at least {SMALLEST_SIDE_PX} pixels, "
            f"not {_size(here)} and {_size(there)}"
        )
    presets = {"fast": cv2.DISOPTICAL_FLOW_PRESET_FAST, "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}
    search = cv2.DISOpticalFlow_create(presets[preset])  # type: ignore[attr-defined]  # missing in OpenCV's stubs
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (here, there)]
    with _one_thread(cv2):
        return np.asarray(search.calc(*grey, None), dtype=np.float32)


def warp(picture: NDArray[Any], flow: Flow, *, sharp: bool = False) -> NDArray[Any]:
    """`there`, brought to where `here` has things.

    Args:
        picture: (H, W) or (H, W, C), uint8 or float32, of the frame that `flow` leads to.
        flow: float32 (H, W, 2) from `here` to the picture's frame.
        sharp: bicubic, for pictures that are warped again and again; else bilinear, which stays within their range.

    Returns:
        The same kind of array; beyond the border lies the border's own value.

    Raises:
        FrameMismatch: picture and flow have different sizes.
    """
    import cv2

    if picture.shape[:2] != flow.shape[:2] or flow.shape[2:] != (2,):
        raise FrameMismatch(f"a flow of {_size(flow)} does not fit a picture of {_size(picture)}")
    height, width = flow.shape[:2]
    columns = flow[:, :, 0] + np.arange(width, dtype=np.float32)
    rows = flow[:, :, 1] + np.arange(height, dtype=np.float32)[:, None]
    kernel = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(picture, columns, rows, kernel, borderMode=cv2.BORDER_REPLICATE))


@contextmanager
def _one_thread(cv2: Any) -> Iterator[None]:
    """DIS searches in one stripe of the frame per thread: the flow would depend on the number of cores."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _size(array: NDArray[Any]) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"
