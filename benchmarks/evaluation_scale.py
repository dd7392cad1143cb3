"""How fast a judgement streams, and whether its memory grows with its pairs.

    .venv/bin/python benchmarks/evaluation_scale.py --data ../shared/assets --pairs 100
    .venv/bin/python benchmarks/evaluation_scale.py --data ../shared/assets --pairs 1000 --pairs 4000 --side 64 --light
    .venv/bin/python benchmarks/evaluation_scale.py --data ../shared/assets --pairs 1000 --pairs 4000 --repeated

With `--repeated` 36 pairs are measured, and a judgement of that many pairs is made in which the same pictures stand
again and again: every number is found in the ledger, so only what follows the measuring is run (reading, comparing,
tables, report), at any size, in minutes. Each number of pairs runs in a process of its own, whose peak memory (VmHWM)
and processor time are the operating system's. With `--keep FOLDER` a run that was killed goes on; its time and its
processor time are then those of the last piece.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WIKIART_PAINTINGS = 81_444
TRACE_STEPS = 100


def main() -> None:
    """Run every size and print one line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a data folder")
    parser.add_argument("--pairs", type=int, action="append", required=True)
    parser.add_argument("--side", type=int, default=256, help="short side in px")
    parser.add_argument("--strengths", type=int, default=3, help="steps of the sweep")
    parser.add_argument("--threads", type=int, default=2, help="of torch and of the engines")
    parser.add_argument("--keep", type=Path, help="keep the numbers here: a run that was killed goes on")
    parser.add_argument("--light", action="store_true", help="painters of plain image operations in the engines' place")
    parser.add_argument("--repeated", action="store_true", help="measure 36 pairs and repeat them")
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        if given.repeated:
            print(json.dumps(_repeat(given.data, given.pairs[0])))
        else:
            print(json.dumps(_judge(given)))
        return
    for pairs in given.pairs:
        command = [sys.executable, __file__, "--only", "--data", str(given.data), "--pairs", str(pairs)]
        command += ["--side", str(given.side), "--strengths", str(given.strengths), "--threads", str(given.threads)]
        command += ["--keep", str(given.keep)] if given.keep else []
        command += [f"--{name}" for name in ("light", "repeated") if getattr(given, name)]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
        finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        print(finished.stdout.splitlines()[-1], flush=True)


def _judge(given: argparse.Namespace) -> dict[str, Any]:
    import torch

    from evaluation.harness import evaluate
    from evaluation.settings import EvaluationSettings

    torch.set_num_threads(given.threads)
    pairs, strengths = given.pairs[0], given.strengths
    contents = math.isqrt(pairs)
    styles = -(-pairs // contents)
    settings = EvaluationSettings(
        contents=contents,
        styles=styles,
        short_side_px=given.side,
        strengths=tuple(k / (strengths - 1) for k in range(strengths)),
        extractor="compact",
        ms_ssim=False,
        lpips=False,
        nst_pairs=0,
        resamples=500,
    )
    candidate, adain = _light_painters() if given.light else _engines(given.threads)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = evaluate(
            candidate,
            data=_every_split(given.data, Path(folder)),
            out=Path(folder) / "out",
            adain=adain,
            settings=settings,
            cache=given.keep,
            progress=_trace(),
        )
        written_mb = sum(path.stat().st_size for path in (Path(folder) / "out").iterdir()) / 2**20
    seconds = time.monotonic() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "pairs": report.data.pairs,
        "side_px": given.side,
        "threads": given.threads,
        "strengths": strengths,
        "painters": "plain image operations" if given.light else "the shipped compact and AdaIN",
        "seconds": round(seconds, 1),
        "pairs_per_s": round(report.data.pairs / seconds, 3),
        "cpu_s_per_pair": round((usage.ru_utime + usage.ru_stime) / report.data.pairs, 3),
        "peak_memory_mb": round(_peak_mb()),
        "written_mb": round(written_mb, 1),
        "wikiart_hours": round(WIKIART_PAINTINGS * seconds / report.data.pairs / 3600, 1),
    }


