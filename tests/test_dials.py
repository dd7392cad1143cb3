"""What each dial of the shipped weights changes, and what it leaves alone."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.dials import Meter, light_and_composition, without_light
from evaluation.pairs import make_manifest
from evaluation.settings import EvaluationSettings
from runtime.engine import Engine
from runtime.loading import load_engine
from samples import photograph
from stylenet.dials import Dials
from stylenet.images import to_image
from stylenet.perception import load_extractor
from stylenet.pictures import resize_short_side
from stylenet.weights import ROOT


@pytest.fixture(scope="module")
def shipped() -> Engine:
    return load_engine(ROOT / "pretrained" / "compact")


def moved(engine: Engine, photo: np.ndarray, style: np.ndarray) -> dict[str, dict[str, float]]:
    """dial -> measure -> how far turning the dial up moves it, and the span from photograph to painting."""
    meter, code = Meter(photo, style, load_extractor("compact")), engine.encode_style(style)
    whole, start = meter(engine.stylize(photo, code)), meter(photo)
    found = {"span": {name: whole[name] - start[name] for name in whole}}
    for dial in ("texture", "semantics"):
        without = meter(engine.stylize(photo, code, Dials(**{dial: 0.0})))
        found[dial] = {name: whole[name] - without[name] for name in whole}
    return found


def test_texture_and_semantics_each_leave_the_others_measure_within_a_tenth_of_its_span(shipped: Engine, assets: Path):
    """On real pictures: the drawn styles' contrasts are so hard that light and strokes cannot be measured apart."""
    settings = EvaluationSettings(contents=5, styles=3, short_side_px=192, extractor="compact")
    manifest = make_manifest(assets, settings)
    pairs = [moved(shipped, manifest.photographs[i].pixels, manifest.paintings[j].pixels) for i, j in manifest.pairs()]

    def share(dial: str, measure: str) -> float:
        together = (sum(pair[part][measure] for pair in pairs) for part in (dial, "span"))
        return next(together) / next(together)

    assert share("texture", "texture") > 0.8
    assert share("semantics", "semantics") > 0.8
    assert abs(share("texture", "semantics")) <= 0.1
    assert abs(share("semantics", "texture")) <= 0.1


def test_the_measures_do_not_see_each_others_part():
    image, extractor = to_image(resize_short_side(photograph("coffee"), 128)), load_extractor("compact")
    bright, grey = (image * 0.5 + 0.25), image.mean(dim=1, keepdim=True).expand_as(image)
    assert (without_light(image * 0.5) - without_light(bright)).abs().max() < 1e-5
    assert without_light(grey).abs().max() < 1e-5
    seen = light_and_composition(image, extractor)
    assert (light_and_composition(bright, extractor) - seen).norm() > 0.1 * seen.norm()
