"""Reading sweeps at equal style, and intervals that are as wide as the photographs make them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.estimates import Resamples
from evaluation.scores import ALL, EQUAL_STYLE, FULL_STRENGTH
from evaluation.summary import Task, compare, make_task, mean_curve, slice_masks, strength_at, tune
from evaluation.sweeps import Sweep, area_between, meet_at_equal_style, position_of_style, read_at

STRENGTHS = (0.0, 0.5, 1.0)


def sweep(left: list[list[float]], ssim: list[list[float]]) -> Sweep:
    values = np.array(ssim)
    return Sweep({"style_left": np.array(left), "ssim": values, "edge_ssim": values})


def task(levels: list[float], photographs: list[int] | None = None) -> Task:
    count = len(levels)
    return Task(
        photograph_of=np.array(photographs or range(count)),
        slices={ALL: np.ones(count, dtype=bool)},
        levels=np.array(levels),
        comparable=np.ones(count, dtype=bool),
        resamples=200,
        seed=0,
    )


def test_a_level_is_read_between_the_two_strengths_around_it():
    positions = position_of_style(np.array([[1.0, 0.8, 0.4]]), np.array([0.6]))
    assert positions.tolist() == [1.5]
    assert read_at(np.array([[1.0, 0.9, 0.5]]), positions).tolist() == pytest.approx([0.7])


def test_the_weakest_strength_that_reaches_the_style_counts_where_the_curve_turns_back():
    assert position_of_style(np.array([[1.0, 0.5, 0.7]]), np.array([0.75])).tolist() == [0.5]


def test_a_level_that_is_never_reached_has_no_position():
    assert np.isnan(position_of_style(np.array([[1.0, 0.9, 0.8]]), np.array([0.5]))).all()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_nan_anywhere_in_the_style_curve_has_no_position(place):
    row = np.array([[1.0, 0.8, 0.4]])
    row[0, place] = np.nan
    assert np.isnan(position_of_style(row, np.array([0.6]))).all()


@given(st.lists(st.floats(0.05, 1.0), min_size=3, max_size=6), st.floats(0.1, 1.0))
def test_what_is_read_lies_between_the_extremes_of_the_curve(row, level):
    values = np.array([[1.0, *row]])
    position = position_of_style(values, np.array([level]))
    read = read_at(values, position)[0]
    if np.isnan(position[0]):
        assert values.min() > level
    else:
        assert read == pytest.approx(min(level, 1.0), abs=1e-9) or position[0] == 0


def test_a_method_that_is_too_weak_is_met_at_its_own_strongest_style_and_remembered():
    weak = sweep([[1.0, 0.9, 0.8]], [[1.0, 0.99, 0.98]])
    strong = sweep([[1.0, 0.6, 0.2]], [[1.0, 0.8, 0.5]])
    meeting = meet_at_equal_style(weak, strong, np.array([0.4]))
    assert meeting.candidate.tolist() == [2.0]
    assert meeting.reference.tolist() == pytest.approx([0.5])
    assert not meeting.candidate_reaches[0]
    assert meeting.reference_reaches[0]


def test_the_identity_wins_no_pair_although_it_keeps_everything():
    nothing = sweep([[1.0, 1.0, 1.0]] * 3, [[1.0, 1.0, 1.0]] * 3)
    adain = sweep([[1.0, 0.6, 0.2]] * 3, [[1.0, 0.8, 0.5]] * 3)
    table = compare(nothing, adain, task([0.4] * 3))[EQUAL_STYLE][ALL]
    assert table["ssim"].wins.value == 0.0
    assert table["reach"].candidate.value == 0.0
    assert table["ssim"].difference.value == pytest.approx(0.0)


def test_a_method_against_itself_wins_nothing_and_differs_by_nothing():
    one = sweep([[1.0, 0.6, 0.2]] * 4, [[1.0, 0.8, 0.5]] * 4)
    table = compare(one, one, task([0.4] * 4))[EQUAL_STYLE][ALL]
    assert table["ssim"].wins.value == 0.0
    assert (table["ssim"].difference.low, table["ssim"].difference.high) == (0.0, 0.0)
    assert table["ssim"].ratio.value == pytest.approx(1.0)


def test_a_nan_score_makes_the_mean_and_the_wins_nan_and_is_not_left_out():
    good = sweep([[1.0, 0.6, 0.2]] * 3, [[1.0, 0.8, 0.5]] * 3)
    bad = sweep([[1.0, 0.6, 0.2]] * 3, [[1.0, 0.8, 0.5], [1.0, np.nan, np.nan], [1.0, 0.8, 0.5]])
    tables = compare(bad, good, task([0.4] * 3))
    for at in (EQUAL_STYLE, FULL_STRENGTH):
        cell = tables[at][ALL]["ssim"]
        assert np.isnan([cell.candidate.value, cell.difference.value, cell.ratio.value, cell.wins.value]).all()
        assert np.isnan([cell.difference.low, cell.difference.high]).all()


def test_adain_is_tuned_to_the_mean_ssim_that_was_asked_for():
    adain = sweep([[1.0, 0.7, 0.4]] * 2, [[1.0, 0.9, 0.5], [1.0, 0.8, 0.4]])
    tuning, positions = tune(adain, STRENGTHS, 0.78)
    assert tuning.reached
    assert tuning.mean_ssim == pytest.approx(0.78)
    assert positions[0] == positions[1]
    assert strength_at(positions[0], STRENGTHS) == pytest.approx(tuning.strength)


def test_adain_that_never_falls_so_low_is_taken_at_full_strength_and_says_so():
    tuning, _ = tune(sweep([[1.0, 0.9, 0.8]], [[1.0, 0.95, 0.9]]), STRENGTHS, 0.78)
    assert tuning.strength == 1.0
    assert not tuning.reached


def test_pairs_on_which_adain_takes_on_no_style_are_not_compared_and_nan_is():
    adain = sweep([[1.0, 1.1, 1.2], [1.0, 0.6, 0.2], [1.0, np.nan, np.nan]], [[1.0, 0.8, 0.5]] * 3)
    _, positions = tune(adain, STRENGTHS, 0.78)
    made = make_task(adain, positions, photograph_of=np.arange(3), slices={}, resamples=100, seed=0)
    assert made.comparable.tolist() == [False, True, True]


def test_the_area_between_a_curve_and_itself_is_nothing_and_a_better_curve_has_more():
    low = sweep([[1.0, 0.6, 0.2]], [[1.0, 0.8, 0.5]])
    high = sweep([[1.0, 0.6, 0.2]], [[1.0, 0.9, 0.7]])
    assert area_between(low, low, "ssim").tolist() == [0.0]
    assert area_between(high, low, "ssim")[0] > 0.05


def test_resamples_draw_whole_photographs_so_many_paintings_do_not_narrow_the_interval():
    generator = np.random.default_rng(0)
    by_photograph = generator.normal(size=10)
    few = Resamples.draw(np.arange(10), resamples=2000, seed=0).mean(by_photograph)
    many = Resamples.draw(np.repeat(np.arange(10), 50), resamples=2000, seed=0).mean(np.repeat(by_photograph, 50))
    assert (few.low, few.high) == pytest.approx((many.low, many.high))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    hits = 0
    for seed in range(200):
        found = Resamples.draw(np.arange(30), resamples=300, seed=seed).mean(generator.normal(size=30))
        hits += found.low <= 0.0 <= found.high
    assert 175 <= hits <= 199


def test_two_photographs_have_a_mean_and_no_interval():
    found = Resamples.draw(np.array([0, 0, 1]), resamples=100, seed=0).mean(np.array([1.0, 2.0, 3.0]))
    assert found.value == 2.0
    assert np.isnan([found.low, found.high]).all()


def test_no_pairs_at_all_have_no_mean():
    assert np.isnan(Resamples.draw(np.array([], dtype=np.intp), resamples=100, seed=0).mean(np.array([])).value)


def test_slices_are_made_of_what_is_known_and_nothing_else():
    masks = slice_masks([True, None, False], ["Fauvism", "Fauvism", "Cubism"])
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "building": [True, False, False],
        "other": [False, False, True],
        "movement: Cubism": [False, False, True],
        "movement: Fauvism": [True, True, False],
    }


def test_a_curve_is_the_mean_of_all_pairs_and_of_a_partial_metric_of_those_that_have_it():
    recall = np.array([[np.nan, np.nan], [1.0, 0.5], [0.8, 0.3]])
    broken = np.array([[1.0, np.nan], [1.0, 0.5], [1.0, 0.3]])
    scores = {"boundary_recall": recall, "ssim": broken, "style_left": np.ones((3, 2))}
    _, full = mean_curve(Sweep(scores), (0.0, 1.0))
    assert full.scores["boundary_recall"] == pytest.approx(0.4)
    assert np.isnan(full.scores["ssim"])  # a picture that could not be measured is not left out of a mean
