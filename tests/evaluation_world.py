"""Judging small painters on a few real, tiny pictures: what several of the evaluation's tests share."""

from pathlib import Path

import samples
from evaluation.policy import Policy, load_policy
from evaluation.settings import EvaluationSettings
from stylenet.errors import WeightsError
from stylenet.perception import load_extractor
from stylenet.pictures import resize_short_side, write_picture

ROOT = Path(__file__).resolve().parents[1]
SIDE_PX = 96
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")
PAINTINGS = samples.PAINTINGS[:2]


def write_data(folder: Path) -> Path:
    """Three photographs and two paintings of the embedded sample, 96 px, in the sample's layout."""
    for name in PHOTOGRAPHS:
        write_picture(resize_short_side(samples.photograph(name), SIDE_PX), folder / "photographs" / f"{name}.png")
    for work in PAINTINGS:
        path = folder / "paintings" / work.movement / work.file_name
        write_picture(samples.painting(work.name, short_side_px=SIDE_PX), path)
    return folder


def small_settings() -> EvaluationSettings:
    """Every pair of `write_data`, five strengths, the extractor that ships (VGG-19 where only that one is here)."""
    try:
        load_extractor("compact")
    except WeightsError:
        return _settings("auto")
    return _settings("compact")


def demo_policy() -> Policy:
    """The demo's policy, for fewer and smaller pictures; its rules are untouched."""
    sizes = {"minimum_pairs": 6, "minimum_photographs": 3, "minimum_paintings": 2, "minimum_short_side_px": 64}
    return load_policy(ROOT / "configs" / "policy-demo.yaml").model_copy(update=sizes)


def _settings(extractor: str) -> EvaluationSettings:
    return EvaluationSettings.quick(
        contents=3,
        styles=2,
        short_side_px=SIDE_PX,
        extractor=extractor,
        lpips=False,
        nst_pairs=0,
        resamples=500,
        examples=1,
    )
