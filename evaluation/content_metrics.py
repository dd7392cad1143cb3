"""How much of the photograph is still there: each metric a small function from two images to scores.

Images are (N, 3, H, W) float32, -1..1. The reference may be (1, 3, H, W): it is then compared with each of the N.
Letters: N batch, H height, W width.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

MS_SSIM_SIDE_PX = 161  # four halvings of an 11x11 window: pytorch-msssim refuses sides of 160 and less
CANNY_SIGMA_PX = 1.5
TOLERANCE = 0.0075  # of the diagonal: how far an edge may move and still be the same edge (BSDS500's own number)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601

HOW = {
    "ssim": "pytorch-msssim ssim: RGB, 11x11 Gaussian window of sigma 1.5, valid borders, data range 1 (0..1)",
    "ms_ssim": "pytorch-msssim ms_ssim: RGB, five scales, data range 1; only where both sides exceed 160 px",
    "edge_ssim": "SSIM (as above, one channel) of the Sobel magnitude of the luma",
    "edge_f1": "F1 of Canny edges (scikit-image, sigma 1.5), matched within 0.75 % of the diagonal",
}


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004): (N,), 1 is identical."""
    from pytorch_msssim import ssim as ssim_of

    return ssim_of(_unit(image), _unit(reference.expand_as(image)), data_range=1.0, size_average=False)


def ms_ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Multi-scale SSIM (Wang et al. 2003): (N,), 1 is identical; NaN where a side is below 161 px."""
    from pytorch_msssim import ms_ssim as ms_ssim_of

    if min(image.shape[2:]) < MS_SSIM_SIDE_PX:
        return image.new_full((image.shape[0],), float("nan"))
    return ms_ssim_of(_unit(image), _unit(reference.expand_as(image)), data_range=1.0, size_average=False)


def edge_ssim(image: Tensor, reference: Tensor) -> Tensor:
    """SSIM of the two edge maps: (N,). It asks where edges are and how strong, and forgives any change of colour."""
    from pytorch_msssim import ssim as ssim_of

    edges = sobel_magnitude(reference).expand(image.shape[0], -1, -1, -1)
    return ssim_of(sobel_magnitude(image), edges, data_range=1.0, size_average=False)


def edge_f1(image: Tensor, reference: Tensor) -> Tensor:
    """How many outlines are kept, and how many invented: (N,), 1 is all and none."""
    from scipy.ndimage import distance_transform_edt

    reach = edge_reach_px(*image.shape[2:])
    kept = canny_edges(reference)[0]
    distance_to_kept = distance_transform_edt(~kept) if kept.any() else np.full(kept.shape, np.inf)
    scores = [_f1(found, kept, distance_to_kept, reach) for found in canny_edges(image)]
    return torch.tensor(scores, dtype=torch.float32)


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


def _f1(
    found: NDArray[np.bool_], kept: NDArray[np.bool_], distance_to_kept: NDArray[np.float64], reach: float
) -> float:
    from scipy.ndimage import distance_transform_edt

    if not found.any() and not kept.any():
        return 1.0
    if not found.any() or not kept.any():
        return 0.0
    precision = float((distance_to_kept[found] <= reach).mean())
    recall = float((distance_transform_edt(~found)[kept] <= reach).mean())
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def _unit(image: Tensor) -> Tensor:
    """-1..1 to 0..1: SSIM's constants belong to a range that starts at black."""
    return (image + 1.0) / 2.0
