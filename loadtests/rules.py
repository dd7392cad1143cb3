"""One phase held against its promises: pure functions over records. No answer, no numbers, no pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.figures import Figures, figures, share
from loadtests.records import Record, Window
from loadtests.slo import Generator, Promise

Outcome = Literal["passed", "failed", "could_not_run", "inconclusive"]
GENERATOR = "generator"
_WRONG = ("error_share", "shed_share")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One promise held against the numbers.

    Args:
        value: None where it was not measured, or where what was measured never came; then it did not pass.
        measured: tells those two apart.
    """

    phase: str
    endpoint: str
    name: str
    value: float | None
    needed: str
    passed: bool
    measured: bool = True

    @property
    def shown(self) -> str:
        """The value for people."""
        if self.value is not None:
            return f"{self.value:.3g}" if abs(self.value) < 1000 else f"{self.value:.0f}"
        return "never" if self.measured else "not measured"

    def __str__(self) -> str:
        value = self.shown
        return f"{self.phase}: {self.endpoint} {self.name} {value}, promised {self.needed}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseVerdict:
    """The result of one phase.

    Args:
        sent_per_s: what the generator reached.
        good_per_s: right answers by intended time.
    """

    name: str
    rate_per_s: float
    sent_per_s: float
    good_per_s: float
    starts_s: float
    duration_s: float
    outcome: Outcome
    reason: str
    rules: list[Rule]
    endpoints: dict[str, Figures]


def judge_phase(
    window: Window, records: Sequence[Record], promises: dict[str, Promise], generator: Generator
) -> PhaseVerdict:
    """Hold one phase's records against its promises.

    Wrong or missing answers fail, whatever else; then a generator that was not on time, or too few requests, leave the
    verdict open; then the latencies decide.

    Args:
        records: of this phase only.
        promises: by endpoint, of the endpoints that were to be asked.
    """
    rules: list[Rule] = []
    numbers: dict[str, Figures] = {}
    for endpoint in dict.fromkeys([*promises, *sorted({record.endpoint for record in records})]):
        theirs = [record for record in records if record.endpoint == endpoint]
        settled = [record for record in theirs if record.intended_s >= window.starts_s + window.settle_s]
        numbers[endpoint] = figures(settled)
        wrong = share(record.is_wrong for record in theirs)  # also while it settles
        # Without a promise about speed, still none of the answers may be wrong.
        rules += _rules(window.name, endpoint, promises.get(endpoint, Promise()), numbers[endpoint], wrong)
    on_time = share(record.lag_ms <= generator.max_lag_ms for record in records)
    rules.append(_at_least(window.name, GENERATOR, "on_time_share", on_time, generator.minimum_on_time_share))
    outcome, reason = _outcome(rules)
    asked = [record for record in records if not record.follows]
    good = sum(not record.is_wrong and not record.was_shed for record in asked)
    return PhaseVerdict(
        name=window.name,
        rate_per_s=window.rate_per_s,
        sent_per_s=sum(record.sent_s is not None for record in asked) / window.duration_s,
        good_per_s=good / window.duration_s,
        starts_s=window.starts_s,
        duration_s=window.duration_s,
        outcome=outcome,
        reason=reason,
        rules=rules,
        endpoints=numbers,
    )


def at_most(phase: str, endpoint: str, name: str, value: float | None, limit: float, *, measured: bool) -> Rule:
    """A rule that a value keeps by not passing the limit."""
    passed = value is not None and value <= limit
    return Rule(phase=phase, endpoint=endpoint, name=name, value=value, needed=f"<= {limit:g}", passed=passed,
                measured=measured)  # fmt: skip


def _at_least(phase: str, endpoint: str, name: str, value: float | None, limit: float) -> Rule:
    passed = value is not None and value >= limit
    return Rule(phase=phase, endpoint=endpoint, name=name, value=value, needed=f">= {limit:g}", passed=passed,
                measured=value is not None)  # fmt: skip


def _rules(phase: str, endpoint: str, promise: Promise, seen: Figures, wrong: float | None) -> list[Rule]:
    asked = seen.requests > 0
    rules = [
        _at_least(phase, endpoint, "requests", seen.requests, promise.minimum_requests),
        at_most(phase, endpoint, "error_share", wrong, promise.max_error_share, measured=wrong is not None),
        at_most(phase, endpoint, "shed_share", seen.shed_share, promise.max_shed_share, measured=asked),
    ]
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        limit, value = getattr(promise, name), getattr(seen.accepted, name)
        if limit is not None:
            rules.append(at_most(phase, endpoint, name, value, limit, measured=seen.accepted.count > 0))
        limit, value = getattr(promise, f"refused_{name}"), getattr(seen.refused, name)
        if limit is not None and seen.refused.count:  # nobody refused, nobody refused slowly
            rules.append(at_most(phase, endpoint, f"refused_{name}", value, limit, measured=True))
    return rules


def _outcome(rules: list[Rule]) -> tuple[Outcome, str]:
    failed = [rule for rule in rules if not rule.passed]
    wrong = [rule for rule in failed if rule.name in _WRONG and rule.measured]
    if wrong:
        return "failed", str(wrong[0])
    late = [rule for rule in failed if rule.endpoint == GENERATOR]
    if late:
        share_sent = f"{late[0].value:.0%}" if late[0].value is not None else "none"
        return (
            "inconclusive",
            f"{late[0].phase}: the generator sent {share_sent} of the requests on time; lower the rate",
        )
    few = [rule for rule in failed if rule.name == "requests" or not rule.measured]
    if few:
        what = f"{few[0].phase}: {few[0].endpoint}: too few requests to judge {few[0].name}"
        return "inconclusive", f"{what}; raise duration_s or rate_per_s"
    if failed:
        return "failed", str(failed[0])
    return "passed", "every promise was held"
