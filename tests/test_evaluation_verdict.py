"""Holm's correction and the intervals behind it, against their laws and a second implementation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.estimates import Resamples
from evaluation.verdict_claims import Claim, decide_claims
from evaluation.verdict_levels import step_down
from evaluation.verdict_numbers import Mean, VoteShare

chances = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_s_own_example_steps_down_and_stops():
    steps = step_down([0.01, 0.04, 0.03, 0.005], 0.05)
    assert [step.is_claimed for step in steps] == [True, False, False, True]
    assert [step.level for step in steps] == pytest.approx([0.05 / 3, 0.025, 0.025, 0.0125])


@given(chances)
def test_a_correction_claims_no_more_than_each_alone_and_no_less_than_bonferroni(values):
    steps = step_down(values, 0.05)
    for value, step in zip(values, steps, strict=True):
        assert not step.is_claimed or value <= 0.05
        assert step.is_claimed or value > 0.05 / len(values)


@given(chances)
def test_whatever_was_tested_is_claimed_exactly_where_its_chance_is_at_most_its_level(values):
    for value, step in zip(values, step_down(values, 0.05), strict=True):
        assert step.is_claimed == (value <= step.level)


@given(st.floats(-1, 1), st.floats(0.001, 0.5), st.integers(3, 40), st.floats(-1, 1), st.floats(0.001, 0.1))
def test_the_interval_of_a_mean_and_its_p_value_say_the_same(value, error, photographs, bound, tail):
    mean = Mean(value, error, photographs)
    low, high = mean.interval(tail)
    assert (mean.chance_below(bound) <= tail) == (low >= bound) or math.isclose(low, bound, abs_tol=1e-6)
    assert (mean.chance_above(bound) <= tail) == (high <= bound) or math.isclose(high, bound, abs_tol=1e-6)
    passing = mean.passing_value(bound, 1, tail)
    assert Mean(passing, error, photographs).interval(tail)[0] == pytest.approx(bound)


@pytest.mark.parametrize(("won", "votes"), [(0, 10), (3, 10), (50, 100), (10, 10)])
def test_wilson_agrees_with_scipy(won, votes):
    expected = stats.binomtest(won, votes).proportion_ci(0.95, method="wilson")
    assert VoteShare(won, votes).interval(0.025) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.1, 0.9))
def test_the_interval_of_a_vote_and_its_p_value_say_the_same(won, votes, bound):
    share = VoteShare(min(won, votes), votes)
    low, _ = share.interval(0.025)
    assert (share.chance_below(bound) <= 0.025) == (low >= bound) or math.isclose(low, bound, abs_tol=1e-6)


def test_the_interval_of_a_mean_of_photographs_agrees_with_student():
    values = np.random.default_rng(0).normal(0.5, 0.1, 12)
    estimated = Resamples.draw(np.arange(12), resamples=20_000, seed=0).mean(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (estimated.low, estimated.high) == pytest.approx((expected.low, expected.high), abs=0.002)


def test_without_a_number_nothing_is_claimed():
    claims = [
        Claim(name="a", subject="a", number=None, bound=0, sign=1),
        Claim(name="b", subject="b", number=Mean(1.0, math.nan, 8), bound=0, sign=1),
        Claim(name="c", subject="c", number=Mean(1.0, 0.1, 2), bound=0, sign=1),
        Claim(name="d", subject="d", number=VoteShare(0, 0), bound=0.5, sign=1),
    ]
    assert [check.outcome for check in decide_claims(claims, 0.95)] == ["unmeasured", *["undecided"] * 3]
    assert not any(check.result.passed for check in decide_claims(claims, 0.95))


def test_twenty_true_rules_rarely_fail_by_chance_where_uncorrected_ones_often_do():
    generator = np.random.default_rng(1)
    corrected = alone = 0
    for _ in range(200):
        means = [Mean(float(generator.normal(0, 0.01)), 0.01, 1000) for _ in range(20)]
        claims = [Claim(name=str(i), subject="", number=mean, bound=0.0, sign=1) for i, mean in enumerate(means)]
        corrected += any(check.outcome == "fails" for check in decide_claims(claims, 0.95))
        alone += any(mean.chance_above(0.0) <= 0.025 for mean in means)
    assert corrected <= 10
    assert alone >= 50