def _repeat(data: Path, pairs: int) -> dict[str, Any]:
    """All that follows the measuring, for pairs that are 36 measured ones again and again."""
    from evaluation.examples import make_examples
    from evaluation.findings import make_report
    from evaluation.measuring import Instruments
    from evaluation.methods import Painter
    from evaluation.pairs import make_manifest
    from evaluation.pipeline import Counter, Here, fill_ledger, sweeps_of
    from evaluation.report import write_report
    from evaluation.scoring import Scorer
    from evaluation.settings import EvaluationSettings
    from evaluation.tables import write_pairs_tables

    settings = EvaluationSettings(
        contents=6, styles=6, short_side_px=64, strengths=(0.0, 0.5, 1.0), extractor="compact", lpips=False, nst_pairs=0
    )
    instruments = Instruments.load(settings)
    methods = [Painter(name, engine) for name, engine in zip(("candidate", "adain"), _light_painters(), strict=True)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = make_manifest(_every_split(data, folder), settings)
        scorers = [Scorer(method, settings.strengths, instruments) for method in methods]
        for scorer in scorers:
            fill_ledger(scorer, small, folder, Here(), Counter(0, None)).close()
        measured_mb = _peak_mb()
        side = math.isqrt(pairs)
        many = [k % 6 for k in range(-(-pairs // side))]
        large = replace(
            small,
            photographs=tuple(small.photographs[k % 6] for k in range(side)),
            paintings=tuple(small.paintings[k] for k in many),
        )
        started = time.monotonic()
        sweeps: dict[str, Any] = {}
        for scorer in scorers:
            ledger = fill_ledger(scorer, large, folder, Here(), Counter(0, None))
            sweeps |= sweeps_of(scorer, ledger, large, folder)
        report = make_report(sweeps, large, methods, instruments, settings, nst={}, sources=("repeated",))
        write_pairs_tables(folder, large, sweeps, settings.strengths)
        write_report(report, folder, make_examples(report, large, methods, {}))
        sizes = {path.name: round(path.stat().st_size / 2**20, 1) for path in folder.glob("*.*") if path.is_file()}
    return {
        "pairs": report.data.pairs,
        "seconds_after_measuring": round(time.monotonic() - started, 1),
        "peak_memory_mb_measuring": round(measured_mb),
        "peak_memory_mb": round(_peak_mb()),
        "written_mb": {name: size for name, size in sizes.items() if not name.endswith(".f64")},
    }


def _trace() -> Callable[[int, int, str], None]:
    """Says how far a run is, and its peak memory until then, every TRACE_STEPS pairs: memory that grows shows early."""
    started = time.monotonic()

    def say(done: int, total: int, what: str) -> None:
        if done and done % TRACE_STEPS == 0:
            line = {
                "done": done,
                "of": total,
                "seconds": round(time.monotonic() - started),
                "peak_mb": round(_peak_mb()),
            }
            print(json.dumps(line | {"now": what}), file=sys.stderr, flush=True)

    return say


def _every_split(data: Path, folder: Path) -> list[Path]:
    """All photographs and all paintings of a folder as two plain folders of links: more than one split holds."""
    from evaluation.datasets import list_folder

    listing = list_folder(data)
    for role, sources in (("photographs", listing.photographs), ("paintings", listing.paintings)):
        (folder / role).mkdir()
        for k, source in enumerate(sources):
            (folder / role / f"{k:05d}{source.path.suffix}").symlink_to(source.path.resolve())
    return [folder / "photographs", folder / "paintings"]


def _engines(threads: int) -> tuple[Any, Any]:
    from runtime.loading import load_engine

    candidate, adain = (load_engine(ROOT / "pretrained" / name, threads=threads) for name in ("compact", "adain"))
    return candidate, adain


def _light_painters() -> tuple[Any, Any]:
    from evaluation_painters import Painting, recolour_only, smearing

    return Painting("recolouring", recolour_only), Painting("smearing", smearing)


def _peak_mb() -> float:
    """The peak of this process's resident memory; ru_maxrss would count the parent's, before exec, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
