"""From phases to one verdict about the run."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from loadtests.figures import share
from loadtests.records import IDLE, Record, Run, Window
from loadtests.rules import Outcome, PhaseVerdict, Rule, at_most, judge_phase
from loadtests.slo import Phase, Promise, Recovery, Shape, Slo

SCHEMA = "pentimento-load-verdict/1"
EXIT_CODES: dict[Outcome, int] = {"passed": 0, "failed": 3, "could_not_run": 4, "inconclusive": 5}
_MOST_PROBLEMS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Breakpoint:
    """Where a rising rate broke a promise. None: no rate was held; nothing broke."""

    holds_per_s: float | None
    breaks_per_s: float | None
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The result of one run.

    Args:
        rules: those of the whole run; the phases have their own.
        recovery_s: how long after the phase that `recovery.after` names the promises broke for the last time.
    """

    outcome: Outcome
    reason: str
    run: Run | None = None
    phases: list[PhaseVerdict] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    breakpoint: Breakpoint | None = None
    recovery_s: float | None = None
    requests: int = 0
    unanswered: int = 0
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 passed, 3 failed, 4 could not run, 5 inconclusive."""
        return EXIT_CODES[self.outcome]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"schema": SCHEMA, "exit_code": self.exit_code, **asdict(self)}


def judge(run: Run, records: Sequence[Record], slo: Slo, shape: Shape, *, lost_workers: int = 0) -> Verdict:
    """Hold the records of a whole run against the promises.

    Args:
        records: of every process and phase.
        lost_workers: how many processes went away before they had told what they saw.
    """
    judged = [phase_of(window, records, slo, shape) for window in run.phases]
    verdict = _of_phases(judged, records, shape, slo) if shape.rise is None else _of_rise(judged, shape)
    wrong_first = [record for record in records if record.phase == IDLE and (record.is_wrong or record.was_shed)]
    if wrong_first:
        why = wrong_first[0].problem or f"status {wrong_first[0].status}"
        verdict = replace(verdict, outcome="failed", reason=f"idle: {wrong_first[0].name}: {why}")
    if lost_workers and verdict.outcome != "failed":
        reason = f"{lost_workers} of {run.workers} workers were lost, and with them what they saw; run it again"
        verdict = replace(verdict, outcome="inconclusive", reason=reason)
    return replace(
        verdict,
        run=run,
        requests=len(records),
        unanswered=sum(record.status == 0 for record in records),
        problems=problems(records),
    )


def phase_of(window: Window, records: Sequence[Record], slo: Slo, shape: Shape) -> PhaseVerdict:
    """One phase's own verdict. Promises about endpoints that nobody was to ask are not held against it."""
    asked = {record.endpoint for record in records}
    promises = {name: promise for name, promise in _promises(window, slo, shape).items() if name in asked}
    return judge_phase(window, [record for record in records if record.phase == window.name], promises, slo.generator)


def problems(records: Sequence[Record]) -> dict[str, int]:
    """What went wrong how often, the most frequent first."""
    counted = Counter(f"{record.name}: {record.problem or 'no answer'}" for record in records if record.is_wrong)
    return dict(counted.most_common(_MOST_PROBLEMS))


def recovered_after_s(records: Sequence[Record], window: Window, promise: Promise) -> float | None:
    """Seconds from the window's start until the last time that what followed would have broken the promise.

    Args:
        records: of one endpoint in the window, the one after the spike.

    Returns:
        0.0 where it held at once; None where it had not recovered when the window ended, or nobody asked.
    """
    ordered = sorted(records, key=lambda record: record.intended_s)
    for index in range(len(ordered)):
        if _holds(ordered[index:], promise):
            return max(0.0, ordered[index - 1].intended_s - window.starts_s) if index else 0.0
    return None


