"""Pixels <-> image: the one place where they turn into each other.

pixels: uint8 (H, W, 3) RGB, 0..255, at the door. image: float32 (N, 3, H, W), -1..1, everywhere inside.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylenet.errors import PictureError

Pixels = NDArray[np.uint8]


def check_pixels(pixels: Pixels) -> None:
    """Raise PictureError unless `pixels` is uint8 (H, W, 3)."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise PictureError(f"expected uint8 pixels (H, W, 3), got {pixels.dtype} {pixels.shape}; see `read_picture`")


def to_image(pixels: Pixels) -> Tensor:
    """Pixels to a batch of one image.

    Args:
        pixels: uint8 (H, W, 3), RGB.

    Returns:
        (1, 3, H, W) float32, -1..1.

    Raises:
        PictureError: not uint8 (H, W, 3).
    """
    check_pixels(pixels)
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    return planes.unsqueeze(0).to(torch.float32) / 127.5 - 1.0


def to_pixels(image: Tensor) -> Pixels:
    """A batch of one image to pixels: clamped, rounded to the nearest, exactly undoing `to_image`.

    Args:
        image: (1, 3, H, W) floating point; values outside -1..1 are clamped.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        PictureError: not (1, 3, H, W).
    """
    if image.ndim != 4 or image.shape[:2] != (1, 3):
        raise PictureError(f"expected an image (1, 3, H, W), got {tuple(image.shape)}")
    levels = (image[0].detach().to(torch.float32) + 1.0).mul(127.5).round().clamp(0, 255)
    return np.ascontiguousarray(levels.to(torch.uint8).cpu().numpy().transpose(1, 2, 0))
