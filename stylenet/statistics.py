"""Channel statistics: the texture of a picture without its places.

Written as plain reductions in float32, because InstanceNorm is slow in TensorRT and loses most under quantisation.
Letters: N batch, C channels, H height, W width, r rank.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")
EPSILON = 1e-5  # added to variances: flat areas have none


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function outside autocast: colours and Gram matrices lose their low bits in bfloat16's eight."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        kind = "cuda" if torch.is_autocast_enabled("cuda") else "cpu"
        if not torch.is_autocast_enabled(kind):  # nothing to leave; export must not see a context manager
            return function(*args, **kwargs)
        with torch.autocast(kind, enabled=False):
            return function(*args, **kwargs)

    return run


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


def split_statistics(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Places and texture apart: `features == normal * std + mean`.

    Args:
        features: (N, C, H, W).

    Returns:
        normal (N, C, H, W), with mean 0 and standard deviation 1 per channel; mean and std, (N, C, 1, 1); all float32.
    """
    mean, std = mean_std(features)
    return (features.to(torch.float32) - mean) / std, mean, std


def normalise(features: Tensor) -> Tensor:
    """The places alone (instance normalisation): (N, C, H, W) float32."""
    return split_statistics(features)[0]


@full_precision
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


def upper_triangle(matrix: Tensor, size: int) -> Tensor:
    """The distinct numbers of symmetric matrices: (N, size, size) -> (N, size * (size + 1) / 2)."""
    places = [row * size + column for row in range(size) for column in range(row, size)]
    return matrix.flatten(1)[:, torch.tensor(places, device=matrix.device)]
