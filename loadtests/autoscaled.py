"""What a scaled run showed: a pure judgement over its samples and records, and its picture."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from loadtests.capacity import mean_pixels
from loadtests.controller import Sample
from loadtests.figures import percentile
from loadtests.manifests import Scaling
from loadtests.plots import Line, Panel, draw
from loadtests.records import IDLE, Record, Run
from loadtests.simulation import Machine, agreement, simulate
from loadtests.verdict import EXIT_CODES

Word = Literal["passed", "failed", "could_not_run", "inconclusive"]
_SLICE_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaled:
    """What the rig did.

    Args:
        samples: one for each decision.
        start_seconds: of every replica that became ready, from its process's start.
        killed: replicas that outlived their grace period.
        left: replicas at the end.
    """

    samples: Sequence[Sample]
    start_seconds: Sequence[float]
    killed: int
    left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One run. Times of samples and slices are seconds since the load began (or since the first sample).

    Args:
        simulated: what the simulation wanted for the same arrivals; empty where somebody else sent the load.
        agreement: the share of decisions in which it wanted as many replicas.
    """

    outcome: Word
    reason: str
    most_replicas: int
    left_replicas: int
    killed: int
    start_seconds: list[float]
    requests: int
    failed: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    samples: list[Sample]
    simulated: list[Sample] = field(default_factory=list)
    agreement: float | None = None
    slices: list["Slice"] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 passed, 3 failed, 4 could not run, 5 inconclusive."""
        return EXIT_CODES[self.outcome]

    def lines(self) -> list[str]:
        """For people."""
        starts = ", ".join(f"{seconds:.1f}" for seconds in self.start_seconds)
        counts = [sample.wanted for sample in self.samples]
        path = [number for at, number in enumerate(counts) if at == 0 or number != counts[at - 1]]
        latency = (
            "" if self.p95_ms is None or self.p50_ms is None else f", p50 {self.p50_ms:.0f}, p95 {self.p95_ms:.0f} ms"
        )
        return [
            f"replicas {' -> '.join(map(str, path))}; ready after {starts or '-'} s; {self.killed} killed",
            f"{self.requests} requests, {sum(self.failed.values())} failed{latency}",
            *(f"     {count} x {problem}" for problem, count in self.failed.items()),
            *([] if self.agreement is None else [f"the simulation agrees in {self.agreement:.0%} of the decisions"]),
            f"{self.outcome}: {self.reason}",
        ]


@dataclass(frozen=True, slots=True)
class Slice:
    """Some seconds of load: requests per second intended, and the 95th percentile of their latency."""

    at_s: float
    rate_per_s: float
    p95_ms: float | None


def judge_scaling(
    scaled: Scaled, *, minimum: int, run: Run | None, records: Sequence[Record], load_code: int
) -> Outcome:
    """Whether it scaled up, came back, and lost nothing on the way.

    Args:
        minimum: the fewest replicas that there may be.
        run: None where somebody else sent the load.
        load_code: the exit code of the load's own verdict.
    """
    sent = [record for record in records if record.phase != IDLE]
    failed = Counter(_failure(record) for record in sent if record.is_wrong or record.was_shed)
    zero_s = (
        datetime.fromisoformat(run.started_at).timestamp() if run else scaled.samples[0].at_s if scaled.samples else 0
    )
    most = max((sample.wanted for sample in scaled.samples), default=0)
    outcome, reason = _outcome(scaled, minimum, most, sum(failed.values()), load_code)
    latencies = [record.latency_ms for record in sent if record.status == 200 and math.isfinite(record.latency_ms)]
    return Outcome(
        outcome=outcome,
        reason=reason,
        most_replicas=most,
        left_replicas=scaled.left,
        killed=scaled.killed,
        start_seconds=[round(seconds, 2) for seconds in scaled.start_seconds],
        requests=len(sent),
        failed=dict(failed.most_common(20)),
        p50_ms=percentile(latencies, 0.5),
        p95_ms=percentile(latencies, 0.95),
        samples=[Sample(round(s.at_s - zero_s, 2), s.wanted, s.ready, s.metrics) for s in scaled.samples],
        slices=slices(sent),
    )


def compare(outcome: Outcome, scaling: Scaling, records: Sequence[Record], *, speed: float = math.inf) -> Outcome:
    """With what the simulation makes of the same arrivals.

    Its replicas need for one painting what a painting took at the median in the first phase, when nobody waited.

    Args:
        speed: replicas that the machine lets work at full speed at a time.
    """
    paintings = [record for record in records if record.endpoint == "stylize" and record.phase != IDLE]
    alone = [
        r for r in paintings if r.phase == paintings[0].phase and r.sent_s is not None and r.answered_s is not None
    ]
    work_s = percentile([(r.answered_s or 0) - (r.sent_s or 0) for r in alone], 0.5)
    later = outcome.start_seconds[1:] or outcome.start_seconds
    if not work_s or not later:
        return outcome
    machine = Machine(work_s=work_s, pixels=mean_pixels(records), start_s=sum(later) / len(later), speed=speed)
    measured = [sample for sample in outcome.samples if sample.at_s >= 0]
    arrivals = sorted(record.intended_s for record in paintings)
    simulated = simulate(scaling, machine, arrivals, until_s=measured[-1].at_s).samples
    return replace(outcome, simulated=simulated, agreement=agreement(simulated, measured))


def slices(records: Sequence[Record], width_s: float = _SLICE_S) -> list[Slice]:
    """The load in slices of equal width, by the intended time."""
    grouped: dict[int, list[Record]] = {}
    for record in records:
        grouped.setdefault(int(record.intended_s // width_s), []).append(record)
    found = []
    for number, members in sorted(grouped.items()):
        latencies = [record.latency_ms for record in members if math.isfinite(record.latency_ms)]
        found.append(Slice(number * width_s, len(members) / width_s, percentile(latencies, 0.95)))
    return found


def plot(outcome: Outcome, scaling: Scaling) -> str:
    """Replicas, what each of them should have of every metric and has, and the load, as SVG."""
    samples, foretold = outcome.samples, [(s.at_s, s.wanted) for s in outcome.simulated]
    panels = [
        Panel(
            title="replicas",
            lines=[
                Line(label="wanted", points=[(s.at_s, s.wanted) for s in samples], stepped=True),
                Line(label="ready", points=[(s.at_s, s.ready) for s in samples], stepped=True),
                *([Line(label="simulated", points=foretold, stepped=True)] if foretold else []),
            ],
        )
    ]
    for trigger in scaling.triggers:
        decided_on = [samples[max(0, at - 1)].wanted for at in range(len(samples))]  # replicas before each decision
        each = [_each(s.metrics, trigger.name, n) for s, n in zip(samples, decided_on, strict=True)]
        points = [(s.at_s, value) for s, value in zip(samples, each, strict=True)]
        panels.append(
            Panel(
                title=f"{trigger.name} per replica",
                lines=[Line(label="measured", points=points)],
                marks=[("target", trigger.threshold)],
            )
        )
    if outcome.slices:
        rate = [(s.at_s + _SLICE_S / 2, s.rate_per_s) for s in outcome.slices]
        p95 = [(s.at_s + _SLICE_S / 2, s.p95_ms) for s in outcome.slices]
        panels.append(Panel(title="requests per second", lines=[Line(label="sent", points=rate)]))
        panels.append(Panel(title="latency, ms", lines=[Line(label="p95 of 5 s", points=p95)]))
    return draw("Autoscaling under load", panels)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Everything, for a file."""
    return asdict(outcome)


