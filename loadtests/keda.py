"""KEDA's part of scaling: what a trigger's answer means, what to do about silence, and going to zero and back.

After KEDA's Prometheus scaler, `pkg/fallback` and `pkg/scaling/executor`. Its HPA is `scaling.Autoscaler`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loadtests.manifests import Fallback, Scaling, Trigger
from loadtests.scaling import Autoscaler, Reading


@dataclass(frozen=True, slots=True)
class Answer:
    """What Prometheus said to one trigger's query.

    Args:
        value: None where the query found no series.
        failed: it could not be asked, or said something else than one number.
    """

    value: float | None = None
    failed: bool = False


@dataclass(slots=True)
class Keda:
    """One ScaledObject: turns answers into a number of replicas.

    Args:
        scaling: what the manifests say.
    """

    scaling: Scaling
    _hpa: Autoscaler = field(init=False)
    _failures: dict[str, int] = field(default_factory=dict)
    _active_s: float | None = None

    def __post_init__(self) -> None:
        self._hpa = Autoscaler(self.scaling.bounds)

    def decide(self, answers: Mapping[str, Answer], *, current: int, now_s: float) -> int:
        """How many replicas there shall be now.

        Args:
            answers: by the trigger's name.
            current: replicas that were asked for last, ready or not.
            now_s: on any clock that only goes forward.
        """
        values = {trigger.name: self._value(trigger, answers[trigger.name]) for trigger in self.scaling.triggers}
        readings = [self._reading(trigger, values[trigger.name], current) for trigger in self.scaling.triggers]
        if self.scaling.bounds.minimum == 0:
            return self._with_zero(values, readings, current, now_s)
        return self._hpa.decide(readings, current=current, now_s=now_s)

    def _value(self, trigger: Trigger, answer: Answer) -> float | None:
        """The number, None where there is none; how often in a row there was none is counted."""
        null = answer.value is None and not answer.failed
        value = 0.0 if null and trigger.null_is_zero else answer.value if not answer.failed else None
        self._failures[trigger.name] = self._failures.get(trigger.name, 0) + 1 if value is None else 0
        return value

    def _reading(self, trigger: Trigger, value: float | None, current: int) -> Reading:
        fallback = self.scaling.fallback
        if value is None and fallback is not None and self._failures[trigger.name] > fallback.failure_threshold:
            value = trigger.threshold * _fallback_replicas(fallback, current)
        return Reading(total=value, target=trigger.threshold)

    def _with_zero(
        self, values: Mapping[str, float | None], readings: list[Reading], current: int, now_s: float
    ) -> int:
        """Wake up at once; go to sleep when nothing was active for the whole cooldown."""
        active = any(
            value is not None and value > trigger.activation_threshold
            for trigger, value in zip(self.scaling.triggers, values.values(), strict=True)
        )
        if active or self._active_s is None:
            self._active_s = now_s
        if current == 0:
            return 1 if active else 0
        known = all(value is not None for value in values.values())
        if not active and known and now_s - self._active_s >= self.scaling.cooldown_s:
            return 0
        return max(1, self._hpa.decide(readings, current=current, now_s=now_s))


def _fallback_replicas(fallback: Fallback, current: int) -> int:
    match fallback.behaviour:
        case "static":
            return fallback.replicas
        case "currentReplicas":
            return current
        case "currentReplicasIfHigher":
            return max(current, fallback.replicas)
        case "currentReplicasIfLower":
            return min(current, fallback.replicas)
