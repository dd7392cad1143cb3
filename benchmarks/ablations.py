"""What each mechanism earns: `python -m benchmarks.ablations --out build/ablations [--steps 250]`.

Every run starts from the shipped weights, switches one mechanism off for good, and trains the rest with the same
pictures, losses and number of steps; one run switches nothing off. Then each paints the same test pairs at several
strengths. Printed: content scores and the style that is left, and content scores at equal style, read off the curves;
a contact sheet shows every run on the same pairs. Runs that are there already are not trained again. Needs VGG-19 and
the development assets (PENTIMENTO_ASSETS).
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from safetensors.torch import save as save_safetensors
from torch import nn

from evaluation import content_metrics, style_metrics
from evaluation.pairs import Manifest, make_manifest
from evaluation.settings import EvaluationSettings
from registry.settings import Settings
from runtime.networks import load_network
from runtime.package import WEIGHTS_NAME, open_package
from stylenet.config import NetworkConfig
from stylenet.images import to_image, to_pixels
from stylenet.network import StyleNetwork
from stylenet.perception import load_extractor
from stylenet.pictures import write_bytes
from stylenet.weights import ROOT
from training.config import StageConfig, TrainingConfig, load_config
from training.loop import StepReport, run_stage
from training.objective import style_objective
from training.pictures import PictureSet, join, load_pictures
from training.preparation import batch_source, data_folder

ASSETS = Path(os.environ.get("PENTIMENTO_ASSETS", Path(__file__).resolve().parents[2] / "shared" / "assets"))
STRENGTHS = (0.25, 0.5, 0.75, 1.0)
EQUAL_STYLE = 0.5  # of the photograph's own distance is left: every run passes it on its way


def silence(*modules: nn.Module) -> None:
    """Zero for good: neither the value nor the gradient is left."""
    for module in modules:
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)


def nothing(network: StyleNetwork) -> None:
    """The control: trained as long, with everything on."""


def prototypes(network: StyleNetwork) -> None:
    """No local attention: every place takes on the same statistics."""
    silence(*(level.value for level in network.decoder.modulate.values()))


def gram_code(network: StyleNetwork) -> None:
    """No Gram correction: means and deviations alone, as AdaIN has them."""
    silence(*(level.correct for level in network.decoder.modulate.values()))


def grain(network: StyleNetwork) -> None:
    """No noise for strokes to grow from."""
    silence(*(level.gain for level in network.decoder.grain))


def deep_code(network: StyleNetwork) -> None:
    """The residuals at an eighth of the size do not hear the semantics code."""
    silence(*(block.correct for block in network.decoder.deep))


def skips(network: StyleNetwork) -> None:
    """Full and half size reach the picture through the deeper levels alone."""
    silence(network.decoder.skip1, network.decoder.skip2)


def looking_gates(network: StyleNetwork) -> None:
    """The same share of the painting everywhere: the gates follow the fidelity dial, and not the local SSIM."""
    silence(network.fusion.gate)


def recoloured_anchor(network: StyleNetwork) -> None:
    """The article's fusion, with the photograph itself as anchor; made so when the network is built."""


MECHANISMS: tuple[Callable[[StyleNetwork], None], ...] = (
    nothing,
    prototypes,
    gram_code,
    grain,
    deep_code,
    skips,
    looking_gates,
    recoloured_anchor,
)


def without(mechanism: Callable[[StyleNetwork], None]) -> StyleNetwork:
    """The shipped network with one mechanism off."""
    shipped = load_network(open_package(ROOT / "pretrained" / "compact"))
    assert isinstance(shipped, StyleNetwork)
    state = shipped.state_dict()
    config = shipped.config.as_dict()
    if mechanism is recoloured_anchor:
        config["anchor"] = "content"
        state = {name: value for name, value in state.items() if not name.startswith("fusion.")}
    network = StyleNetwork(NetworkConfig.from_dict(config))
    network.load_state_dict(state, strict=mechanism is not recoloured_anchor)
    mechanism(network)
    network.content_encoder.requires_grad_(False)
    return network


def trained(name: str, network: StyleNetwork, config: TrainingConfig, steps: int, pictures: list[PictureSet]) -> None:
    """Train in place: stage 2's batches and losses, the content encoder at rest."""
    extractor, loss = load_extractor("vgg19"), config.loss
    stage = StageConfig(
        epochs=2, steps_per_epoch=steps // 2, batch_size=2, crop_px=160, learning_rate=4e-4, halve_every_epochs=1
    )

    def show(report: StepReport) -> None:
        if report.step % 50 == 0:
            print(f"{name}: {report.step} of {report.steps}", file=sys.stderr, flush=True)

    run_stage(
        network,
        stage=2,
        config=stage,
        source=batch_source(config, stage, 2, *pictures),
        objective=lambda batch: style_objective(network, batch, extractor, loss.article(), loss.extra()),
        listener=show,
        bf16=config.precision == "bfloat16",
    )