def _holds(records: Sequence[Record], promise: Promise) -> bool:
    if (share(record.is_wrong for record in records) or 0.0) > promise.max_error_share:
        return False
    if (share(record.was_shed for record in records) or 0.0) > promise.max_shed_share:
        return False
    accepted = [record.latency_ms for record in records if not record.was_shed]
    limits = ((0.5, promise.p50_ms), (0.95, promise.p95_ms), (0.99, promise.p99_ms))
    late_allowed = ((limit, math.floor((1 - at) * len(accepted) + 1e-9)) for at, limit in limits if limit is not None)
    return bool(accepted) and all(sum(v > limit for v in accepted) <= allowed for limit, allowed in late_allowed)


def _of_phases(judged: list[PhaseVerdict], records: Sequence[Record], shape: Shape, slo: Slo) -> Verdict:
    outcome, reason = _worst(judged)
    if shape.recovery is None:
        return Verdict(outcome=outcome, reason=reason, phases=judged)
    rule, seconds = _recovery(shape.recovery, judged, records, shape, slo)
    if not rule.passed and outcome == "passed":
        outcome, reason = "failed", str(rule)
    return Verdict(outcome=outcome, reason=reason, phases=judged, rules=[rule], recovery_s=seconds)


def _recovery(
    wanted: Recovery, judged: list[PhaseVerdict], records: Sequence[Record], shape: Shape, slo: Slo
) -> tuple[Rule, float | None]:
    names = [phase.name for phase in judged]
    after = judged[names.index(wanted.after) + 1]
    window = Window(name=after.name, rate_per_s=after.rate_per_s, starts_s=after.starts_s, duration_s=after.duration_s)
    theirs = [record for record in records if record.phase == after.name and record.endpoint == wanted.endpoint]
    promise = _promises(window, slo, shape).get(wanted.endpoint, Promise())
    seconds = recovered_after_s(theirs, window, promise)
    rule = at_most(after.name, wanted.endpoint, "recovery_s", seconds, wanted.within_s, measured=bool(theirs))
    return rule, seconds


def _of_rise(judged: list[PhaseVerdict], shape: Shape) -> Verdict:
    held = [phase.rate_per_s for phase in judged if phase.outcome == "passed"]
    holds = held[-1] if held else None
    broken = next((phase for phase in judged if phase.outcome != "passed"), None)
    found = Breakpoint(
        holds_per_s=holds, breaks_per_s=broken.rate_per_s if broken else None, by=broken.reason if broken else ""
    )
    outcome, reason = _rise_outcome(broken, holds, shape.minimum_per_s)
    return Verdict(outcome=outcome, reason=reason, phases=judged, breakpoint=found)


def _rise_outcome(broken: PhaseVerdict | None, holds: float | None, minimum: float | None) -> tuple[Outcome, str]:
    """A service may become slow or refuse. It may not answer wrongly, at whatever rate."""
    if holds is None:
        return (broken.outcome, broken.reason) if broken else ("inconclusive", "no rate was tried")
    if broken is not None and broken.outcome == "inconclusive":
        return "inconclusive", f"holds {holds:.3g} per second at least; {broken.reason}"
    if broken is not None and any(rule.name == "error_share" and not rule.passed for rule in broken.rules):
        return "failed", f"breaks by wrong answers: {broken.reason}"
    if minimum is not None and holds < minimum:
        return "failed", f"holds {holds:.3g} per second, promised {minimum:g}: {broken.reason if broken else ''}"
    if broken is None:
        return "passed", f"holds {holds:.3g} per second, the most that was tried"
    return "passed", f"holds {holds:.3g} per second, breaks at {broken.rate_per_s:.3g}: {broken.reason}"


def _worst(judged: list[PhaseVerdict]) -> tuple[Outcome, str]:
    for outcome in ("failed", "inconclusive"):
        for phase in judged:
            if phase.outcome == outcome:
                return phase.outcome, phase.reason
    return ("passed", "every promise was held") if judged else ("inconclusive", "nothing was sent")


def _promises(window: Window, slo: Slo, shape: Shape) -> Mapping[str, Promise]:
    spec: Phase | None = next((phase for phase in shape.phases if phase.name == window.name), None)
    return spec.promises(slo.endpoints) if spec else slo.endpoints
