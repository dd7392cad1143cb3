"""The HPA's own arithmetic: from metrics to a number of replicas, with its tolerance, its windows and its policies.

After kubernetes' `pkg/controller/podautoscaler` (horizontal.go, replica_calculator.go), for metrics of the type
AverageValue, which is what KEDA hands over. Nothing here knows a clock or a cluster: times are told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

TOLERANCE = 0.1
"""`--horizontal-pod-autoscaler-tolerance`: a ratio within 1 +- this changes nothing."""
SYNC_S = 15.0
"""`--horizontal-pod-autoscaler-sync-period`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """At most so many replicas (or per cent of them) more or fewer within a period."""

    kind: Literal["Pods", "Percent"]
    value: int
    period_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """How fast one direction may go.

    Args:
        stabilisation_s: the mildest recommendation of so many seconds counts.
        policies: how far it may go; the one that allows the most counts, or the least where `select` is Min.
        select: Max, Min, or Disabled for not at all.
    """

    stabilisation_s: float
    policies: tuple[Policy, ...]
    select: Literal["Max", "Min", "Disabled"] = "Max"


UP = Behaviour(
    stabilisation_s=0,
    policies=(Policy(kind="Pods", value=4, period_s=15), Policy(kind="Percent", value=100, period_s=15)),
)
"""What Kubernetes does where `scaleUp` says nothing."""
DOWN = Behaviour(stabilisation_s=300, policies=(Policy(kind="Percent", value=100, period_s=15),))
"""What Kubernetes does where `scaleDown` says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How many replicas there may be, and how fast their number may change."""

    minimum: int
    maximum: int
    up: Behaviour = UP
    down: Behaviour = DOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One metric's sum over all replicas, and what one replica should have of it; None where it could not be read."""

    total: float | None
    target: float


def wanted_by(reading: Reading, current: int) -> int | None:
    """ceil(current * (total / current) / target), or `current` within the tolerance; None where nothing was read."""
    if reading.total is None:
        return None
    ratio = reading.total / (reading.target * current)
    if 1.0 - TOLERANCE <= ratio <= 1.0 + TOLERANCE:
        return current
    return math.ceil(reading.total / reading.target)


def wanted_by_all(readings: Sequence[Reading], current: int) -> int | None:
    """The most that any metric asks for.

    Returns:
        None where nothing may change: no metric was read, or some were not and the others would scale down.
    """
    wishes = [wanted_by(reading, current) for reading in readings]
    known = [wish for wish in wishes if wish is not None]
    if not known or (len(known) < len(wishes) and max(known) < current):
        return None
    return max(known)


@dataclass(slots=True)
class Autoscaler:
    """One HPA: remembers what it recommended and did, as far back as its windows reach.

    Args:
        bounds: of the deployment.
    """

    bounds: Bounds
    _recommended: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, readings: Sequence[Reading], *, current: int, now_s: float) -> int:
        """How many replicas there shall be now.

        Args:
            readings: of every metric.
            current: replicas that were asked for last, ready or not.
            now_s: on any clock that only goes forward.
        """
        if current == 0:
            return 0  # an HPA does not wake a deployment up: KEDA does
        within = max(self.bounds.minimum, min(self.bounds.maximum, current))
        if within != current:
            return self._changed(current, within, now_s)
        wish = wanted_by_all(readings, current)
        if wish is None:
            return current
        calm = self._stabilised(wish, current, now_s)
        return self._changed(current, self._limited(calm, current, now_s), now_s)

    def note(self, *, before: int, after: int, now_s: float) -> None:
        """Somebody else changed the number: it counts towards the policies as if we had."""
        self._changed(before, after, now_s)

    def _stabilised(self, wish: int, current: int, now_s: float) -> int:
        """Up only as far as all of the window's recommendations agree, and down only as far as they do."""
        up, down = self.bounds.up.stabilisation_s, self.bounds.down.stabilisation_s
        if not self._recommended:  # a controller that has just started must not take away what it knows nothing of
            self._recommended = [(now_s, current)]
        lowest = min([wish, *(number for at_s, number in self._recommended if at_s > now_s - up)])
        highest = max([wish, *(number for at_s, number in self._recommended if at_s > now_s - down)])
        kept = [(at_s, number) for at_s, number in self._recommended if at_s > now_s - max(up, down)]
        self._recommended = [*kept, (now_s, wish)]
        return min(max(current, lowest), highest)

    def _limited(self, calm: int, current: int, now_s: float) -> int:
        if calm > current:
            most = self._furthest(self.bounds.up, current, now_s, sign=1)
            return min(calm, max(current, most), self.bounds.maximum)
        least = self._furthest(self.bounds.down, current, now_s, sign=-1)
        return max(calm, min(current, least), self.bounds.minimum)

    def _furthest(self, behaviour: Behaviour, current: int, now_s: float, *, sign: int) -> int:
        """How far the policies of one direction (+1 up, -1 down) let the number go from what each period began with."""
        if behaviour.select == "Disabled":
            return current
        ends = []
        for policy in behaviour.policies:
            begun = current - sum(change for at_s, change in self._changes if at_s > now_s - policy.period_s)
            if policy.kind == "Pods":
                ends.append(begun + sign * policy.value)
            elif sign > 0:
                ends.append(math.ceil(begun * (100 + policy.value) / 100))
            else:
                ends.append(int(begun * (100 - policy.value) / 100))
        return max(ends) if (sign > 0) == (behaviour.select == "Max") else min(ends)

    def _changed(self, before: int, after: int, now_s: float) -> int:
        if after != before:
            policies = self.bounds.up.policies + self.bounds.down.policies
            longest_s = max((policy.period_s for policy in policies), default=0.0)
            kept = [(at_s, change) for at_s, change in self._changes if at_s > now_s - longest_s]
            self._changes = [*kept, (now_s, after - before)]
        return after
