"""The sweep: every method's scores at every strength for every pair, and reading it "at equal style".

Full style and full structure pull apart, so two methods are compared where they have come equally near to the style.
Along a sweep we read scores at a *position*: 0 is the first strength, 1.5 is halfway between the second and the third.
Letters: P pairs, S strengths.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
LEAST_STYLE = 0.98
"""A pair is only compared where the reference leaves less than this of the photo's style distance: nearer to 1 the
photograph itself, unedited, would be the best painter."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One method's scores.

    Args:
        scores: (P, S) by metric name; `style_left` is always among them. It may read each metric from disk.
    """

    scores: Mapping[str, Numbers]

    def at(self, metric: str, positions: Numbers) -> Numbers:
        """(P,) a metric read at one position for each pair, linear between strengths."""
        return read_at(self.scores[metric], positions)

    def full(self, metric: str) -> Numbers:
        """(P,) a metric at strength 1."""
        return self.scores[metric][:, -1]

    def strongest_style(self) -> Numbers:
        """(P,) the least that the method leaves of the style's distance at any strength."""
        return self.scores["style_left"].min(axis=1)

    def pick(self, pairs: NDArray[np.bool_] | NDArray[np.intp]) -> "Sweep":
        """The same sweep for some of the pairs."""
        return Sweep({name: values[pairs] for name, values in self.scores.items()})


def read_at(values: Numbers, positions: Numbers) -> Numbers:
    """(P, S) read at (P,) positions; a NaN position, or a NaN beside it, reads NaN."""
    pairs, steps = values.shape
    known = np.isfinite(positions)
    safe = np.clip(np.where(known, positions, 0.0), 0, steps - 1)
    below = np.floor(safe).astype(np.intp)
    above = np.minimum(below + 1, steps - 1)
    share = safe - below
    rows = np.arange(pairs)
    # At a whole position the next strength has no say, not even with its NaN.
    upper = np.where(share > 0, values[rows, above], 0.0)
    read = values[rows, below] * (1 - share) + upper * share
    return np.where(known, read, np.nan)


def position_of_style(style_left: Numbers, levels: Numbers) -> Numbers:
    """The weakest strength at which each pair's sweep leaves no more than its level.

    Args:
        style_left: (P, S).
        levels: (P,).

    Returns:
        (P,) positions; NaN where the level is never reached, or where the sweep holds a NaN.
    """
    return np.array([_first_below(row, level) for row, level in zip(style_left, levels, strict=True)], dtype=np.float64)


def position_of_mean(values: Numbers, level: float) -> float:
    """The weakest strength at which the mean over all pairs falls to `level`; the last one where it never does."""
    position = _first_below(values.mean(axis=0), level)
    return float(values.shape[1] - 1) if np.isnan(position) else position


def _first_below(row: Numbers, level: float) -> float:
    if not np.isfinite(row).all() or not np.isfinite(level):
        return float("nan")
    reached = np.flatnonzero(row <= level + 1e-12)
    if reached.size == 0:
        return float("nan")
    first = int(reached[0])
    if first == 0:
        return 0.0
    before, after = row[first - 1], row[first]
    return first - 1 + float((before - level) / (before - after))


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two methods are compared, pair by pair.

    Args:
        candidate: (P,) positions in the candidate's sweep.
        reference: (P,) positions in the reference's.
        candidate_reaches: (P,) whether the candidate comes as near to the style as was asked.
        reference_reaches: (P,) whether the reference does.
    """

    candidate: Numbers
    reference: Numbers
    candidate_reaches: NDArray[np.bool_]
    reference_reaches: NDArray[np.bool_]


def meet_at_equal_style(candidate: Sweep, reference: Sweep, levels: Numbers) -> Meeting:
    """The positions at which both leave exactly as much of the style's distance.

    The asked level holds where both reach it. Where one does not, they meet at the strongest style that both reach:
    a weak method is neither given a score that it never painted nor flattered by being compared with more style than
    its own. That it did not reach is kept, and counts as a loss.

    Args:
        levels: (P,) the share left at which to compare.
    """
    common = np.maximum.reduce([levels, candidate.strongest_style(), reference.strongest_style()])
    return Meeting(
        candidate=position_of_style(candidate.scores["style_left"], common),
        reference=position_of_style(reference.scores["style_left"], common),
        candidate_reaches=candidate.strongest_style() <= levels + 1e-9,
        reference_reaches=reference.strongest_style() <= levels + 1e-9,
    )


def area_between(candidate: Sweep, reference: Sweep, metric: str, *, steps: int = 21) -> Numbers:
    """(P,) the mean of candidate minus reference over all the style that both reach, from none to the strongest."""
    strongest = np.maximum(candidate.strongest_style(), reference.strongest_style())
    weakest = np.minimum(candidate.scores["style_left"][:, 0], reference.scores["style_left"][:, 0])
    gaps = []
    for share in np.linspace(0, 1, steps):
        levels = weakest + (np.minimum(strongest, weakest) - weakest) * share
        ours = position_of_style(candidate.scores["style_left"], levels)
        theirs = position_of_style(reference.scores["style_left"], levels)
        gaps.append(candidate.at(metric, ours) - reference.at(metric, theirs))
    return np.mean(gaps, axis=0)
