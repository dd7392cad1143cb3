"""What a scaled run is judged by, and how it is held against the simulation."""

from dataclasses import replace

import pytest

from loadtests.autoscaled import Scaled, compare, judge_scaling, plot
from loadtests.controller import Sample
from loadtests.manifests import load_scaling
from loadtests.records import Record, Run, Window

ZERO_S = 1795478400.0  # of STARTED
STARTED = "2026-11-24T00:00:00+00:00"
RUN = Run(
    shape="ramp",
    host="h",
    started_at=STARTED,
    seed=1,
    phases=(Window(name="little", rate_per_s=1, starts_s=0, duration_s=60),),
)


def record(at_s: float, **changes: object) -> Record:
    sent = Record("little", "large picture in waves", "stylize", at_s, sent_s=at_s, answered_s=at_s + 0.2, status=200)
    return replace(sent, **changes)  # type: ignore[arg-type]


RECORDS = [record(float(number)) for number in range(60)]
SAMPLES = [
    Sample(ZERO_S + 15.0 * number, wanted, wanted, {"in-progress": 3.0, "queue-pixels": None})
    for number, wanted in enumerate([1, 2, 2, 1])
]
FINE = Scaled(samples=SAMPLES, start_seconds=[20.0, 22.0], killed=0, left=1)


def judged(scaled: Scaled = FINE, records: list[Record] = RECORDS, load_code: int = 0):
    return judge_scaling(scaled, minimum=1, run=RUN, records=records, load_code=load_code)


def test_up_and_back_without_a_failed_request_passes():
    outcome = judged()
    assert (outcome.outcome, outcome.exit_code, outcome.most_replicas) == ("passed", 0, 2)
    assert [sample.at_s for sample in outcome.samples] == [0, 15, 30, 45]
    assert outcome.p95_ms == pytest.approx(200)
    assert any("1 -> 2 -> 1" in line for line in outcome.lines())


@pytest.mark.parametrize(
    ("scaled", "records", "load_code", "exit_code", "says"),
    [
        (FINE, [*RECORDS, record(60, status=502, problem="status 502")], 3, 3, "1 requests failed"),
        (FINE, [*RECORDS, record(60, status=429, retry_after_s=1.0)], 0, 3, "1 requests failed"),
        (FINE, [*RECORDS, record(60, status=0, answered_s=None)], 3, 3, "1 requests failed"),
        (replace(FINE, samples=SAMPLES[:1]), RECORDS, 0, 3, "never more than 1"),
        (replace(FINE, left=2), RECORDS, 0, 3, "2 replicas were left"),
        (replace(FINE, killed=1), RECORDS, 0, 3, "grace period"),
        (FINE, RECORDS, 3, 3, "promises were not held"),
        (FINE, RECORDS, 5, 5, "inconclusive"),
        (FINE, RECORDS, 4, 4, "could not be sent"),
    ],
)
def test_each_check_bites(scaled, records, load_code, exit_code, says):
    outcome = judged(scaled, records, load_code)
    assert outcome.exit_code == exit_code
    assert says in outcome.reason


def test_the_simulation_of_the_same_arrivals_is_held_against_it_and_drawn():
    scaling = load_scaling()
    scaling = replace(scaling, bounds=replace(scaling.bounds, minimum=1, maximum=2))
    outcome = compare(judged(), scaling, RECORDS)
    assert outcome.agreement == pytest.approx(0.5)  # one a second of 0.2 s each never needs two
    assert "simulated" in plot(outcome, scaling)
