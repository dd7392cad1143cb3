"""From records and promises to a verdict: pure functions over numbers. No answer, no numbers, no pass."""

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Literal

from loadtests.slo import Promise, Slo

Outcome = Literal["passed", "failed", "could_not_run", "inconclusive"]
EXIT_CODES: dict[Outcome, int] = {"passed": 0, "failed": 3, "could_not_run": 4, "inconclusive": 5}
_SHED = (429, 503)


@dataclass(slots=True)
class Record:
    """One request. Times are seconds on one monotonic clock.

    Args:
        name: the shot's.
        endpoint: whose promise it counts for.
        intended_s: when it should have been sent; latency counts from here.
        sent_s: when it was.
        answered_s: when the whole answer was there; None where there is none.
        status: of the answer, 0 where there is none.
        problem: what was wrong with the answer, None where it was right.
    """

    name: str
    endpoint: str
    intended_s: float
    sent_s: float | None = None
    answered_s: float | None = None
    status: int = 0
    problem: str | None = None

    @property
    def was_shed(self) -> bool:
        """Refused for load: promised apart from errors."""
        return self.status in _SHED

    @property
    def latency_ms(self) -> float:
        """From the intended start; infinite where no answer came."""
        return math.inf if self.answered_s is None or self.status == 0 else (self.answered_s - self.intended_s) * 1000

    @property
    def lag_ms(self) -> float:
        """How late the generator sent it."""
        return math.inf if self.sent_s is None else (self.sent_s - self.intended_s) * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One promise held against the numbers. `value` is None where it was not measured, and then it did not pass."""

    endpoint: str
    name: str
    value: float | None
    needed: str
    passed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The result of one run."""

    outcome: Outcome
    reason: str
    rules: list[Rule] = field(default_factory=list)
    requests: int = 0
    unanswered: int = 0
    rate_per_s: float = 0.0
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 passed, 3 failed, 4 could not run, 5 inconclusive."""
        return EXIT_CODES[self.outcome]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def judge(records: list[Record], slo: Slo, *, duration_s: float) -> Verdict:
    """Hold the records against the promises.

    Wrong or missing answers fail, whatever else; then a generator that was not on time, or too few requests, leave the
    verdict open; then the latencies decide.
    """
    rules: list[Rule] = []
    for endpoint, promise in slo.endpoints.items():
        rules += _rules(endpoint, promise, [record for record in records if record.endpoint == endpoint])
    unpromised = sorted({record.endpoint for record in records} - set(slo.endpoints))
    for endpoint in unpromised:  # no promise about speed, but still none of its answers may be wrong
        rules += _rules(endpoint, Promise(), [record for record in records if record.endpoint == endpoint])
    on_time = _share([record.lag_ms <= slo.max_lag_ms for record in records])
    outcome, reason = _outcome(rules, on_time, slo)
    unanswered = sum(1 for record in records if record.status == 0)
    problems = Counter(f"{record.name}: {record.problem or 'no answer'}" for record in records if _is_wrong(record))
    return Verdict(
        outcome=outcome,
        reason=reason,
        rules=[
            *rules,
            _rule(
                "generator",
                "on_time_share",
                on_time,
                f">= {slo.minimum_on_time_share:g}",
                on_time is not None and on_time >= slo.minimum_on_time_share,
            ),
        ],
        requests=len(records),
        unanswered=unanswered,
        rate_per_s=sum(record.sent_s is not None for record in records) / duration_s,
        problems=dict(problems.most_common(20)),
    )


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not pass (nearest rank); None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _rules(endpoint: str, promise: Promise, records: list[Record]) -> list[Rule]:
    rules = [
        _rule(
            endpoint,
            "requests",
            len(records),
            f">= {promise.minimum_requests}",
            len(records) >= promise.minimum_requests,
        )
    ]
    for name, limit, hits in (
        ("error_share", promise.max_error_share, [_is_wrong(record) and not record.was_shed for record in records]),
        ("shed_share", promise.max_shed_share, [record.was_shed for record in records]),
    ):
        share = _share(hits)
        rules.append(_rule(endpoint, name, share, f"<= {limit:g}", share is not None and share <= limit))
    accepted = [record.latency_ms for record in records if not record.was_shed]
    for name, share, limit_ms in (
        ("p50_ms", 0.50, promise.p50_ms),
        ("p95_ms", 0.95, promise.p95_ms),
        ("p99_ms", 0.99, promise.p99_ms),
    ):
        if limit_ms is not None:
            value = percentile(accepted, share)
            passed = value is not None and value <= limit_ms
            rules.append(_rule(endpoint, name, value, f"<= {limit_ms:g}", passed))
    return rules


def _outcome(rules: list[Rule], on_time: float | None, slo: Slo) -> tuple[Outcome, str]:
    failed = [rule for rule in rules if not rule.passed]
    wrong = [rule for rule in failed if rule.name in ("error_share", "shed_share") and rule.value is not None]
    if wrong:
        return "failed", f"{wrong[0].endpoint}: {wrong[0].name} {wrong[0].value:.3g}, promised {wrong[0].needed}"
    if on_time is None or on_time < slo.minimum_on_time_share:
        return "inconclusive", f"the generator sent only {on_time or 0:.0%} of the requests on time; lower --rate"
    few = [rule for rule in failed if rule.name == "requests" or rule.value is None]
    if few:
        return "inconclusive", f"{few[0].endpoint}: too few requests to judge; raise --duration-s or --rate"
    if failed:
        return "failed", f"{failed[0].endpoint}: {failed[0].name} {failed[0].value:.0f}, promised {failed[0].needed}"
    return "passed", "every promise was held"


def _rule(endpoint: str, name: str, value: float | None, needed: str, passed: bool) -> Rule:
    finite = value if value is not None and math.isfinite(value) else None
    return Rule(endpoint=endpoint, name=name, value=finite, needed=needed, passed=passed)


def _is_wrong(record: Record) -> bool:
    return record.status == 0 or record.problem is not None


def _share(hits: list[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
