"""The HPA's arithmetic: its laws, Kubernetes' own examples, and what our manifests say."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.manifests import ManifestError, load_scaling
from loadtests.scaling import Autoscaler, Behaviour, Bounds, Policy, Reading, wanted_by

FREE = Behaviour(stabilisation_s=0, policies=(Policy(kind="Pods", value=1000, period_s=15),))
totals = st.integers(min_value=0, max_value=10**6)
targets = st.integers(min_value=1, max_value=10**4)
counts = st.integers(min_value=1, max_value=200)


def hpa(minimum: int = 1, maximum: int = 1000, up: Behaviour = FREE, down: Behaviour = FREE) -> Autoscaler:
    return Autoscaler(Bounds(minimum=minimum, maximum=maximum, up=up, down=down))


@given(total=totals, target=targets, current=counts)
def test_the_number_is_ceil_of_current_times_metric_over_target_outside_the_tolerance(total, target, current):
    ratio = Fraction(total, current * target)
    within = abs(ratio - 1) <= Fraction(1, 10)
    assert wanted_by(Reading(total=total, target=target), current) == (
        current if within else math.ceil(current * ratio)
    )


@given(total=totals, more=totals, target=targets, current=counts)
def test_more_work_never_asks_for_fewer_replicas(total, more, target, current):
    less, much = sorted([total, more])
    fewer = wanted_by(Reading(total=less, target=target), current)
    assert fewer is not None
    assert fewer <= (wanted_by(Reading(total=much, target=target), current) or 0)


@pytest.mark.parametrize(
    ("total", "target", "current", "wanted"),
    [(400, 100, 2, 4), (100, 100, 2, 1), (219, 100, 2, 2), (221, 100, 2, 3), (0, 100, 5, 0), (110, 100, 1, 1)],
)
def test_kubernetes_own_examples(total, target, current, wanted):
    assert wanted_by(Reading(total=total, target=target), current) == wanted


@given(loads=st.lists(totals, min_size=1, max_size=40))
def test_the_number_stays_within_its_bounds_and_its_policies(loads):
    one_up = Behaviour(stabilisation_s=0, policies=(Policy(kind="Pods", value=1, period_s=15),))
    scaler, current = hpa(2, 7, up=one_up, down=one_up), 3
    for number, load in enumerate(loads):
        after = scaler.decide([Reading(total=load, target=10)], current=current, now_s=15.0 * number)
        assert 2 <= after <= 7
        assert abs(after - current) <= 1
        current = after


def test_the_trigger_that_asks_for_more_wins():
    readings = [Reading(total=30, target=10), Reading(total=50, target=10)]
    assert hpa().decide(readings, current=1, now_s=0) == 5


def test_one_silent_trigger_stops_scaling_down_but_not_up():
    silent = Reading(total=None, target=10)
    assert hpa().decide([silent, Reading(total=10, target=10)], current=4, now_s=0) == 4
    assert hpa().decide([silent, Reading(total=90, target=10)], current=4, now_s=0) == 9
    assert hpa().decide([silent], current=4, now_s=0) == 4


def test_scaling_down_waits_until_the_whole_window_agrees():
    scaler = hpa(down=replace(FREE, stabilisation_s=300))
    assert scaler.decide([Reading(total=50, target=10)], current=5, now_s=0) == 5
    for now_s in range(15, 300, 15):
        assert scaler.decide([Reading(total=5, target=10)], current=5, now_s=now_s) == 5
    assert scaler.decide([Reading(total=5, target=10)], current=5, now_s=300) == 1


def test_scaling_up_waits_for_its_window_too():
    scaler = hpa(up=replace(FREE, stabilisation_s=60))
    for now_s in (0, 15, 30, 45):
        assert scaler.decide([Reading(total=50, target=10)], current=2, now_s=now_s) == 2
    assert scaler.decide([Reading(total=50, target=10)], current=2, now_s=61) == 5


def test_policies_count_from_what_the_period_began_with():
    doubling = Behaviour(stabilisation_s=0, policies=(Policy(kind="Percent", value=100, period_s=60),))
    scaler = hpa(up=doubling)
    assert scaler.decide([Reading(total=900, target=10)], current=2, now_s=0) == 4
    assert scaler.decide([Reading(total=900, target=10)], current=4, now_s=30) == 4  # twice 2 within the minute
    assert scaler.decide([Reading(total=900, target=10)], current=4, now_s=61) == 8


@pytest.mark.parametrize(("select", "after"), [("Max", 14), ("Min", 11), ("Disabled", 10)])
def test_of_several_policies_the_selected_one_counts(select, after):
    policies = (Policy(kind="Pods", value=4, period_s=15), Policy(kind="Percent", value=10, period_s=15))
    up = Behaviour(stabilisation_s=0, policies=policies, select=select)
    assert hpa(up=up).decide([Reading(total=900, target=10)], current=10, now_s=0) == after


def test_a_number_out_of_bounds_is_brought_back_at_once():
    assert hpa(2, 4).decide([Reading(total=None, target=10)], current=9, now_s=0) == 4
    assert hpa(2, 4).decide([Reading(total=None, target=10)], current=1, now_s=0) == 2


def test_our_manifests_are_read_whole():
    scaling = load_scaling()
    assert {trigger.name for trigger in scaling.triggers} == {"queue-pixels", "in-progress"}
    assert all('job="pentimento"' in trigger.query for trigger in scaling.triggers)
    assert not any(trigger.null_is_zero for trigger in scaling.triggers)
    assert scaling.bounds.down.stabilisation_s == 300
    assert scaling.bounds.down.policies == (Policy(kind="Pods", value=1, period_s=60),)
    assert (scaling.scrape_s, scaling.before_stop_s, scaling.grace_s) == (15, 5, 40)


def test_time_lapse_shortens_every_period_and_no_process():
    real, fast = load_scaling(), load_scaling().faster(10)
    assert fast.bounds.down.stabilisation_s == real.bounds.down.stabilisation_s / 10
    assert fast.bounds.up.policies[0].period_s == real.bounds.up.policies[0].period_s / 10
    assert (fast.scrape_s, fast.sync_s) == (real.scrape_s / 10, real.sync_s / 10)
    assert (fast.before_stop_s, fast.grace_s) == (real.before_stop_s, real.grace_s)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: Deployment", "kind"),
        ("a: [", "no YAML"),
        (
            "kind: ScaledObject\nspec: {triggers: [{type: cpu, metadata: {query: q, threshold: '1'}}]}",
            "triggers.0.type",
        ),
        ("kind: ScaledObject\nspec: {triggers: []}", "triggers"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named_with_its_key(tmp_path, text, says):
    file = tmp_path / "scaledobject.yaml"
    file.write_text(text)
    with pytest.raises(ManifestError, match=says):
        load_scaling(scaled_object=file)
    with pytest.raises(ManifestError, match="cannot be read"):
        load_scaling(scaled_object=tmp_path / "none.yaml")
