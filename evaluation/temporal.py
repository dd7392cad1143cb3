"""Does a painted film hold together? What moves in the film should move in the painting, and nothing else should.

The warping error (Lai et al. 2018) brings one painted frame to the place of another along the film's own flow, and
compares, where that flow can be trusted. Flow is never perfect and light changes: the film itself, warped alike, has an
error too, and only what the painting adds to it is the painting's. Short range is from one frame to the next, where
flicker shows; long range over several frames, where drift does.
Letters: H height, W width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import DataError
from evaluation.lpips_metrics import lpips, lpips_is_available
from motion.flow import Flow, optical_flow, warp
from motion.trust import consistent, untorn
from stylenet.images import Pixels, to_image

LONG_STEP = 5
"""Frames apart at long range."""
LONG_EVERY = 3  # of the pairs at long range, to save time: they overlap
Mask = NDArray[np.bool_]
MoveOf = Callable[[Pixels, Pixels], tuple[Flow, Mask]]
"""(frame, other frame) -> the flow from the one to the other, and where to trust it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeScores:
    """At one range; smaller is steadier. NaN where LPIPS's backbone is missing.

    Args:
        error: mean squared difference of painted frames after warping, on a scale of 0..1 per channel.
        own_error: the film's own. lpips, own_lpips: the same two by LPIPS.
        pairs: how many pairs of frames these are means of.
        trusted: share of the pixels that counted.
    """

    error: float
    own_error: float
    lpips: float
    own_lpips: float
    pairs: int
    trusted: float

    @property
    def added_error(self) -> float:
        """What the painting adds to the film's own error; below 0 where it is steadier than the film."""
        return self.error - self.own_error

    @property
    def added_root_error(self) -> float:
        """The same as a difference of root mean squares: not dominated by a few large differences."""
        return float(np.sqrt(self.error) - np.sqrt(self.own_error))

    @property
    def added_lpips(self) -> float:
        """What the painting adds to the film's own perceptual difference."""
        return self.lpips - self.own_lpips

    def as_dict(self) -> dict[str, float]:
        """Everything by name."""
        return {
            "error": self.error,
            "own_error": self.own_error,
            "added_error": self.added_error,
            "added_root_error": self.added_root_error,
            "lpips": self.lpips,
            "own_lpips": self.own_lpips,
            "added_lpips": self.added_lpips,
            "pairs": self.pairs,
            "trusted": self.trusted,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class FilmScores:
    """How steady a painted film is."""

    short: RangeScores
    long: RangeScores

    def as_dict(self) -> dict[str, float]:
        """Scores by names that a gate rule can use: short_added_error, long_added_lpips, ..."""
        return {
            f"{name}_{key}": value
            for name, scores in (("short", self.short), ("long", self.long))
            for key, value in scores.as_dict().items()
        }


def found_motion(here: Pixels, there: Pixels) -> tuple[Flow, Mask]:
    """Optical flow, trusted where it leads home again and nothing tears."""
    forth, back = optical_flow(here, there), optical_flow(there, here)
    return forth, consistent(forth, back) & untorn(forth)


def score_film(
    film: Sequence[Pixels],
    paintings: Sequence[Pixels],
    *,
    long_step: int = LONG_STEP,
    move_of: MoveOf = found_motion,
    with_lpips: bool = True,
) -> FilmScores:
    """Score a painted film of one shot.

    Args:
        film, paintings: uint8 (H, W, 3) each, as many of the one as of the other, more than `long_step`.
        long_step: how many frames long range is.
        move_of: where flow comes from; optical flow by default.
        with_lpips: measure LPIPS too, where its backbone is there.

    Raises:
        DataError: films of different lengths or sizes, or too short.
    """
    _check(film, paintings, long_step)
    learned = with_lpips and lpips_is_available()
    short = [(i, i - 1) for i in range(1, len(film))]
    long = [(i, i - long_step) for i in range(long_step, len(film), LONG_EVERY)]
    return FilmScores(
        short=_score(film, paintings, short, move_of, learned), long=_score(film, paintings, long, move_of, learned)
    )


def warping_error(here: Pixels, there: Pixels, flow: Flow, trust: Mask) -> float:
    """Mean squared difference between `here` and `there` brought to it, on a scale of 0..1.

    Args:
        here, there: uint8 (H, W, 3).
        flow: float32 (H, W, 2) from `here` to `there`.
        trust: bool (H, W): what counts; NaN where nothing does.
    """
    if not trust.any():
        return float("nan")
    gap = here.astype(np.float32) - warp(there.astype(np.float32), flow)
    return float(np.square(gap[trust] / 255, dtype=np.float64).mean())


def warped_lpips(here: Pixels, there: Pixels, flow: Flow, trust: Mask) -> float:
    """LPIPS between `here` and `there` brought to it; places that do not count are the same in both.

    Raises:
        NotMeasured: its backbone is not on this machine.
    """
    moved = np.where(trust[:, :, None], warp(there, flow), here)
    return float(lpips(to_image(moved), to_image(here))[0])


def _score(
    film: Sequence[Pixels],
    paintings: Sequence[Pixels],
    pairs: Sequence[tuple[int, int]],
    move_of: MoveOf,
    learned: bool,
) -> RangeScores:
    rows = []
    for here, there in pairs:
        flow, trust = move_of(film[here], film[there])
        row = [warping_error(frames[here], frames[there], flow, trust) for frames in (paintings, film)]
        for frames in (paintings, film):
            row.append(warped_lpips(frames[here], frames[there], flow, trust) if learned else float("nan"))
        rows.append([*row, float(trust.mean())])
    error, own_error, perceived, own_perceived, trusted = np.mean(rows, axis=0).tolist()
    return RangeScores(
        error=error, own_error=own_error, lpips=perceived, own_lpips=own_perceived, pairs=len(pairs), trusted=trusted
    )


def _check(film: Sequence[Pixels], paintings: Sequence[Pixels], long_step: int) -> None:
    if len(film) != len(paintings) or len(film) <= long_step or long_step < 1:
        raise DataError(
            f"{len(film)} frames and {len(paintings)} paintings cannot be scored over {long_step} frames; "
            "give one painting for each frame, and more frames than that"
        )
    sizes = {pixels.shape for pixels in (*film, *paintings)}
    if len(sizes) > 1:
        raise DataError(f"frames and paintings have {len(sizes)} sizes; score a film of one size")
