"""Content statistics on their way through the network: measured from the picture, or held at what was given.

Every normalisation asks the ledger. A tile of a picture, or a frame of a video, is painted with the statistics of the
whole by holding them: that is what makes tiles meet without a seam. Letters: N batch, C channels, S all statistics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, cat

from stylenet.errors import CodeError
from stylenet.statistics import full_precision, mean_std


@dataclass(frozen=True, slots=True, eq=False)
class ContentStatistics:
    """What one network measured in one picture, for one style and one setting of the dials.

    Args:
        values: (S,) float32; S depends on the network.

    Raises:
        CodeError: not a finite one-dimensional float32 array.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.values.dtype != np.float32 or self.values.ndim != 1 or not np.isfinite(self.values).all():
            kind = f"{self.values.dtype}{self.values.shape}"
            raise CodeError(
                f"content statistics must be finite float32 and flat, not {kind}; measure the picture again"
            )


class Ledger:
    """Hands out the statistics that a picture is normalised with, in the order in which the network asks.

    Args:
        given: (N, S) float32 from an earlier `measured`; None measures everything.
        hold: (N, 1), 0..1: 0 uses what is measured, 1 what is given, between them a mixture.
    """

    def __init__(self, given: Tensor | None = None, hold: Tensor | None = None) -> None:
        self._given, self._hold = given, hold
        self._entries: list[Tensor] = []
        self._place = 0

    @full_precision
    def settle(self, measured: Tensor) -> Tensor:
        """(N, k) measured -> (N, k) to be used."""
        self._entries.append(measured)
        start, self._place = self._place, self._place + measured.shape[1]
        if self._given is None or self._hold is None:
            return measured
        # Not measured + hold * (given - measured): at 1 that would still hold a rounding of what was measured.
        return (1 - self._hold) * measured + self._hold * self._given[:, start : self._place]

    def mean_std(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> the mean and standard deviation to use, two (N, C, 1, 1) float32."""
        channels = features.shape[1]
        measured = cat([part.flatten(1) for part in mean_std(features)], dim=1)
        mean, std = self.settle(measured).split([channels, channels], dim=1)
        return mean[:, :, None, None], std[:, :, None, None]

    @property
    def measured(self) -> Tensor:
        """(N, S): all that was measured so far."""
        return cat(self._entries, dim=1)
