"""From sweeps to comparisons: who is better, by how much, how surely, on which slice. Pure arithmetic, no pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.estimates import Numbers, Resamples
from evaluation.meters import HIGHER_IS_BETTER, PARTIAL_METRICS
from evaluation.scores import ALL, EQUAL_STYLE, FULL_STRENGTH, Comparison, CurvePoint, Estimate, Tuning
from evaluation.sweeps import LEAST_STYLE, Meeting, Sweep, meet_at_equal_style, position_of_mean
from evaluation.sweeps import area_between as area_of

TIE = 1e-9

Tables = dict[str, dict[str, dict[str, Comparison]]]
"""at -> slice -> metric -> comparison."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What all comparisons share.

    Args:
        photograph_of: (P,) the photograph of each pair.
        slices: (P,) masks by name; `all` first.
        levels: (P,) the share of the style's distance that tuned AdaIN leaves.
        comparable: (P,) where that is any style at all.
        measured_on: (P,) by metric, for a metric that exists for some pairs only, for example where people drew
            boundaries.
        resamples, seed: of the bootstrap.
    """

    photograph_of: NDArray[np.intp]
    slices: dict[str, NDArray[np.bool_]]
    levels: Numbers
    comparable: NDArray[np.bool_]
    resamples: int
    seed: int
    measured_on: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


def tune(adain: Sweep, strengths: tuple[float, ...], target_ssim: float) -> tuple[Tuning, Numbers]:
    """Set AdaIN's strength so that its mean SSIM is the target; the same strength for every pair.

    Returns:
        The tuning, and (P,) the position of that strength in the sweep.
    """
    mean = adain.scores["ssim"].mean(axis=0)
    position = position_of_mean(adain.scores["ssim"], target_ssim)
    positions = np.full(len(adain.scores["ssim"]), position)
    tuning = Tuning(
        target_ssim=target_ssim,
        strength=strength_at(position, strengths),
        mean_ssim=float(adain.at("ssim", positions).mean()),
        reached=bool((mean <= target_ssim + TIE).any()),
    )
    return tuning, positions


def make_task(
    adain: Sweep,
    positions: Numbers,
    *,
    photograph_of: NDArray[np.intp],
    slices: Mapping[str, NDArray[np.bool_]],
    resamples: int,
    seed: int,
) -> Task:
    """Fix the style at which everything is compared: what AdaIN leaves at its tuned strength, pair by pair."""
    levels = adain.at("style_left", positions)
    everything = {ALL: np.ones(len(levels), dtype=bool)}
    return Task(
        photograph_of=photograph_of,
        slices=everything | dict(slices),
        levels=levels,
        comparable=~(levels > LEAST_STYLE),  # a NaN stays in, so that it is seen
        resamples=resamples,
        seed=seed,
    )


def compare(candidate: Sweep, reference: Sweep, task: Task) -> Tables:
    """The candidate against one reference, at equal style and at full strength, on every slice."""
    meeting = meet_at_equal_style(candidate, reference, task.levels)
    metrics = [name for name in candidate.scores if name in reference.scores]
    equal = {name: (candidate.at(name, meeting.candidate), reference.at(name, meeting.reference)) for name in metrics}
    full = {name: (candidate.full(name), reference.full(name)) for name in metrics}
    equal["reach"] = (meeting.candidate_reaches.astype(np.float64), meeting.reference_reaches.astype(np.float64))
    tables: Tables = {EQUAL_STYLE: {}, FULL_STRENGTH: {}}
    for name, mask in task.slices.items():
        tables[EQUAL_STYLE][name] = _table(equal, mask & task.comparable, task, meeting)
        tables[FULL_STRENGTH][name] = _table(full, mask, task, None)
    return tables


def _table(
    values: Mapping[str, tuple[Numbers, Numbers]], mask: NDArray[np.bool_], task: Task, meeting: Meeting | None
) -> dict[str, Comparison]:
    everywhere = _draw(mask, task)
    table = {}
    for metric, (ours, theirs) in values.items():
        wins = _wins(metric, ours, theirs, meeting)
        chosen, resamples = mask, everywhere
        if metric in task.measured_on:
            chosen = mask & task.measured_on[metric]
            resamples = _draw(chosen, task)
        table[metric] = _compared(metric, ours[chosen], theirs[chosen], wins[chosen], resamples)
    return table


def _draw(mask: NDArray[np.bool_], task: Task) -> Resamples:
    return Resamples.draw(task.photograph_of[mask], resamples=task.resamples, seed=task.seed)


def _compared(metric: str, ours: Numbers, theirs: Numbers, wins: Numbers, resamples: Resamples) -> Comparison:
    perfect = 1.0 if _is_higher_better(metric) else 0.0
    mean = resamples.share if metric == "reach" else resamples.mean
    return Comparison(
        candidate=Estimate.of(mean(ours)),
        reference=Estimate.of(mean(theirs)),
        difference=Estimate.of(resamples.mean(ours - theirs)),
        ratio=Estimate.of(resamples.ratio(ours, theirs)),
        recovered=Estimate.of(resamples.ratio(ours - theirs, perfect - theirs)),
        wins=Estimate.of(resamples.share(wins)),
        pairs=len(ours),
        photographs=resamples.clusters,
    )


def _is_higher_better(metric: str) -> bool:
    return HIGHER_IS_BETTER.get(metric, metric == "reach")


def _wins(metric: str, ours: Numbers, theirs: Numbers, meeting: Meeting | None) -> Numbers:
    """(P,) 1 where the candidate wins, 0 where it does not, NaN where that cannot be told."""
    gain = ours - theirs if _is_higher_better(metric) else theirs - ours
    wins = np.where(np.isfinite(gain), (gain > TIE).astype(np.float64), np.nan)
    if meeting is None or metric == "reach":
        return wins
    alone = meeting.candidate_reaches & ~meeting.reference_reaches
    left_behind = meeting.reference_reaches & ~meeting.candidate_reaches
    decided = np.where(alone, 1.0, np.where(left_behind, 0.0, wins))
    return np.where(np.isfinite(wins), decided, np.nan)


def areas(candidate: Sweep, adain: Sweep, metrics: list[str], task: Task) -> dict[str, Estimate]:
    """The mean gap between the two curves, over all the style that both reach; positive is the candidate above."""
    resamples = Resamples.draw(task.photograph_of, resamples=task.resamples, seed=task.seed)
    return {name: Estimate.of(resamples.mean(area_of(candidate, adain, name))) for name in metrics}


def mean_curve(sweep: Sweep, strengths: tuple[float, ...]) -> tuple[CurvePoint, ...]:
    """The mean of every metric at every strength; of a partial one, over the pairs that can have it."""
    return tuple(
        CurvePoint(
            strength=strength,
            scores={name: _mean_of(name, values[:, step]) for name, values in sorted(sweep.scores.items())},
        )
        for step, strength in enumerate(strengths)
    )


def _mean_of(metric: str, values: Numbers) -> float:
    known = values[np.isfinite(values)] if metric in PARTIAL_METRICS else values
    return float(known.mean()) if len(known) else float("nan")


def strength_at(position: float, strengths: tuple[float, ...]) -> float:
    """The strength at a position of the sweep."""
    return float(np.interp(position, np.arange(len(strengths)), strengths)) if np.isfinite(position) else float("nan")


def slice_masks(
    building: list[bool | None], movement: list[str], *, photographs_named: tuple[str, str] = ("building", "other")
) -> dict[str, NDArray[np.bool_]]:
    """Masks of the pairs by what the photograph shows and by the painting's movement; empty slices are left out.

    Args:
        building: (P) whether the photograph shows architecture, None where unknown.
        movement: (P) the painting's movement.
    """
    yes, no = photographs_named
    masks = {
        yes: np.array([flag is True for flag in building], dtype=bool),
        no: np.array([flag is False for flag in building], dtype=bool),
    }
    for name in sorted(set(movement)):
        masks[f"movement: {name}"] = np.array([each == name for each in movement], dtype=bool)
    return {name: mask for name, mask in masks.items() if mask.any()}
