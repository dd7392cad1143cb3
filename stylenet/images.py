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
    return to_images(pixels[None])


def to_images(pictures: Pixels, device: torch.device | None = None) -> Tensor:
    """Pictures of one size to a batch: uint8 (N, H, W, 3) -> (N, 3, H, W) float32, -1..1, worked out on `device`."""
    levels = torch.from_numpy(np.require(pictures, requirements=["C", "W"])).to(device)
    planes = levels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    return planes.div_(127.5).sub_(1.0)


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
    return to_pictures(image)[0]


def to_pictures(images: Tensor) -> Pixels:
    """A batch to pictures, as `to_pixels` does: (N, 3, H, W) floating point -> uint8 (N, H, W, 3)."""
    levels = (images.detach().to(torch.float32) + 1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
