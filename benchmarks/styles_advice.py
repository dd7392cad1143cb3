"""Does the advice about styles agree with what painting really costs? Real pairs are painted and measured.

    .venv/bin/python benchmarks/styles_advice.py check                  200 pairs of the test split (minutes)
    .venv/bin/python benchmarks/styles_advice.py fit --pairs-file X     600 pairs of the train split -> the constants

Each photograph is painted in ten paintings drawn at random, at 256 px and full strength, by the shipped compact model.
Content loss is the mean L1 distance of VGG-19's normalised relu3_1 and relu3_4 between painting and photograph. `check`
prints Spearman's rank correlation with the forecast, over all pairs and within each photograph, each with a 95 %
interval from 2,000 bootstrap resamples of photographs. Needs the development assets (PENTIMENTO_ASSETS).
"""

import argparse
import csv
import json
import os
import random
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from registry.references import resolve
from registry.settings import Settings
from registry.style_advice import DECILES, TERMS, distances, judge_fit
from registry.style_looks import Look, look_at
from runtime.loading import load_engine
from stylenet.images import Pixels, to_image
from stylenet.pictures import read_picture, resize_short_side
from stylenet.statistics import normalise
from stylenet.vgg import load_vgg19

ASSETS = Path(os.environ.get("PENTIMENTO_ASSETS", Path(__file__).resolve().parents[2] / "shared" / "assets"))
SIDE_PX = 256
PAINTINGS_EACH = 10
SPLITS = {"train": (60, 7), "test": (20, 8)}  # photographs, seed
TAPS = ("relu3_1", "relu3_4")
RESAMPLES = 2000


def chosen_pairs(split: str) -> list[tuple[str, str]]:
    """(photograph, painting), ten for each of the photographs that the seed draws."""
    with open(ASSETS / "index.csv", newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == split]
    count, seed = SPLITS[split]
    draw = random.Random(seed)
    photographs = draw.sample(sorted(row["path"] for row in rows if row["kind"] == "photo"), count)
    paintings = sorted(row["path"] for row in rows if row["kind"] == "painting")
    return [(photograph, painting) for photograph in photographs for painting in draw.sample(paintings, PAINTINGS_EACH)]


def opened(path: str) -> Pixels:
    """The picture at the judged size; the long side cut at 1024."""
    pixels = read_picture(ASSETS / path, max_pixels=2**27, max_bytes=2**28)
    return np.ascontiguousarray(resize_short_side(pixels, SIDE_PX)[:1024, :1024])


def measured(pairs: list[tuple[str, str]]) -> list[float]:
    """The content loss of each pair."""
    engine, vgg = load_engine(resolve("pretrained:compact", Settings.from_env())), load_vgg19(download=False)
    code_of = cache(lambda painting: engine.encode_style(opened(painting)))
    losses = []
    with torch.inference_mode():
        for number, (photograph, painting) in enumerate(pairs):
            if number % PAINTINGS_EACH == 0:
                pixels = opened(photograph)
                kept = {tap: normalise(x) for tap, x in vgg(to_image(pixels)).items() if tap in TAPS}
                print(f"{number} of {len(pairs)}", flush=True)
            painted = vgg(to_image(engine.stylize(pixels, code_of(painting))))
            losses.append(float(np.mean([float((normalise(painted[tap]) - kept[tap]).abs().mean()) for tap in TAPS])))
    return losses


def looks_of(pairs: list[tuple[str, str]]) -> dict[str, Look]:
    """The look of every picture."""
    return {path: look_at([opened(path)]) for path in sorted({path for pair in pairs for path in pair})}


def within(photographs: list[str], one: np.ndarray, other: np.ndarray) -> float:
    """The mean over photographs of the rank correlation among their own pairs."""
    names = np.asarray(photographs)
    return float(
        np.mean([spearmanr(one[names == name], other[names == name])[0] for name in dict.fromkeys(photographs)])
    )


def interval(photographs: list[str], one: np.ndarray, other: np.ndarray, *, by_photograph: bool) -> list[float]:
    """95 %: photographs are drawn with replacement, with all their pairs."""
    generator, names = np.random.default_rng(0), np.asarray(photographs)
    places = [np.flatnonzero(names == name) for name in dict.fromkeys(photographs)]
    own = [spearmanr(one[place], other[place])[0] for place in places]
    drawn = []
    for _ in range(RESAMPLES):
        draw = generator.integers(len(places), size=len(places))
        rows = np.concatenate([places[i] for i in draw])
        drawn.append(np.mean([own[i] for i in draw]) if by_photograph else spearmanr(one[rows], other[rows])[0])
    return [round(float(bound), 3) for bound in np.quantile(drawn, [0.025, 0.975])]


def check(pairs: list[tuple[str, str]], losses: list[float]) -> dict[str, object]:
    """How well the forecast agrees with what was measured."""
    looks = looks_of(pairs)
    fits = [judge_fit(looks[photograph], looks[painting]) for photograph, painting in pairs]
    photographs, truth = [photograph for photograph, _ in pairs], np.asarray(losses)
    scores = {"forecast": np.asarray([fit.loss for fit in fits])}
    scores |= {f"{term} alone": np.asarray([getattr(fit, term) for fit in fits]) for term in TERMS}
    poor = np.asarray([fit.poor for fit in fits])
    return {
        "pairs": len(pairs),
        "rank correlation": {
            what: {
                "all pairs": round(float(spearmanr(score, truth)[0]), 3),
                "interval": interval(photographs, score, truth, by_photograph=False),
                "within a photograph": round(within(photographs, score, truth), 3),
                "interval within": interval(photographs, score, truth, by_photograph=True),
            }
            for what, score in scores.items()
        },
        "poor pairs": {
            "count": int(poor.sum()),
            "measured loss": round(float(truth[poor].mean()), 3),
            "of the others": round(float(truth[~poor].mean()), 3),
            "in the worst half": round(float((truth[poor] > np.median(truth)).mean()), 2),
        },
    }


def fit(pairs: list[tuple[str, str]], losses: list[float]) -> dict[str, object]:
    """The constants of `registry/style_advice.py`, by least squares."""
    looks = looks_of(pairs)
    found = np.asarray([distances(looks[photograph], looks[painting]) for photograph, painting in pairs])
    means, deviations = found.mean(axis=0), found.std(axis=0)
    design = np.c_[(found - means) / deviations, np.ones(len(found))]
    weights = np.linalg.lstsq(design, np.asarray(losses), rcond=None)[0]
    deciles = np.quantile(design @ weights, np.linspace(0, 1, len(DECILES)))
    return {
        "MEANS": means.round(4).tolist(),
        "DEVIATIONS": deviations.round(4).tolist(),
        "WEIGHTS": weights[:-1].round(5).tolist(),
        "BASE_LOSS": round(float(weights[-1]), 4),
        "DECILES": deciles.round(4).tolist(),
    }


def main() -> None:
    """Measure the pairs (or read what was measured), and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["check", "fit"])
    parser.add_argument(
        "--pairs-file", type=Path, help="keeps the measured losses here, and reads them where it exists"
    )
    arguments = parser.parse_args()
    pairs = chosen_pairs("test" if arguments.what == "check" else "train")
    if arguments.pairs_file and arguments.pairs_file.is_file():
        losses = json.loads(arguments.pairs_file.read_text())
    else:
        losses = measured(pairs)
        if arguments.pairs_file:
            arguments.pairs_file.write_text(json.dumps(losses))
    print(json.dumps((check if arguments.what == "check" else fit)(pairs, losses), indent=1))


if __name__ == "__main__":
    main()
