"""Temporal metrics: a film that moves as one has nothing added, flicker has, and true flow says the same."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import DataError
from evaluation.lpips_metrics import lpips_is_available
from evaluation.temporal import found_motion, score_film, warped_lpips, warping_error
from motion.flo_files import read_flo
from motion.flow import optical_flow, warp
from motion.trust import consistent, untorn
from stylenet.images import Pixels
from tests.film_world import pan


def flickering(frames: list[Pixels], levels: float) -> list[Pixels]:
    """Noise of its own on every frame."""
    rng = np.random.default_rng(0)
    return [np.clip(frame + rng.normal(0, levels, frame.shape), 0, 255).astype(np.uint8) for frame in frames]


def test_a_film_adds_nothing_to_itself():
    frames = pan(8)
    scores = score_film(frames, frames, with_lpips=False)
    assert scores.short.added_error == scores.long.added_error == 0
    assert scores.short.own_error < 1e-4
    assert math.isnan(scores.short.lpips)


def test_flicker_shows_and_more_flicker_shows_more():
    frames = pan(8)
    added = [score_film(frames, flickering(frames, n), with_lpips=False).short.added_error for n in (2, 8, 20)]
    assert 0 < added[0] < added[1] < added[2]
    assert added[1] == pytest.approx(1.7 * (8 / 255) ** 2, rel=0.3)  # two frames' noise; warping softens one of them


def test_slow_drift_shows_at_long_range():
    frames = pan(11)
    drifting = [np.clip(frame.astype(int) + 3 * i, 0, 255).astype(np.uint8) for i, frame in enumerate(frames)]
    scores = score_film(frames, drifting, with_lpips=False)
    assert scores.long.added_error > 10 * scores.short.added_error > 0


def test_only_what_is_trusted_counts():
    here, there = pan(2, step_px=0)
    there[:, :20] = 0
    still, trust = np.zeros((*here.shape[:2], 2), np.float32), np.ones(here.shape[:2], bool)
    assert warping_error(here, there, still, trust) > 0.01
    trust[:, :20] = False
    assert warping_error(here, there, still, trust) == 0
    assert math.isnan(warping_error(here, there, still, np.zeros_like(trust)))


def test_films_that_do_not_fit_are_refused():
    frames = pan(8)
    with pytest.raises(DataError, match="8 frames and 7 paintings"):
        score_film(frames, frames[1:])
    with pytest.raises(DataError, match="over 9 frames"):
        score_film(frames, frames, long_step=9)
    with pytest.raises(DataError, match="2 sizes"):
        score_film(frames, [frame[:32] for frame in frames])


def test_found_motion_and_true_flow_give_nearly_the_same_score(assets: Path):
    folder = assets / "video" / "flyingchairs_gtflow"
    one, other = (np.asarray(Image.open(folder / f"0img{i}.ppm").convert("RGB")) for i in (0, 1))
    true = read_flo(folder / "0flow.flo")
    found, trust = found_motion(one, other)
    uncovered = consistent(true, optical_flow(other, one)) & untorn(true)
    by_truth, by_search = warping_error(one, other, true, uncovered), warping_error(one, other, found, trust)
    standing = warping_error(one, other, np.zeros_like(true), uncovered)
    assert by_truth < 0.2 * standing
    assert by_search < 0.3 * standing
    # A painting that follows the true motion adds next to nothing; one with strokes that stand still adds a lot.
    small = np.random.default_rng(0).normal(0, 25, (one.shape[0] // 8, one.shape[1] // 8, 3))
    strokes = small.repeat(8, axis=0).repeat(8, axis=1)
    moving = [np.clip(one + strokes, 0, 255), np.clip(other + warp(strokes.astype(np.float32), -true), 0, 255)]
    shower = [np.clip(one + strokes, 0, 255), np.clip(other + strokes, 0, 255)]
    added = [
        warping_error(a.astype(np.uint8), b.astype(np.uint8), true, uncovered) - by_truth for a, b in (moving, shower)
    ]
    assert added[0] < 0.5 * added[1]
    if lpips_is_available():
        seen = [warped_lpips(a.astype(np.uint8), b.astype(np.uint8), true, uncovered) for a, b in (moving, shower)]
        assert seen[0] < seen[1]
