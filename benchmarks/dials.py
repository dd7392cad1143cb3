"""Do the dials do what they say, on real pictures? `python -m benchmarks.dials [--pairs 50] [--side 256]`.

Each dial is turned over 11 steps on every pair, the others at rest. Printed for each: the share of pairs and of steps
on which its own measure never turns back, the mean curve, and how far the other family of measures moves, as a share
of its span (from the photograph to the whole painting). Texture's family is hue and strokes, each measured so that
light cannot change it; semantics' is light and composition, seen as one sees with half-closed eyes: small and grey.
Needs the development assets (PENTIMENTO_ASSETS).
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evaluation import content_metrics, style_metrics
from evaluation.pairs import make_manifest
from evaluation.settings import EvaluationSettings
from registry.references import resolve
from registry.settings import Settings
from runtime.engine import Engine
from runtime.loading import load_engine
from stylenet.codes import StyleCode
from stylenet.colour import from_opponent, to_opponent
from stylenet.dials import Dials
from stylenet.images import Pixels, to_image
from stylenet.perception import Extractor, load_extractor
from stylenet.statistics import mean_std

ASSETS = Path(os.environ.get("PENTIMENTO_ASSETS", Path(__file__).resolve().parents[2] / "shared" / "assets"))
STEPS = np.linspace(0.0, 1.0, 11)
OWN = {
    "strength": ("style", "falls"),
    "fidelity": ("edges", "rises"),
    "texture": ("texture", "falls"),
    "semantics": ("semantics", "falls"),
}
"""Each dial's own measure, and where it must go as the dial is turned up."""
OTHER = {"texture": "semantics", "semantics": "texture"}
SLACK = 0.01  # of the measure's span: a step back smaller than that is not seen
LIGHT_SIDE_PX, COMPOSITION_SIDE_PX = 16, 64


def light_and_composition(image: Tensor, extractor: Extractor) -> Tensor:
    """What semantics is about: (N, F), brightness values of a 16 px view, sorted, and what the extractor's deepest tap
    makes of a grey view of 64 px (channel means and deviations)."""
    grey = content_metrics.luma(image)
    light = functional.interpolate(grey, size=(LIGHT_SIDE_PX,) * 2, mode="area")
    view = functional.interpolate(grey, size=(COMPOSITION_SIDE_PX,) * 2, mode="area").repeat(1, 3, 1, 1)
    mean, deviation = (part.flatten(1) for part in mean_std(list(extractor(2 * view - 1).values())[-1]))
    return torch.cat([light.flatten(1).sort(dim=1).values, mean, deviation], dim=1)


def without_light(image: Tensor) -> Tensor:
    """Hue alone: chroma as it is, every lightness 0."""
    planes = to_opponent(image)
    return from_opponent(torch.cat([torch.zeros_like(planes[:, :1]), planes[:, 1:]], dim=1))


class Meter:
    """Distances of pictures to one painting, and to one photograph."""

    def __init__(self, photo: Pixels, painting: Pixels, extractor: Extractor) -> None:
        self._extractor = extractor
        self._photo, self._style = to_image(photo), to_image(painting)
        self._described = style_metrics.describe(self._style, extractor)
        self._light = light_and_composition(self._style, extractor)

    def __call__(self, picture: Pixels) -> dict[str, float]:
        """The four measures of one picture."""
        image = to_image(picture)
        distance = style_metrics.distances(style_metrics.describe(image, self._extractor), self._described)
        return {
            "style": float(np.mean([float(distance[family]) for family in style_metrics.FAMILIES])),
            "texture": float(np.mean([self._hue(image), float(distance["stroke_high"])])),
            "edges": float(content_metrics.edge_ssim(image, self._photo)),
            "semantics": self._semantics(image),
        }

    def _hue(self, image: Tensor) -> float:
        ours, theirs = (style_metrics.colour_quantiles(without_light(each)) for each in (image, self._style))
        return float((ours - theirs).abs().mean())

    def _semantics(self, image: Tensor) -> float:
        """The mean of light's and composition's distance, each relative to the painting's own size."""
        ours, theirs = light_and_composition(image, self._extractor), self._light
        parts = [slice(0, LIGHT_SIDE_PX**2), slice(LIGHT_SIDE_PX**2, None)]
        return float(np.mean([float((ours - theirs)[:, p].norm() / theirs[:, p].norm()) for p in parts]))


