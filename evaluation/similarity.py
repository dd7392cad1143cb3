"""SSIM and MS-SSIM of many pictures with one, where what belongs to one picture is worked out once.

The definition is pytorch-msssim's, window for window: 11x11 Gaussian of sigma 1.5, valid borders, data range 1. The
tests hold every number to that package's. It is not called here, since its depthwise convolutions and its doing the
photograph again for each picture took half of a judgement's time; the same sums of shifted planes take a fifth of that.
Letters: N batch, C channels, H height, W width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SIDE_PX, SIGMA_PX = 11, 1.5
STABILISERS = (0.01**2, 0.03**2)  # Wang et al. 2004: K1 and K2, squared, for values 0..1
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """N pictures and the statistics of every window in them.

    Args:
        planes: (N, C, H, W), 0..1.
        mean: (N, C, H - 10, W - 10).
        variance: as `mean`.
    """

    planes: Tensor
    mean: Tensor
    variance: Tensor

    @staticmethod
    def of(planes: Tensor) -> "Windows":
        """Look at (N, C, H, W), 0..1, sides of at least 11."""
        mean = window_mean(planes)
        return Windows(planes, mean, window_mean(planes * planes) - mean.square())


def ssim_of(one: Windows, other: Windows) -> Tensor:
    """Structural similarity (Wang et al. 2004): (N,), 1 is identical; either side may be one picture alone."""
    return _compare(one, other)[0].mean(dim=1)


def ms_ssim_of(one: list[Windows], other: list[Windows]) -> Tensor:
    """Multi-scale SSIM (Wang et al. 2003) of two pyramids: (N,), 1 is identical."""
    parts = [_compare(a, b) for a, b in zip(one, other, strict=True)]
    kept = [structure for _, structure in parts[:-1]] + [parts[-1][0]]
    weights = kept[0].new_tensor(SCALE_WEIGHTS).view(-1, 1, 1)
    return (torch.stack(kept).relu() ** weights).prod(dim=0).mean(dim=1)


def pyramid(finest: Windows) -> list[Windows]:
    """Five scales, each half as large as the one before; sides of at least 161."""
    scales = [finest]
    for _ in SCALE_WEIGHTS[1:]:
        planes = scales[-1].planes
        odd = [side % 2 for side in planes.shape[2:]]
        scales.append(Windows.of(functional.avg_pool2d(planes, kernel_size=2, padding=odd)))
    return scales


def window_mean(planes: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H - 10, W - 10): the Gaussian mean of each window that lies wholly inside."""
    return weigh(weigh(planes, _taps(), dim=2), _taps(), dim=3)


def weigh(planes: Tensor, taps: list[float], dim: int) -> Tensor:
    """A valid correlation along one side, as a sum of shifted planes: a tenth of what `conv2d` takes with groups."""
    length = planes.shape[dim] - len(taps) + 1
    total = planes.narrow(dim, 0, length) * taps[0]
    for start, tap in enumerate(taps[1:], start=1):
        total.add_(planes.narrow(dim, start, length), alpha=tap)
    return total


def _compare(one: Windows, other: Windows) -> tuple[Tensor, Tensor]:
    """SSIM, and its structure term alone, per picture and channel: (N, C) each."""
    light_c, structure_c = STABILISERS
    both = one.mean * other.mean
    covariance = window_mean(one.planes * other.planes) - both
    structure = (2 * covariance + structure_c) / (one.variance + other.variance + structure_c)
    light = (2 * both + light_c) / (one.mean.square() + other.mean.square() + light_c)
    return (light * structure).mean(dim=(2, 3)), structure.mean(dim=(2, 3))


def _taps() -> list[float]:
    places = torch.arange(SIDE_PX, dtype=torch.float32) - SIDE_PX // 2
    weights = torch.exp(-places.square() / (2 * SIGMA_PX**2))
    taps: list[float] = (weights / weights.sum()).tolist()
    return taps
