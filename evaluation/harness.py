"""The whole judgement in order: choose pairs, let everybody paint at every strength, measure, compare, write.

The candidate comes as an `Engine`: the very object that serves it, so what is judged is what is served.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.examples import make_examples
from evaluation.measuring import Instruments, Scores, run_nst, sweep_all
from evaluation.meters import CONTENT_METRICS, Numbers
from evaluation.methods import NULL_LABELS, NULL_NOTES, Painter
from evaluation.pairs import Manifest, make_manifest
from evaluation.report import write_report
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
from evaluation.tables import write_pairs_table
from runtime.engine import Engine
from stylenet.images import Pixels
from stylenet.pictures import write_bytes

MANIFEST_NAME, RUN_NAME = "manifest.json", "run.json"
Progress = Callable[[int, int, str], None]
"""(steps done, steps in all, what is being done)."""
Nst = dict[tuple[int, int], tuple[Pixels, Scores]]


def evaluate(
    candidate: Engine,
    *,
    data: Path | list[Path],
    out: Path,
    adain: Engine,
    champion: Engine | None = None,
    settings: EvaluationSettings | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge a candidate against AdaIN, the null methods and the champion, and write what was found into `out`.

    Written: scores.json (the report; the same judgement gives the same bytes), pairs.csv (every score of every
    picture), manifest.json (what was judged), report.html and report.md (for people), run.json (when, and how long).

    Args:
        candidate: the engine under test.
        data: folders; `evaluation.datasets` says which layouts are understood.
        out: a folder, made where it is missing.
        adain: the baseline, trained on the same data.
        champion: what serves now; None where nothing does.
        settings: which pairs, sizes and strengths.
        progress: called before each step.

    Raises:
        DataError: no usable pictures.
        MethodError: an engine broke its contract.
    """
    chosen = settings or EvaluationSettings()
    started = time.monotonic()
    manifest = make_manifest(data, chosen)
    counter = _Counter(len(manifest.pairs()) + min(chosen.nst_pairs, len(manifest.pairs())) + 1, progress)
    instruments = Instruments.load(chosen)
    painters = [Painter(CANDIDATE, candidate), Painter(ADAIN, adain)]
    painters += [] if champion is None else [Painter(CHAMPION, champion)]
    sweeps = sweep_all(manifest, painters, instruments, chosen.strengths, counter.step)
    nst = run_nst(manifest, instruments, chosen, counter.step)

    counter.step("writing the report")
    names = tuple(path.name for path in ([data] if isinstance(data, Path) else data))
    report = make_report(sweeps, manifest, painters, instruments, chosen, nst=nst, sources=names)
    write_pairs_table(out, manifest, sweeps, chosen.strengths)
    write_bytes(_json(manifest.as_dict()), out / MANIFEST_NAME)
    write_report(
        report, out, make_examples(report, manifest, painters, {pair: found[0] for pair, found in nst.items()})
    )
    run = {"finished_at": datetime.now(UTC).isoformat(), "seconds": round(time.monotonic() - started, 1)}
    write_bytes(_json(run), out / RUN_NAME)
    counter.step("done")
    return report


def make_report(
    sweeps: dict[str, Sweep],
    manifest: Manifest,
    painters: list[Painter],
    instruments: Instruments,
    settings: EvaluationSettings,
    *,
    nst: Nst,
    sources: tuple[str, ...],
) -> Report:
    """Everything that follows from the measured numbers."""
    pairs = manifest.pairs()
    tuning, adain_positions = tune(sweeps[ADAIN], settings.strengths, settings.target_ssim)
    task = make_task(
        sweeps[ADAIN],
        adain_positions,
        photograph_of=np.array([i for i, _ in pairs], dtype=np.intp),
        slices=slice_masks(
            [manifest.photographs[i].source.building for i, _ in pairs],
            [manifest.paintings[j].source.group for _, j in pairs],
        ),
        resamples=settings.resamples,
        seed=settings.seed,
    )
    candidate = sweeps[CANDIDATE]
    measured = [name for name in CONTENT_METRICS if name in candidate.scores]
    known = {painter.name: _info(painter) for painter in painters}
    nulls = [MethodInfo(name=name, label=NULL_LABELS[name], note=NULL_NOTES[name]) for name in NULL_METHODS]
    return Report(
        candidate=known[CANDIDATE],
        champion=known.get(CHAMPION),
        baselines=(known[ADAIN], *nulls, *_nst_info(settings, nst)),
        data=DataInfo(
            digest=manifest.digest,
            sources=sources,
            photographs=len(manifest.photographs),
            paintings=len(manifest.paintings),
            pairs=len(pairs),
            comparable_pairs=int(task.comparable.sum()),
            skipped=manifest.skipped,
        ),
        settings=settings.as_dict(),
        extractor=instruments.kind,
        extractor_label=instruments.label,
        metrics=instruments.metrics(list(candidate.scores)),
        tuning=tuning,
        curves={name: mean_curve(sweep, settings.strengths) for name, sweep in sweeps.items()},
        comparisons={name: compare(candidate, sweep, task) for name, sweep in sweeps.items() if name != CANDIDATE},
        areas=areas(candidate, sweeps[ADAIN], measured, task),
        pairs=_pair_scores(sweeps, manifest, task, tuning, adain_positions, settings.strengths),
        nst=_nst_scores(sweeps, manifest, nst),
    )


class _Counter:
    """Turns "now this" into "3 of 19: this"."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self.progress, self.done = total, progress, -1

    def step(self, what: str) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total, what)


def _info(painter: Painter) -> MethodInfo:
    engine = painter.engine
    return MethodInfo(
        name=painter.name,
        label="AdaIN" if painter.name == ADAIN else painter.name,
        digest=engine.package.digest,
        engine=f"{engine.name} {engine.precision}",
        note=f"{engine.package.manifest.name} ({engine.package.manifest.variant})",
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
    return tuple(
        PairScore(
            content=manifest.photographs[i].name,
            style=manifest.paintings[j].name,
            building=manifest.photographs[i].source.building,
            movement=manifest.paintings[j].source.group,
            comparable=bool(task.comparable[row]),
            reached=bool(meeting.candidate_reaches[row]),
            candidate_strength=strength_at(meeting.candidate[row], strengths),
            adain_strength=tuning.strength,
            style_left=float(task.levels[row]),
            candidate={name: float(values[row]) for name, values in ours.items()},
            adain={name: float(values[row]) for name, values in theirs.items()},
        )
        for row, (i, j) in enumerate(manifest.pairs())
    )


def _nst_scores(sweeps: dict[str, Sweep], manifest: Manifest, nst: Nst) -> tuple[NstScore, ...]:
    row_of = {pair: row for row, pair in enumerate(manifest.pairs())}
    return tuple(
        NstScore(
            content=manifest.photographs[i].name,
            style=manifest.paintings[j].name,
            nst={name: float(values[0]) for name, values in scores.items()},
            candidate={name: float(v[row_of[i, j], -1]) for name, v in sweeps[CANDIDATE].scores.items()},
            adain={name: float(v[row_of[i, j], -1]) for name, v in sweeps[ADAIN].scores.items()},
        )
        for (i, j), (_, scores) in nst.items()
    )


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