@torch.inference_mode()
def judged(network: StyleNetwork, manifest: Manifest) -> dict[str, np.ndarray]:
    """measure -> (pairs, strengths): content scores, and the share of the photograph's style distance that is left."""
    extractor = load_extractor("compact")
    found: dict[str, list[list[float]]] = {}
    for i, j in manifest.pairs():
        photo, style = (to_image(each.pixels) for each in (manifest.photographs[i], manifest.paintings[j]))
        wanted, code = style_metrics.describe(style, extractor), network.encode_style(style)
        far = style_metrics.distances(style_metrics.describe(photo, extractor), wanted)
        rows = []
        for strength in STRENGTHS:
            painted = network(photo, *code, torch.tensor([[strength, 0.5, 1.0, 1.0, 0.0]]))
            near = style_metrics.distances(style_metrics.describe(painted, extractor), wanted)
            left = {family: float(near[family]) / float(far[family]) for family in near}
            rows.append(
                {
                    "ssim": float(content_metrics.ssim(painted, photo)),
                    "edge_ssim": float(content_metrics.edge_ssim(painted, photo)),
                    "style_left": float(np.mean([left[family] for family in style_metrics.FAMILIES])),
                    "stroke_left": left["stroke"],
                    "stroke_high_left": left["stroke_high"],
                }
            )
        for measure in rows[0]:
            found.setdefault(measure, []).append([row[measure] for row in rows])
    return {measure: np.array(values) for measure, values in found.items()}


def summary(curves: dict[str, np.ndarray]) -> dict[str, float]:
    """Means at full strength, and content scores where the mean curve leaves `EQUAL_STYLE`; NaN where it never does."""
    means = {measure: values.mean(axis=0) for measure, values in curves.items()}
    left = means["style_left"][::-1]  # rises from full strength to little
    row = {measure: round(float(values[-1]), 3) for measure, values in means.items()}
    for measure in ("ssim", "edge_ssim"):
        reached = left[0] <= EQUAL_STYLE <= left[-1]
        at = float(np.interp(EQUAL_STYLE, left, means[measure][::-1])) if reached else float("nan")
        row[f"{measure} at equal style"] = round(at, 3)
    return row


@torch.inference_mode()
def strip(network: StyleNetwork, manifest: Manifest, pairs: list[tuple[int, int]]) -> np.ndarray:
    """One row of the contact sheet: the network at full strength on some pairs, each in a square of 256 px."""
    cells = []
    for i, j in pairs:
        photo, style = (to_image(each.pixels) for each in (manifest.photographs[i], manifest.paintings[j]))
        painted = network(photo, *network.encode_style(style), torch.tensor([[1.0, 0.5, 1.0, 1.0, 0.0]]))
        cells.append(to_pixels(painted)[:256, :256])
    return np.concatenate(cells, axis=1)


def main() -> None:
    """Train what is missing, judge all, print one table and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/ablations"))
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--contents", type=int, default=8)
    parser.add_argument("--styles", type=int, default=6)
    given = parser.parse_args()
    config, settings = load_config(ROOT / "configs" / "assets.yaml"), Settings.from_env()
    roots = [ASSETS if name.endswith("assets") else data_folder(name, settings) for name in config.data]
    manifest = make_manifest(
        ASSETS,
        EvaluationSettings(contents=given.contents, styles=given.styles, short_side_px=256, extractor="compact"),
    )
    pictures: list[PictureSet] = []
    table, rows = {}, []
    for mechanism in MECHANISMS:
        name, network = mechanism.__name__, without(mechanism)
        path = given.out / name / WEIGHTS_NAME
        if not path.is_file():
            pictures = pictures or [
                join([load_pictures(root, kind) for root in roots]) for kind in ("content", "style")
            ]
            trained(name, network, config, given.steps, pictures)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(
                save_safetensors({key: value.contiguous() for key, value in network.state_dict().items()}), path
            )
        network.load_state_dict(load_file(path))
        curves = judged(network.eval(), manifest)
        table[name] = summary(curves)
        rows.append(strip(network, manifest, manifest.pairs()[:: max(1, len(manifest.pairs()) // 6)][:6]))
        print(name, json.dumps(table[name]), flush=True)
    Image.fromarray(np.concatenate(rows)).save(given.out / "sheet.png")
    write_bytes(json.dumps(table, indent=1).encode(), given.out / "table.json")


if __name__ == "__main__":
    main()
