"""How much of the photograph is still there: each metric a small function from two images to scores.

Images are (N, 3, H, W) float32, -1..1, or `Views` of them. The reference may be one picture: it is then compared with
each of the N.
Letters: N batch, H height, W width.
"""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from evaluation.similarity import Windows, ms_ssim_of, pyramid, ssim_of

MS_SSIM_SIDE_PX = 161  # four halvings of an 11x11 window: pytorch-msssim refuses sides of 160 and less
CANNY_SIGMA_PX = 1.5
TOLERANCE = 0.0075  # of the diagonal: how far an edge may move and still be the same edge (BSDS500's own number)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601

HOW = {
    "ssim": "SSIM as pytorch-msssim defines it: RGB, 11x11 Gaussian window of sigma 1.5, valid borders, range 0..1",
    "ms_ssim": "MS-SSIM as pytorch-msssim defines it: RGB, five scales, 0..1; only where both sides exceed 160 px",
    "edge_ssim": "SSIM (as above, one channel) of the Sobel magnitude of the luma",
    "edge_f1": "F1 of Canny edges (scikit-image, sigma 1.5), matched within 0.75 % of the diagonal",
}


class Views:
    """What the metrics look at in N pictures: each view is made when a metric first asks for it, and then kept.

    Args:
        image: (N, 3, H, W) float32, -1..1.
    """

    def __init__(self, image: Tensor) -> None:
        self.image = image
        self.features: dict[str, list[Tensor]] = {}
        """What a network saw, by its name: kept here by whoever asked it."""

    @cached_property
    def colours(self) -> Windows:
        """Of RGB."""
        return Windows.of(_unit(self.image))

    @cached_property
    def scales(self) -> list[Windows]:
        """Of RGB, halved four times."""
        return pyramid(self.colours)

    @cached_property
    def edges(self) -> Windows:
        """Of the Sobel magnitude."""
        return Windows.of(sobel_magnitude(self.image))

    @cached_property
    def outlines(self) -> NDArray[np.bool_]:
        """(N, H, W): Canny edges."""
        return canny_edges(self.image)

    @cached_property
    def near_outlines(self) -> NDArray[np.bool_]:
        """(N, H, W): within reach of a Canny edge."""
        return grow(self.outlines, edge_reach_px(*self.image.shape[2:]))


def views_of(image: Tensor | Views) -> Views:
    """The same, as views."""
    return image if isinstance(image, Views) else Views(image)


def ssim(image: Tensor | Views, reference: Tensor | Views) -> Tensor:
    """Structural similarity (Wang et al. 2004): (N,), 1 is identical."""
    return ssim_of(views_of(image).colours, views_of(reference).colours)


def ms_ssim(image: Tensor | Views, reference: Tensor | Views) -> Tensor:
    """Multi-scale SSIM (Wang et al. 2003): (N,), 1 is identical; NaN where a side is below 161 px."""
    seen = views_of(image)
    if min(seen.image.shape[2:]) < MS_SSIM_SIDE_PX:
        return seen.image.new_full((seen.image.shape[0],), float("nan"))
    return ms_ssim_of(seen.scales, views_of(reference).scales)


def edge_ssim(image: Tensor | Views, reference: Tensor | Views) -> Tensor:
    """SSIM of the two edge maps: (N,). It asks where edges are and how strong, and forgives any change of colour."""
    return ssim_of(views_of(image).edges, views_of(reference).edges)


def edge_f1(image: Tensor | Views, reference: Tensor | Views) -> Tensor:
    """How many outlines are kept, and how many invented: (N,), 1 is all and none."""
    seen, original = views_of(image), views_of(reference)
    (kept,), (near_kept,) = original.outlines, original.near_outlines
    pairs = zip(seen.outlines, seen.near_outlines, strict=True)
    return torch.tensor([_f1(found, near, kept, near_kept) for found, near in pairs], dtype=torch.float32)


def edge_reach_px(height: int, width: int) -> float:
    """How far an edge may lie from another and still be the same one, in a picture of that size."""
    return max(1.0, round(TOLERANCE * float(np.hypot(height, width))))


def luma(image: Tensor) -> Tensor:
    """(N, 3, H, W) image -> (N, 1, H, W) brightness, 0..1."""
    weights = image.new_tensor(LUMA).view(1, 3, 1, 1)
    return (_unit(image) * weights).sum(dim=1, keepdim=True)


def sobel_magnitude(image: Tensor) -> Tensor:
    """(N, 3, H, W) image -> (N, 1, H, W) edge strength; an upright black-white step is 1."""
    kernel = image.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4.0
    padded = functional.pad(luma(image), (1, 1, 1, 1), mode="replicate")
    gradients = functional.conv2d(padded, torch.stack([kernel, kernel.T]).unsqueeze(1))
    return gradients.square().sum(dim=1, keepdim=True).sqrt()


def canny_edges(image: Tensor) -> NDArray[np.bool_]:
    """(N, 3, H, W) image -> (N, H, W) one-pixel outlines."""
    from skimage.feature import canny

    return np.stack(
        [canny(plane.astype(np.float64), sigma=CANNY_SIGMA_PX) for plane in luma(image)[:, 0].cpu().numpy()]
    )


def grow(edges: NDArray[np.bool_], reach: float) -> NDArray[np.bool_]:
    """Every pixel whose distance to an edge is at most `reach` px: (N, H, W), exactly, by shifting rows and columns."""
    whole = int(reach)
    wide = [edges]  # grown to the left and right, by 0, 1, 2 ... px
    for step in range(1, whole + 1):
        wide.append(wide[-1] | _shifted(edges, step, axis=2))
    grown = wide[whole].copy()
    for step in range(1, whole + 1):
        grown |= _shifted(wide[int(np.sqrt(reach**2 - step**2))], step, axis=1)
    return grown


def _shifted(edges: NDArray[np.bool_], step: int, axis: int) -> NDArray[np.bool_]:
    """Moved by `step` px both ways along an axis, together."""
    moved = np.zeros_like(edges)
    towards, source = (np.moveaxis(each, axis, 0) for each in (moved, edges))
    towards[step:] |= source[:-step]
    towards[:-step] |= source[step:]
    return moved


def _f1(
    found: NDArray[np.bool_], near_found: NDArray[np.bool_], kept: NDArray[np.bool_], near_kept: NDArray[np.bool_]
) -> float:
    if not found.any() and not kept.any():
        return 1.0
    if not found.any() or not kept.any():
        return 0.0
    precision, recall = float(near_kept[found].mean()), float(near_found[kept].mean())
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def _unit(image: Tensor) -> Tensor:
    """-1..1 to 0..1: SSIM's constants belong to a range that starts at black."""
    return (image + 1.0) / 2.0
