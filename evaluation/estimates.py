"""A number with its interval: the bootstrap, paired and clustered by photograph.

The pairs of one photograph rise and fall together, so a resample draws whole photographs, with all their pairs; and
because both sides of a comparison are drawn by the same resample, what they share cancels out
(Efron & Tibshirani 1993). The spread of the resamples is the standard error, and the interval is Student's with one
degree of freedom fewer than photographs: plain percentiles are too narrow for the dozen photographs that a judgement
has (Hesterberg 2015; benchmarks/false_alarms.py shows it).
Letters: P pairs, K photographs, B resamples.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Numbers = NDArray[np.float64]
CONFIDENCE = 0.95
LEAST_CLUSTERS = 3
"""With fewer photographs a resample has next to nothing to vary, and the interval would look certain. There is none."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """A value, its standard error and 95 % interval; NaN where it could not be measured or no interval can be given."""

    value: float
    error: float
    low: float
    high: float


def interval_at(value: float, error: float, photographs: int, *, tail: float) -> tuple[float, float]:
    """The interval that leaves `tail` on either side; (NaN, NaN) where the error is no number.

    Args:
        error: the standard error.
        photographs: how many the error was drawn over.
        tail: 0.025 gives the 95 % interval.
    """
    if photographs < LEAST_CLUSTERS or not (math.isfinite(value) and math.isfinite(error)):
        return math.nan, math.nan
    reach = float(stdtrit(photographs - 1, 1 - tail)) * error
    return value - reach, value + reach


def chance_below(value: float, error: float, photographs: int, *, bound: float) -> float:
    """The p-value of "it is below the bound": how often the true number would be as far above as was seen, by chance.

    Small where the value is surely above `bound`; 1 where nothing can be said. Exactly at the bound without any spread
    counts as reached.
    """
    if photographs < LEAST_CLUSTERS or not (math.isfinite(value) and math.isfinite(error)):
        return 1.0
    if error < 1e-12:
        return 0.0 if value >= bound - 1e-12 else 1.0
    return float(stdtr(photographs - 1, (bound - value) / error))


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

    def share(self, values: Numbers) -> Estimated:
        """The mean of (P,) values of 0 or 1; its interval stays within 0 and 1."""
        mean = self.mean(values)
        return replace(mean, low=max(0.0, mean.low), high=min(1.0, mean.high)) if np.isfinite(mean.low) else mean

    def ratio(self, values: Numbers, reference: Numbers) -> Estimated:
        """The mean of `values` over the mean of `reference`."""
        below = _mean(reference)
        if not np.isfinite(below) or abs(below) < 1e-12:
            return Estimated(np.nan, np.nan, np.nan, np.nan)
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
            return Estimated(float(value) if np.isfinite(value) else np.nan, np.nan, np.nan, np.nan)
        small_sample = math.sqrt(self.clusters / (self.clusters - 1))  # a resample of K varies as if there were K - 1
        error = float(np.std(drawn)) * small_sample
        error = 0.0 if error < 1e-12 else error  # the last digits of equal numbers are no spread
        return Estimated(float(value), error, *interval_at(value, error, self.clusters, tail=(1 - CONFIDENCE) / 2))


def _mean(values: Numbers) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
