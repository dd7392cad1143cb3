"""What a rule is held against: a number that knows how sure it is. Two kinds: means over photographs, and votes."""

import math
from dataclasses import dataclass
from typing import Protocol

from scipy.special import ndtr, ndtri, stdtrit

from evaluation.estimates import chance_below, interval_at


class Sure(Protocol):
    """A number with its uncertainty. A `tail` is the chance left on one side: 0.025 for a 95 % interval."""

    @property
    def value(self) -> float:
        """What was measured."""

    def interval(self, tail: float) -> tuple[float, float]:
        """Low and high; NaN where there is none."""

    def chance_below(self, bound: float) -> float:
        """The p-value of "the truth is below the bound"; small where it is surely above."""

    def chance_above(self, bound: float) -> float:
        """The p-value of "the truth is above the bound"."""

    def passing_value(self, bound: float, sign: int, tail: float) -> float:
        """The value that would pass with this much uncertainty."""

    def sample_needed(self, bound: float, tail: float) -> str:
        """How much data would decide at this value, in words; empty where that cannot be said."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A bootstrapped mean, difference or ratio.

    Args:
        error: its standard error.
        photographs: how many it was drawn over.
        is_share: whether it is a share, whose interval stays within 0 and 1.
    """

    value: float
    error: float
    photographs: int
    is_share: bool = False

    def interval(self, tail: float) -> tuple[float, float]:
        """Student's, with one degree of freedom fewer than photographs."""
        low, high = interval_at(self.value, self.error, self.photographs, tail=tail)
        return (max(0.0, low), min(1.0, high)) if self.is_share and math.isfinite(low) else (low, high)

    def chance_below(self, bound: float) -> float:
        """The p-value of "the truth is below the bound"."""
        return chance_below(self.value, self.error, self.photographs, bound=bound)

    def chance_above(self, bound: float) -> float:
        """The p-value of "the truth is above the bound"."""
        return chance_below(-self.value, self.error, self.photographs, bound=-bound)

    def passing_value(self, bound: float, sign: int, tail: float) -> float:
        """The bound, and the interval's own reach beyond it."""
        return bound + sign * float(stdtrit(self.photographs - 1, 1 - tail)) * self.error

    def sample_needed(self, bound: float, tail: float) -> str:
        """An error shrinks with the root of the number of photographs."""
        reach = float(stdtrit(self.photographs - 1, 1 - tail)) * self.error
        if not math.isfinite(reach) or abs(self.value - bound) < 1e-9:
            return ""
        return f"about {math.ceil(self.photographs * (reach / (self.value - bound)) ** 2)} photographs"


@dataclass(frozen=True, slots=True)
class VoteShare:
    """A share of votes, by Wilson's score (Wilson 1927): it holds for few votes and near 0 and 1."""

    won: float
    votes: int

    @property
    def value(self) -> float:
        """The share; NaN without a vote."""
        return self.won / self.votes if self.votes else math.nan

    def interval(self, tail: float) -> tuple[float, float]:
        """Wilson's score interval."""
        if not self.votes:
            return math.nan, math.nan
        z = float(ndtri(1 - tail))
        middle = (self.value + z * z / (2 * self.votes)) / (1 + z * z / self.votes)
        spread = self.value * (1 - self.value) / self.votes + z * z / (4 * self.votes**2)
        reach = z * math.sqrt(spread) / (1 + z * z / self.votes)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def chance_below(self, bound: float) -> float:
        """The score test that the interval inverts."""
        return 1.0 if not self.votes else float(ndtr((bound - self.value) / self._spread(bound)))

    def chance_above(self, bound: float) -> float:
        """The score test that the interval inverts."""
        return 1.0 if not self.votes else float(ndtr((self.value - bound) / self._spread(bound)))

    def passing_value(self, bound: float, sign: int, tail: float) -> float:
        """The share of as many votes whose interval would end at the bound."""
        return bound + sign * float(ndtri(1 - tail)) * self._spread(bound) if self.votes else math.nan

    def sample_needed(self, bound: float, tail: float) -> str:
        """The spread shrinks with the root of the number of votes."""
        if not self.votes or abs(self.value - bound) < 1e-9:
            return ""
        reach = float(ndtri(1 - tail)) * self._spread(bound)
        return f"about {math.ceil(self.votes * (reach / (self.value - bound)) ** 2)} votes"

    def _spread(self, bound: float) -> float:
        return math.sqrt(bound * (1 - bound) / self.votes)
