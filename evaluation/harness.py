"""The whole judgement in order: choose pairs, let everybody paint at every strength, measure, compare, write.

The candidate comes as an `Engine`: the very object that serves it, so what is judged is what is served. Or it comes as
a `Method`: somebody else's ONNX file or finished pictures (`evaluation.foreign`).
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from evaluation.examples import make_examples
from evaluation.findings import make_report
from evaluation.measuring import Instruments
from evaluation.methods import Method, Painter
from evaluation.nst_pairs import run_nst
from evaluation.pairs import make_manifest
from evaluation.pipeline import Counter, Here, Progress, Workers, fill_ledger, sweeps_of
from evaluation.report import write_report
from evaluation.scores import ADAIN, CANDIDATE, CHAMPION, Report
from evaluation.scoring import Scorer
from evaluation.settings import EvaluationSettings
from evaluation.sweeps import Sweep
from evaluation.tables import write_pairs_tables
from runtime.engine import Engine
from stylenet.pictures import write_bytes

MANIFEST_NAME, RUN_NAME = "manifest.json", "run.json"
UNFINISHED = ".unfinished"
"""Where numbers are kept during a judgement that has no cache of its own; gone when the report is there."""


def evaluate(
    candidate: Engine | Method,
    *,
    data: Path | list[Path],
    out: Path,
    adain: Engine,
    champion: Engine | None = None,
    baselines: Sequence[Method] = (),
    settings: EvaluationSettings | None = None,
    cache: Path | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge a candidate against AdaIN, the null methods, the champion and whoever else, and write what was found.

    Written into `out`: scores.json (the report; the same judgement gives the same bytes), pairs.csv and pairs.parquet
    (every score of every picture), manifest.json (what was judged), report.html and report.md (for people), run.json
    (when, and how long).

    Args:
        candidate: the engine under test, or a foreign method.
        data: folders; `evaluation.datasets` says which layouts are understood.
        out: a folder, made where it is missing.
        adain: the baseline, trained on the same data.
        champion: what serves now; None where nothing does.
        baselines: foreign methods to compare with; each under its own name.
        settings: which pairs, sizes and strengths.
        cache: a folder that keeps every pair's numbers, style codes and NST's pictures by digest, for the next
            judgement; without it they are kept in `out` until the report is there. Either way a judgement that was
            killed goes on where it stopped.
        workers: where pairs are scored; this process by default.
        progress: called before each step.

    Raises:
        DataError: no usable pictures, or one that changed meanwhile.
        MethodError: a method broke its contract.
    """
    chosen = settings or EvaluationSettings()
    started = time.monotonic()
    opening = Counter(chosen.contents + chosen.styles, progress)
    manifest = make_manifest(data, chosen, step=opening.say)
    kept = cache or out / UNFINISHED
    methods = _methods(candidate, adain, champion, baselines, kept)
    steps = len(manifest.pairs()) * len(methods) + chosen.nst_pairs + 1
    counter = Counter(steps, progress)
    instruments = Instruments.load(chosen)
    with _scratch(out) as scratch:
        sweeps = _sweep(methods, manifest, instruments, chosen, kept, scratch, workers or Here(), counter)
        nst = run_nst(manifest, instruments, chosen, kept, counter.say)
        counter.step(chosen.nst_pairs)
        counter.say("writing the report")
        names = tuple(path.name for path in ([data] if isinstance(data, Path) else data))
        report = make_report(sweeps, manifest, methods, instruments, chosen, nst=nst, sources=names)
        write_pairs_tables(out, manifest, sweeps, chosen.strengths)
    write_bytes(_json(manifest.as_dict()), out / MANIFEST_NAME)
    pictures = {pair: picture for pair, (picture, _) in nst.items()}
    write_report(report, out, make_examples(report, manifest, methods, pictures))
    run = {"finished_at": datetime.now(UTC).isoformat(), "seconds": round(time.monotonic() - started, 1)}
    write_bytes(_json(run), out / RUN_NAME)
    shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    counter.step()
    counter.say("done")
    return report


def _methods(
    candidate: Engine | Method, adain: Engine, champion: Engine | None, baselines: Sequence[Method], kept: Path
) -> list[Method]:
    """Everybody under the name that the report gives them."""
    is_method = hasattr(candidate, "recipe")
    first = cast(Method, candidate) if is_method else Painter(CANDIDATE, cast(Engine, candidate), kept)
    methods: list[Method] = [first, Painter(ADAIN, adain, kept)]
    if champion is not None:
        methods.append(Painter(CHAMPION, champion, kept))
    return [*methods, *baselines]


def _sweep(
    methods: list[Method],
    manifest: Any,
    instruments: Instruments,
    settings: EvaluationSettings,
    kept: Path,
    scratch: Path,
    workers: Workers,
    counter: Counter,
) -> dict[str, Sweep]:
    sweeps: dict[str, Sweep] = {}
    for method in methods:
        scorer = Scorer(method, settings.strengths, instruments)
        ledger = fill_ledger(scorer, manifest, kept, workers, counter)
        sweeps |= sweeps_of(scorer, ledger, manifest, scratch)
        ledger.close()
    return sweeps


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder for numbers that are too many for memory; it goes with the block."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(".scratch-*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=out, prefix=".scratch-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
