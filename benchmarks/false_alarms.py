"""How often the gate cries wolf: the same model on both sides, judged 200 times on resampled pictures.

    python benchmarks/false_alarms.py build/evaluation --runs 200

Reads the pairs.parquet of a real judgement. The same model twice paints the same pictures, and a difference of exactly
0 alarms nobody; so the two sides are made to differ as two trainings of one recipe would. In each run photographs are
drawn with replacement, and for every one a coin decides which of two methods (by default the candidate and AdaIN)
stands on which side: whatever they differ by, neither *side* is better. A run raises a false alarm where any rule that
asks "not worse than the champion", with no margin at all, is said to fail. docs/JUDGING.md has the figures.
Letters: P pairs, K photographs.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.estimates import Resamples
from evaluation.meters import HIGHER_IS_BETTER
from evaluation.verdict_claims import Claim, decide_claims
from evaluation.verdict_numbers import Mean

Numbers = NDArray[np.float64]
METRICS = ("ssim", "edge_ssim", "edge_f1", "gram", "deep_stats", "colour", "stroke", "style_left")


@dataclass(frozen=True, slots=True)
class Alarms:
    """In how many of the runs something was said to be worse.

    Args:
        holm: by the gate.
        uncorrected: by the same intervals without Holm's correction.
        percentile: by plain percentile intervals without it.
    """

    runs: int
    photographs: int
    rules: int
    holm: float
    uncorrected: float
    percentile: float


def read_sides(folder: Path, sides: tuple[str, str]) -> tuple[NDArray[np.intp], dict[str, tuple[Numbers, Numbers]]]:
    """Each pair's photograph (P,), and both methods' scores (P,) at full strength by metric."""
    path = folder / "pairs.parquet"
    table = pd.read_parquet(path) if path.exists() else pd.read_csv(folder / "pairs.csv")
    full = table[table["strength"] == 1.0].set_index(["content", "style"]).sort_index()
    each = [full[full["method"] == name] for name in sides]
    photographs = np.unique(each[0].index.get_level_values("content"), return_inverse=True)[1].astype(np.intp)
    metrics = [name for name in METRICS if name in table]
    return photographs, {name: (each[0][name].to_numpy(float), each[1][name].to_numpy(float)) for name in metrics}


def count_alarms(
    photographs: NDArray[np.intp], scores: dict[str, tuple[Numbers, Numbers]], *, runs: int, drawn: int, seed: int
) -> Alarms:
    """Judge the same mixture on both sides again and again.

    Args:
        drawn: photographs in each run.
    """
    generator = np.random.default_rng(seed)
    count = int(photographs.max()) + 1
    holm = uncorrected = percentile = 0
    for run in range(runs):
        taken = generator.integers(count, size=drawn)
        signs = generator.choice([-1.0, 1.0], size=drawn)
        rows = [np.flatnonzero(photographs == photograph) for photograph in taken]
        of = np.repeat(np.arange(drawn), [len(each) for each in rows]).astype(np.intp)
        places = np.concatenate(rows)
        resamples = Resamples.draw(of, resamples=500, seed=seed + run)
        gaps = {name: (a - b)[places] * signs[of] for name, (a, b) in scores.items()}
        gaps = {name: gap if HIGHER_IS_BETTER.get(name, False) else -gap for name, gap in gaps.items()}
        means = [resamples.mean(gap) for gap in gaps.values()]
        numbers = [Mean(mean.value, mean.error, drawn) for mean in means]
        claims = [Claim(name=n, subject=n, number=m, bound=0.0, sign=1) for n, m in zip(gaps, numbers, strict=True)]
        holm += any(check.outcome == "fails" for check in decide_claims(claims, 0.95))
        uncorrected += any(claim.chance(of_holding=False) <= 0.025 for claim in claims)
        percentile += any(np.quantile(_drawn(resamples, gap), 0.975) < 0 for gap in gaps.values())
    return Alarms(runs, drawn, len(scores), holm / runs, uncorrected / runs, percentile / runs)


def _drawn(resamples: Resamples, values: Numbers) -> Numbers:
    """The mean of each resample."""
    sums = np.bincount(resamples.cluster_of, weights=values)
    counts = np.bincount(resamples.cluster_of)
    return (resamples.draws @ sums) / (resamples.draws @ counts)


def main() -> None:
    """Print one JSON object for each number of photographs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("evaluation", type=Path, help="a folder that `pentimento evaluate` wrote")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--photographs", type=int, nargs="+", default=[6, 8, 12, 30])
    parser.add_argument("--sides", nargs=2, default=["candidate", "adain"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    photographs, scores = read_sides(options.evaluation, (options.sides[0], options.sides[1]))
    for drawn in options.photographs:
        alarms = count_alarms(photographs, scores, runs=options.runs, drawn=drawn, seed=options.seed)
        print(json.dumps({name: getattr(alarms, name) for name in alarms.__slots__}))


if __name__ == "__main__":
    main()
