"""What one replica can do, what follows from it, and the simulation that goes with it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.capacity import CapacityError, capacity
from loadtests.manifests import load_scaling
from loadtests.records import Record, Run, Window, write_run
from loadtests.scaling import Bounds
from loadtests.simulation import Machine, agreement, simulate

ROOT = Path(__file__).resolve().parents[1]


def served(rate_per_s: float, starts_s: float, *, work_s: float, duration_s: float = 20) -> list[Record]:
    """What one server with a queue would answer to evenly spaced previews."""
    records, free_s = [], starts_s
    for number in range(int(rate_per_s * duration_s)):
        at_s = starts_s + number / rate_per_s
        free_s = max(free_s, at_s) + work_s
        name = f"{rate_per_s:g} per second"
        records.append(Record(name, "preview in waves", "stylize", at_s, sent_s=at_s, answered_s=free_s, status=200))
    return records


def measured(*rates: float, work_s: float) -> tuple[Run, list[Record]]:
    phases, records = [], []
    for number, rate in enumerate(rates):
        starts_s = number * 100.0
        phases.append(Window(name=f"{rate:g} per second", rate_per_s=rate, starts_s=starts_s, duration_s=20))
        records += served(rate, starts_s, work_s=work_s)
    run = Run(shape="breakpoint", host="h", started_at="2026-11-24T00:00:00+00:00", seed=1, phases=tuple(phases))
    return run, records


def test_the_highest_rate_that_held_is_the_capacity():
    run, records = measured(2, 4, 8, 16, work_s=0.1)
    found = capacity(run, records, slo_ms=500, demand_per_s=40)
    assert found.rate_per_s == 8
    assert [rung.held for rung in found.rungs] == [True, True, True, False]
    assert found.replicas == 7  # 40 / (8 x 0.8) = 6.25
    assert found.rungs[2].in_progress == pytest.approx(0.8)  # Little: 8 per second, each for 0.1 s
    assert found.rungs[3].answered_per_s == pytest.approx(10, rel=0.01)
    assert not found.is_lower_bound
    assert found.pixels == 256 * 192


def test_replicas_share_what_was_measured_on_several():
    run, records = measured(8, 16, work_s=0.1)
    one = capacity(run, records, slo_ms=500, demand_per_s=40)
    two = capacity(run, records, slo_ms=500, demand_per_s=40, replicas=2)
    assert two.rate_per_s == one.rate_per_s / 2
    assert two.replicas > one.replicas


@pytest.mark.parametrize("harm", [{"status": 500, "problem": "status 500"}, {"status": 429, "retry_after_s": 1.0}])
def test_one_failed_or_refused_request_is_not_held(harm):
    run, records = measured(2, 4, work_s=0.1)
    records[-1] = replace(records[-1], **harm)
    assert capacity(run, records, slo_ms=500, demand_per_s=40).rate_per_s == 2


def test_a_rate_that_held_above_one_that_did_not_does_not_count():
    run, records = measured(2, 4, 8, work_s=0.1)
    records = [replace(r, answered_s=r.sent_s + 9) if r.phase == "4 per second" else r for r in records]
    assert capacity(run, records, slo_ms=500, demand_per_s=40).rate_per_s == 2


def test_nothing_held_or_nothing_painted_is_an_error_with_its_cure():
    run, records = measured(2, work_s=3)
    with pytest.raises(CapacityError, match="begin lower"):
        capacity(run, records, slo_ms=500, demand_per_s=40)
    with pytest.raises(CapacityError, match="shape step or breakpoint"):
        capacity(replace(run, phases=()), records, slo_ms=500, demand_per_s=40)


def test_the_command_reports_replicas_targets_and_a_simulation(tmp_path):
    write_run(tmp_path / "records.jsonl", *measured(2, 4, 8, 16, work_s=0.1))
    command = [sys.executable, "-m", "loadtests", "capacity", str(tmp_path / "records.jsonl"), "--slo-ms", "500"]
    done = subprocess.run(
        [*command, "--demand", "40", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["replicas"] == 7
    assert {one["shed"] >= 0 for one in report["simulated"].values()} == {True}
    missing = subprocess.run(
        [*command[:4], str(tmp_path / "none"), "--demand", "40"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert missing.returncode == 4


MANIFEST = load_scaling()
ONE_TO_TEN = replace(MANIFEST, bounds=replace(MANIFEST.bounds, minimum=1, maximum=10))
MACHINE = Machine(work_s=0.5, pixels=100_000, start_s=20)


def evenly(per_s: float, until_s: float) -> list[float]:
    return [number / per_s for number in range(int(per_s * until_s))]


def test_too_much_for_one_becomes_enough_and_goes_again_when_it_ends():
    one = simulate(ONE_TO_TEN, MACHINE, evenly(5, 300), until_s=1200)
    wanted = [sample.wanted for sample in one.samples]
    assert wanted[0] == 1
    assert max(wanted) >= 3  # five a second of half a second each
    assert wanted[-1] == 1
    falls = [(s.at_s, before.wanted - s.wanted) for before, s in zip(one.samples, one.samples[1:], strict=False)]
    assert all(by <= 1 for _, by in falls)  # one replica a minute, says the manifest
    assert len(one.latencies_s) + one.shed == 1500


def test_nothing_to_do_is_the_fewest_replicas():
    assert {sample.wanted for sample in simulate(MANIFEST, MACHINE, [], until_s=120).samples} == {2}


@settings(max_examples=15, deadline=None)
@given(per_s=st.floats(min_value=0.2, max_value=8), most=st.integers(min_value=1, max_value=6))
def test_nobody_is_lost_and_the_bounds_hold(per_s, most):
    scaling = replace(MANIFEST, bounds=replace(MANIFEST.bounds, minimum=1, maximum=most))
    one = simulate(scaling, MACHINE, evenly(per_s, 60), until_s=400)
    assert all(1 <= sample.wanted <= most for sample in one.samples)
    assert len(one.latencies_s) + one.shed == int(per_s * 60)
    assert min(one.latencies_s, default=1) > 0.4


def test_replicas_that_share_cores_are_no_faster_together():
    bounds = Bounds(minimum=4, maximum=4)
    shared = simulate(replace(MANIFEST, bounds=bounds), replace(MACHINE, speed=1), evenly(4, 30), until_s=90)
    own = simulate(replace(MANIFEST, bounds=bounds), MACHINE, evenly(4, 30), until_s=90)
    assert sum(shared.latencies_s) > 3 * sum(own.latencies_s)


def test_agreement_is_the_share_of_equal_decisions():
    one = simulate(ONE_TO_TEN, MACHINE, evenly(5, 300), until_s=600).samples
    assert agreement(one, one) == 1
    assert agreement(one, [replace(sample, wanted=99) for sample in one]) == 0
    assert agreement(one, []) == 0
