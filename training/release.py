"""Make the weights that ship, again: `python -m training.release`. Distils the encoder, trains compact, trains AdaIN.

Needs VGG-19's weights and a data folder; about two hours on two CPU cores. Writes pretrained/encoder,
pretrained/compact and pretrained/adain, each whole or not at all; what is there already and complete is not made again.
With --vgg19-baseline FOLDER it also trains AdaIN on VGG-19 itself, with the same pictures and steps, and packages it
there: `pentimento evaluate ... --adain FOLDER` judges against it. It holds VGG-19's weights, so it does not ship.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save as save_safetensors

from registry.settings import Settings
from runtime.package import copy_package
from runtime.packaging import package_network
from stylenet.encoders import CompactEncoder
from stylenet.perception import COMPACT_ENCODER, load_compact_encoder, load_extractor
from stylenet.pictures import write_bytes
from stylenet.vgg import Vgg19, load_vgg19
from stylenet.weights import ROOT
from training.baseline import train_adain
from training.cards import adain_card
from training.config import TrainingConfig, load_config
from training.distillation import distil
from training.errors import TrainingError
from training.loop import StepReport
from training.pictures import join, load_pictures
from training.preparation import batch_source, data_folder, git_commit, pick_device
from training.runs import train


def main(arguments: list[str] | None = None) -> int:
    """Run all three parts; progress on stderr."""
    parser = argparse.ArgumentParser(prog="python -m training.release", description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "assets.yaml")
    parser.add_argument("--out", type=Path, default=ROOT / "pretrained")
    parser.add_argument("--distillation-steps", type=int, default=1800)
    parser.add_argument("--vgg19-baseline", type=Path, metavar="FOLDER", help="also AdaIN on VGG-19, into this folder")
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    config, settings = load_config(given.config), Settings.from_env()
    encoder = make_encoder(config, settings, given.out / "encoder", given.distillation_steps)
    if not (given.out / "compact" / "package.json").is_file():
        result = train(config, settings, progress=_show)
        copy_package(result.package, given.out / "compact")
    if not (given.out / "adain" / "package.json").is_file():
        make_adain(config, settings, encoder, given.out / "adain")
    if given.vgg19_baseline and not (given.vgg19_baseline / "package.json").is_file():
        make_adain(config, settings, load_vgg19(), given.vgg19_baseline)
    return 0


def make_encoder(config: TrainingConfig, settings: Settings, folder: Path, steps: int) -> CompactEncoder:
    """Distil the encoder, unless its file is there already.

    The extractor's digest in `stylenet.perception` names the file that ships; a new one must be written there by hand,
    since it changes what every style distance means.
    """
    path = folder / COMPACT_ENCODER.name
    if path.is_file():
        return load_compact_encoder()
    roots = [data_folder(name, settings) for name in config.data]
    pictures = join([load_pictures(root, kind) for root in roots for kind in ("content", "style")])
    started = time.monotonic()

    def show(step: int, total: int, errors: dict[str, float]) -> None:
        if step % 50 == 0:
            shown = ", ".join(f"{tap} {error:.3f}" for tap, error in errors.items())
            print(f"distil {step}/{total} ({time.monotonic() - started:.0f} s): {shown}", file=sys.stderr, flush=True)

    encoder = distil(
        load_vgg19().to(pick_device(config.device)),
        pictures,
        steps=steps,
        seed=config.seed,
        bf16=config.precision == "bfloat16",
        progress=show,
    )
    blob = save_safetensors({name: tensor.contiguous() for name, tensor in encoder.state_dict().items()})
    write_bytes(blob, path)
    digest = hashlib.sha256(blob).hexdigest()
    if digest != COMPACT_ENCODER.sha256:
        raise TrainingError(
            f"wrote {path}, a new encoder: what every style distance means has changed. Write its sha256 {digest} into "
            "COMPACT_ENCODER in stylenet/perception.py, put it into pretrained/encoder, and run this again"
        )
    return encoder


def make_adain(config: TrainingConfig, settings: Settings, encoder: CompactEncoder | Vgg19, folder: Path) -> None:
    """Train and package the baseline, with as many steps as both our stages have together."""
    roots = [data_folder(name, settings) for name in config.data]
    content, style = (join([load_pictures(root, kind) for root in roots]) for kind in ("content", "style"))
    first, second = config.stage1, config.stage2
    stage = first.model_copy(update={"epochs": first.epochs + second.epochs})
    extractor = load_extractor(config.extractor).to(pick_device(config.device))
    name, seen = ("adain-vgg19", "VGG-19") if isinstance(encoder, Vgg19) else ("adain", "Pentimento's compact encoder")
    source = batch_source(config, stage, 1, content, style)
    network = train_adain(
        encoder,
        extractor,
        source,
        stage,
        checkpoint=settings.home / "runs" / name / "checkpoint.pt",
        listener=_show,
        bf16=config.precision == "bfloat16",
    )
    digest = f"{content.digest}:{style.digest}"
    pictures = f"{len(content.pictures)} photographs, {len(style.pictures)} paintings"
    card = adain_card(stage, seen, extractor.name, pictures)
    package_network(network.cpu(), folder, name=name, card=card, git_commit=git_commit(), data_digest=digest)


def _show(report: StepReport) -> None:
    if report.step % 25 == 0:
        terms = ", ".join(f"{name} {value:.3f}" for name, value in report.terms.items())
        line = f"stage {report.stage} {report.step}/{report.steps} {report.images_per_s:.1f} images/s: {terms}"
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except TrainingError as error:
        raise SystemExit(f"error: {error}") from None
