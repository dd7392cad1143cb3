"""From measured numbers to the report: everything that follows once every pair has been scored."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.dials import probe_dials
from evaluation.measuring import Instruments
from evaluation.meters import CONTENT_METRICS, PARTIAL_METRICS, Numbers
from evaluation.methods import NULL_LABELS, NULL_NOTES, Method, Painter
from evaluation.metric_notes import metric_notes
from evaluation.nst_pairs import Nst
from evaluation.pairs import Manifest
from evaluation.scores import (
    ADAIN,
    CANDIDATE,
    CHAMPION,
    NST,
    NULL_METHODS,
    DataInfo,
    MethodInfo,
    NstScore,
    PairScore,
    Report,
    Tuning,
)
from evaluation.settings import EvaluationSettings
from evaluation.summary import Task, areas, compare, make_task, mean_curve, slice_masks, strength_at, tune
from evaluation.sweeps import Sweep, meet_at_equal_style

MOST_PAIRS = 1000
"""A report lists this many pairs by themselves, of more the worst and best; the tables hold all."""
RANKED_BY = "edge_ssim"  # structure is what the project promises, and it forgives the colours that style must change
BOUNDARY_SLICE = "human boundaries"


def make_report(
    sweeps: dict[str, Sweep],
    manifest: Manifest,
    methods: list[Method],
    instruments: Instruments,
    settings: EvaluationSettings,
    *,
    nst: Nst,
    sources: tuple[str, ...],
) -> Report:
    """Compare everybody, slice by slice, and put it all into one form."""
    tuning, adain_positions = tune(sweeps[ADAIN], settings.strengths, settings.target_ssim)
    task = _task(sweeps[ADAIN], adain_positions, manifest, settings)
    candidate, first = sweeps[CANDIDATE], methods[0]
    known = {method.name: method.info() for method in methods}
    nulls = [MethodInfo(name=name, label=NULL_LABELS[name], note=NULL_NOTES[name]) for name in NULL_METHODS]
    foreign = [info for name, info in known.items() if name not in (CANDIDATE, ADAIN, CHAMPION)]
    everywhere = [name for name in CONTENT_METRICS if name in candidate.scores and name not in PARTIAL_METRICS]
    return Report(
        candidate=known[CANDIDATE],
        champion=known.get(CHAMPION),
        baselines=(known[ADAIN], *nulls, *foreign, *_nst_info(settings, nst)),
        data=_data_info(manifest, sources, int(task.comparable.sum())),
        settings=settings.as_dict(),
        extractor=instruments.kind,
        extractor_label=instruments.label,
        metrics=metric_notes(set(candidate.scores), instruments, settings),
        tuning=tuning,
        curves={name: mean_curve(sweep, settings.strengths) for name, sweep in sweeps.items()},
        comparisons={name: compare(candidate, sweep, task) for name, sweep in sweeps.items() if name != CANDIDATE},
        areas=areas(candidate, sweeps[ADAIN], everywhere, task),
        pairs=_pair_scores(sweeps, manifest, task, tuning, adain_positions, settings.strengths),
        nst=_nst_scores(sweeps, manifest, nst),
        dials=probe_dials(first, manifest) if isinstance(first, Painter) else (),
    )


def _task(adain: Sweep, adain_positions: Numbers, manifest: Manifest, settings: EvaluationSettings) -> Task:
    pairs = manifest.pairs()
    drawn = np.array([bool(manifest.photographs[i].boundaries_sha256) for i, _ in pairs], dtype=bool)
    masks = slice_masks(
        [manifest.photographs[i].source.building for i, _ in pairs],
        [manifest.paintings[j].source.group for _, j in pairs],
    )
    task = make_task(
        adain,
        adain_positions,
        photograph_of=np.array([i for i, _ in pairs], dtype=np.intp),
        slices=masks | ({BOUNDARY_SLICE: drawn} if drawn.any() else {}),
        resamples=settings.resamples,
        seed=settings.seed,
    )
    return replace(task, measured_on=dict.fromkeys(PARTIAL_METRICS, drawn))


def _data_info(manifest: Manifest, sources: tuple[str, ...], comparable_pairs: int) -> DataInfo:
    return DataInfo(
        digest=manifest.digest,
        sources=sources,
        photographs=len(manifest.photographs),
        paintings=len(manifest.paintings),
        pairs=len(manifest.pairs()),
        comparable_pairs=comparable_pairs,
        skipped=manifest.skipped,
        unreadable=len(manifest.skipped) - manifest.duplicates,
        duplicates=manifest.duplicates,
    )


def _nst_info(settings: EvaluationSettings, nst: Nst) -> list[MethodInfo]:
    note = f"{settings.nst_steps} steps of L-BFGS a pair, on {len(nst)} pairs"
    return [MethodInfo(name=NST, label="Gatys NST", note=note)] if nst else []


def _pair_scores(
    sweeps: dict[str, Sweep],
    manifest: Manifest,
    task: Task,
    tuning: Tuning,
    adain_positions: Numbers,
    strengths: tuple[float, ...],
) -> tuple[PairScore, ...]:
    """Each pair by itself: the candidate where AdaIN's style is met, AdaIN at its tuned strength."""
    candidate, adain = sweeps[CANDIDATE], sweeps[ADAIN]
    meeting = meet_at_equal_style(candidate, adain, task.levels)
    ours = {name: candidate.at(name, meeting.candidate) for name in candidate.scores}
    theirs = {name: adain.at(name, adain_positions) for name in adain.scores}
    places = manifest.pairs()

    def score(row: int) -> PairScore:
        i, j = places[row]
        return PairScore(
            content=manifest.photographs[i].name,
            style=manifest.paintings[j].name,
            building=manifest.photographs[i].source.building,
            movement=manifest.paintings[j].source.group,
            comparable=bool(task.comparable[row]),
            reached=bool(meeting.candidate_reaches[row]),
            candidate_strength=strength_at(meeting.candidate[row], strengths),
            adain_strength=tuning.strength,
            style_left=float(task.levels[row]),
            candidate=_row(ours, row),
            adain=_row(theirs, row),
        )

    return tuple(score(int(row)) for row in _listed(ours[RANKED_BY] - theirs[RANKED_BY]))