def turn(engine: Engine, photo: Pixels, code: StyleCode, meter: Meter) -> dict[str, dict[str, list[float]]]:
    """Every dial over all steps: dial -> measure -> 11 values; and "ends": the photograph's and the painting's."""
    curves: dict[str, dict[str, list[float]]] = {}
    for dial in OWN:
        seen = [meter(engine.stylize(photo, code, Dials(**{dial: float(step)}))) for step in STEPS]
        curves[dial] = {name: [each[name] for each in seen] for name in seen[0]}
    ends = [meter(photo), meter(engine.stylize(photo, code))]
    return curves | {"ends": {name: [end[name] for end in ends] for name in ends[0]}}


def told(pairs: list[dict[str, dict[str, list[float]]]]) -> dict[str, object]:
    """What is printed, by dial."""
    report: dict[str, object] = {}
    for dial, (measure, way) in OWN.items():
        curves = np.array([pair[dial][measure] for pair in pairs])
        steps = np.diff(curves, axis=1) * (1 if way == "rises" else -1)
        back = -steps / np.maximum(np.ptp(curves, axis=1, keepdims=True), 1e-12)
        report[dial] = {
            "measure": f"{measure} {way}",
            "mean curve": curves.mean(axis=0).round(4).tolist(),
            "mean curve never turns back": bool(
                (np.diff(curves.mean(axis=0)) * (1 if way == "rises" else -1) > 0).all()
            ),
            "pairs that never turn back": round(float((back <= SLACK).all(axis=1).mean()), 3),
            "steps that never turn back": round(float((back <= SLACK).mean()), 3),
            **_others(dial, pairs),
        }
    return report


def _others(dial: str, pairs: list[dict[str, dict[str, list[float]]]]) -> dict[str, object]:
    if dial not in OTHER:
        return {}
    shares = {}
    for name in (OWN[dial][0], OTHER[dial]):
        moved = np.array([pair[dial][name][-1] - pair[dial][name][0] for pair in pairs])
        spans = np.array([pair["ends"][name][1] - pair["ends"][name][0] for pair in pairs])
        shares[name] = round(float(moved.mean() / spans.mean()), 3)
    return {"moves, as a share of the span from photograph to painting": shares}


def main() -> None:
    """Turn and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--extractor", default="compact", help="auto takes VGG-19 where it is: ten times as slow")
    options = parser.parse_args()
    engine = load_engine(resolve(options.model, Settings.from_env()), options.engine)
    extractor = load_extractor(options.extractor)
    contents = max(1, round(options.pairs**0.5 * 1.4))
    settings = EvaluationSettings(
        contents=contents, styles=-(-options.pairs // contents), short_side_px=options.side, extractor="compact"
    )
    manifest = make_manifest(ASSETS, settings)
    pairs = manifest.pairs()[: options.pairs]
    codes = {j: engine.encode_style(manifest.paintings[j].pixels) for j in {j for _, j in pairs}}
    identical, found = 0, []
    for number, (i, j) in enumerate(pairs, 1):
        photo, painting = manifest.photographs[i].pixels, manifest.paintings[j].pixels
        identical += int(np.array_equal(engine.stylize(photo, codes[j], Dials(strength=0.0)), photo))
        found.append(turn(engine, photo, codes[j], Meter(photo, painting, extractor)))
        print(f"{number} of {len(pairs)}", flush=True)
    head = {"pairs": len(pairs), "extractor": extractor.name, "strength 0 is the photograph, bit for bit": identical}
    print(json.dumps(head | told(found), indent=1))


if __name__ == "__main__":
    main()
