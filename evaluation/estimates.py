"""A number with its 95 % interval: the bootstrap, paired and clustered by photograph.

The pairs of one photograph rise and fall together, so a resample draws whole photographs, with all their pairs; and
because both sides of a comparison are drawn by the same resample, what they share cancels out
(Efron & Tibshirani 1993).
Letters: P pairs, K photographs, B resamples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
CONFIDENCE = 0.95
LEAST_CLUSTERS = 3
"""With fewer photographs a resample has next to nothing to vary, and the interval would look certain. There is none."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """A value and its interval; NaN where it could not be measured, NaN bounds where no interval can be given."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often each photograph is drawn in each resample.

    Args:
        cluster_of: (P,) the photograph of each pair, 0..K-1.
        draws: (B, K).
    """

    cluster_of: NDArray[np.intp]
    draws: Numbers

    @staticmethod
    def draw(photograph_of: NDArray[np.intp], *, resamples: int, seed: int) -> "Resamples":
        """Draw K photographs out of K, with replacement, B times.

        Args:
            photograph_of: (P,) any label of each pair's photograph.
        """
        labels, cluster_of = np.unique(photograph_of, return_inverse=True)
        count = max(1, len(labels))
        generator = np.random.default_rng(seed)
        draws = generator.multinomial(count, np.full(count, 1.0 / count), size=resamples)
        return Resamples(cluster_of.astype(np.intp), draws.astype(np.float64))

    @property
    def clusters(self) -> int:
        """K, the photographs that were drawn from."""
        return 0 if self.cluster_of.size == 0 else int(self.cluster_of.max()) + 1

    def mean(self, values: Numbers) -> Estimated:
        """The mean of (P,) values. One NaN makes the mean NaN: a pair is never quietly left out."""
        return self._interval(_mean(values), self._means(values))

    def ratio(self, values: Numbers, reference: Numbers) -> Estimated:
        """The mean of `values` over the mean of `reference`."""
        below = _mean(reference)
        if not np.isfinite(below) or abs(below) < 1e-12:
            return Estimated(np.nan, np.nan, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = self._means(values) / self._means(reference)
        return self._interval(_mean(values) / below, drawn)

    def _means(self, values: Numbers) -> Numbers:
        """(B,) the mean over the pairs of each resample."""
        if self.clusters < LEAST_CLUSTERS:
            return np.full(len(self.draws), np.nan)
        sums = np.bincount(self.cluster_of, weights=values, minlength=self.clusters)
        counts = np.bincount(self.cluster_of, minlength=self.clusters)
        with np.errstate(invalid="ignore"):
            return (self.draws @ sums) / (self.draws @ counts)

    def _interval(self, value: float, drawn: Numbers) -> Estimated:
        if not np.isfinite(value) or not np.isfinite(drawn).all():
            return Estimated(float(value) if np.isfinite(value) else np.nan, np.nan, np.nan)
        low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return Estimated(float(value), float(low), float(high))


def _mean(values: Numbers) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
