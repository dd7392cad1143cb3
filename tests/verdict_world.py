"""Ten small photographs, half of them counted as buildings, and two paintings: what the verdict's tests judge on."""

from collections.abc import Callable
from pathlib import Path

from evaluation_painters import Operation, Painting, smearing

import samples
from evaluation.dials import probe_dials
from evaluation.harness import evaluate
from evaluation.methods import Painter
from evaluation.pairs import make_manifest
from evaluation.policy import Policy, load_policy
from evaluation.scores import Report
from evaluation.settings import EvaluationSettings
from runtime.engine import Engine
from stylenet.images import Pixels
from stylenet.pictures import resize_short_side, write_picture

ROOT = Path(__file__).resolve().parents[1]
SIDE_PX = 64
BUILDINGS = ("china left", "china right", "motorcycle left", "motorcycle right", "coffee left")  # count as buildings
OTHERS = ("astronaut", "chelsea", "flower left", "flower right", "coffee right")
PAINTINGS = samples.PAINTINGS[:2]


def write_data(folder: Path) -> Path:
    """The pictures in the sample's layout; a photograph's folder says whether it counts as a building."""
    for kind, names in (("building", BUILDINGS), ("other", OTHERS)):
        for name in names:
            write_picture(_small(name), folder / "photographs" / kind / f"{name}.png")
    for work in PAINTINGS:
        path = folder / "paintings" / work.movement / work.file_name
        write_picture(samples.painting(work.name, short_side_px=SIDE_PX), path)
    return folder


def _small(name: str) -> Pixels:
    """A photograph of the sample, or one half of it, 64 px."""
    stem, _, half = name.partition(" ")
    pixels = samples.photograph(stem)
    middle = pixels.shape[1] // 2
    halves = {"": pixels, "left": pixels[:, :middle], "right": pixels[:, middle:]}
    return resize_short_side(halves[half], SIDE_PX)


def small_settings() -> EvaluationSettings:
    """Every pair of `write_data`, five strengths, the extractor that ships."""
    return EvaluationSettings.quick(
        contents=10,
        styles=2,
        short_side_px=SIDE_PX,
        extractor="compact",
        lpips=False,
        nst_pairs=0,
        resamples=500,
        examples=0,
    )


def small_policy(name: str = "policy-demo.yaml", **changes: object) -> Policy:
    """A shipped policy, for fewer and smaller pictures; its rules are untouched."""
    sizes: dict[str, object] = {
        "minimum_pairs": 10,
        "minimum_photographs": 6,
        "minimum_paintings": 2,
        "minimum_slice_pairs": 4,
        "minimum_short_side_px": 64,
        "dials": {},
    }
    return load_policy(ROOT / "configs" / name).model_copy(update=sizes | changes)


def judge(
    candidate: Operation | Engine, data: Path, out: Path, *, champion: Operation | None = None, dials: bool = False
) -> Report:
    """Judge a painter against `smearing` as AdaIN."""
    engine = Painting(candidate.__name__, candidate) if isinstance(candidate, Callable) else candidate  # type: ignore[arg-type]
    report = evaluate(
        engine,
        data=data,
        out=out,
        adain=Painting("baseline", smearing),
        champion=None if champion is None else Painting(f"champion {champion.__name__}", champion),
        settings=small_settings(),
        cache=data.parent / "cache",  # the baseline paints once for all candidates
    )
    if not dials or report.dials:
        return report
    manifest = make_manifest(data, small_settings())
    return report.model_copy(update={"dials": probe_dials(Painter("candidate", engine), manifest)})