def _listed(gains: Numbers) -> NDArray[np.intp]:
    """The rows that are listed, in the pairs' order: all, or the worst and the best; NaN counts as worst."""
    if len(gains) <= MOST_PAIRS:
        return np.arange(len(gains))
    order = np.argsort(np.where(np.isfinite(gains), gains, -np.inf), kind="stable")
    return np.sort(np.concatenate([order[: MOST_PAIRS // 2], order[-MOST_PAIRS // 2 :]]))


def _row(columns: dict[str, Numbers], row: int) -> dict[str, float]:
    """One pair's numbers; a metric that this pair cannot have is left out, a NaN of any other stays and is seen."""
    numbers = {name: float(values[row]) for name, values in columns.items()}
    return {name: value for name, value in numbers.items() if name not in PARTIAL_METRICS or np.isfinite(value)}


def _nst_scores(sweeps: dict[str, Sweep], manifest: Manifest, nst: Nst) -> tuple[NstScore, ...]:
    row_of = {pair: row for row, pair in enumerate(manifest.pairs())}
    full = (
        {who: {name: sweeps[who].full(name) for name in sweeps[who].scores} for who in (CANDIDATE, ADAIN)}
        if nst
        else {}
    )
    return tuple(
        NstScore(
            content=manifest.photographs[i].name,
            style=manifest.paintings[j].name,
            nst={name: float(values[0]) for name, values in scores.items()},
            candidate=_row(full[CANDIDATE], row_of[i, j]),
            adain=_row(full[ADAIN], row_of[i, j]),
        )
        for (i, j), (_, scores) in nst.items()
    )
