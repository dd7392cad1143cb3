"""Channel statistics: the texture of a picture without its places.

Written as plain reductions in float32, because InstanceNorm is slow in TensorRT and loses most under quantisation.
Letters: N batch, C channels, H height, W width, r rank.
"""

import torch
from torch import Tensor

EPSILON = 1e-5  # added to variances: flat areas have none


def mean_std(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel.

    Args:
        features: (N, C, H, W), any range.

    Returns:
        Two (N, C, 1, 1) float32.
    """
    x = features.to(torch.float32)
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def normalise(features: Tensor) -> Tensor:
    """Each channel with mean 0 and standard deviation 1: places without texture (instance normalisation).

    Args:
        features: (N, C, H, W).

    Returns:
        (N, C, H, W) float32.
    """
    mean, std = mean_std(features)
    return (features.to(torch.float32) - mean) / std


def gram_matrix(features: Tensor) -> Tensor:
    """Which channels fire together (Gatys et al. 2016, equation 3).

    Args:
        features: (N, C, H, W), any range.

    Returns:
        (N, C, C) float32, symmetric, divided by H*W, so that it does not grow with the size of the picture.
    """
    n, c, h, w = features.shape
    flat = features.to(torch.float32).reshape(n, c, h * w)
    return flat @ flat.transpose(1, 2) / (h * w)


def upper_triangle(matrix: Tensor) -> Tensor:
    """The distinct numbers of symmetric matrices: (N, r, r) -> (N, r(r+1)/2)."""
    r = matrix.shape[-1]
    rows, columns = torch.triu_indices(r, r)
    return matrix.flatten(1)[:, (rows * r + columns).to(matrix.device)]