def _outcome(scaled: Scaled, minimum: int, most: int, failed: int, load_code: int) -> tuple[Word, str]:
    if load_code == EXIT_CODES["could_not_run"]:
        return "could_not_run", "the load could not be sent; see load.log"
    if failed:
        return "failed", f"{failed} requests failed"
    if scaled.killed:
        return "failed", f"{scaled.killed} replicas did not end within their grace period"
    if most <= minimum:
        return "failed", f"never more than {minimum} replicas: send more, or lower --target"
    if scaled.left != minimum:
        return "failed", f"{scaled.left} replicas were left, not {minimum}"
    if load_code == EXIT_CODES["failed"]:
        return "failed", "the load's own promises were not held; see load/verdict.json"
    if load_code == EXIT_CODES["inconclusive"]:
        return "inconclusive", "the load's own verdict is inconclusive; see load/verdict.json"
    return "passed", f"{minimum} -> {most} -> {minimum} replicas and no request failed"


def _failure(record: Record) -> str:
    if record.was_shed:
        return f"{record.name}: shed with {record.status}"
    return f"{record.name}: {record.problem or 'no answer'}"


def _each(metrics: Mapping[str, float | None], name: str, replicas: int) -> float | None:
    value = metrics.get(name)
    return None if value is None or not replicas else value / replicas
