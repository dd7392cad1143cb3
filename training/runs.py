"""A training run from its configuration to a registered version: the main path of this folder."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from registry.references import resolve
from registry.settings import Settings
from registry.versions import Registry, Version
from runtime.networks import load_network
from runtime.package import Package
from runtime.packaging import package_network
from stylenet.config import BASE, NetworkConfig
from stylenet.errors import ConfigError
from stylenet.images import to_pixels
from stylenet.losses import Features
from stylenet.network import StyleNetwork, count_parameters
from stylenet.perception import load_compact_encoder, load_extractor
from stylenet.pictures import write_bytes
from stylenet.vgg import load_vgg19
from training.batches import BatchSource
from training.cards import model_card
from training.config import StageConfig, TrainingConfig
from training.errors import TrainingConfigError
from training.loop import Checkpointing, StepReport, run_stage
from training.objective import style_objective
from training.pictures import PictureSet, join, load_pictures
from training.tracking import Tracker

Progress = Callable[[StepReport], None]
SHEET_DIALS = ((1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (0.5, 0.5))  # (strength, fidelity) of a sheet's columns


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run leaves behind."""

    version: Version
    package: Package
    run_id: str
    folder: Path


def train(
    config: TrainingConfig,
    settings: Settings,
    *,
    progress: Progress = lambda report: None,
    fresh: bool = False,
) -> TrainingResult:
    """Train in two stages, package and register. Continues where an interrupted run of the same settings stopped.

    Args:
        config: the run.
        settings: where runs and versions are kept.
        progress: told of every step.
        fresh: forget an earlier run of that name.

    Raises:
        TrainingConfigError, ConfigError: the data or the start cannot be used.
        CheckpointError: an interrupted run of that name had other settings or pictures.
        DivergedError: the loss became no number.
        RegistryError, PackageError: registering failed; nothing half-done is left in the registry.
    """
    roots = [data_folder(name, settings) for name in config.data]
    content, style = (join([load_pictures(root, kind) for root in roots]) for kind in ("content", "style"))
    data_digest = f"{content.digest}:{style.digest}"
    network, parents = starting_network(config, settings)
    device = pick_device(config.device)
    network, extractor = network.to(device), load_extractor(config.extractor).to(device)
    folder = settings.home / "runs" / config.name
    checkpoint, state_path = folder / "checkpoint.pt", folder / "run.json"
    if fresh:
        checkpoint.unlink(missing_ok=True)
        state_path.unlink(missing_ok=True)
    earlier = json.loads(state_path.read_text()) if state_path.is_file() and checkpoint.is_file() else None
    parameters = {
        **flatten(config.model_dump()),
        "data_digest": data_digest,
        "pictures": f"{len(content.pictures)} photographs, {len(style.pictures)} paintings",
        "extractor_used": extractor.name,
        "git_commit": git_commit(),
        "parameters": count_parameters(network),
        "skipped": "; ".join((*content.skipped, *style.skipped)) or "none",
    }
    with Tracker(settings, name=config.name, parameters=parameters, resume=earlier) as tracker:
        write_bytes(json.dumps(tracker.run_ids).encode(), state_path)
        checkpointing = Checkpointing(
            path=checkpoint,
            every_steps=config.checkpoint_every_steps,
            config_digest=config.digest(),
            data_digest=data_digest,
        )
        for stage, stage_config in ((1, config.stage1), (2, config.stage2)):
            tracker.start_stage(stage, stage_config.model_dump())
            write_bytes(json.dumps(tracker.run_ids).encode(), state_path)
            freeze_for_stage(network, stage)
            source = batch_source(config, stage_config, stage, content, style)

            def listen(report: StepReport, source: BatchSource = source) -> None:
                tracker.step(report)
                if report.step % config.sample_every_steps == 0 or report.step == report.steps:
                    tracker.sheet(report.stage, report.step, sample_sheet(network, source), folder / "samples")
                progress(report)

            run_stage(
                network,
                stage=stage,
                config=stage_config,
                source=source,
                objective=lambda batch: style_objective(
                    network, batch, _channels_last(extractor), config.loss.article(), config.loss.extra()
                ),
                checkpointing=checkpointing,
                listener=listen,
                bf16=config.precision == "bfloat16",
            )
            tracker.finish_stage(stage)
        package = package_network(
            network.cpu(),
            folder / "package",
            name=config.name,
            card=model_card(config, parameters),
            git_commit=git_commit(),
            data_digest=data_digest,
            parents=parents,
        )
        version = Registry(settings).register(
            package.folder, run_id=tracker.run_id, tags={"stage1_run": tracker.run_ids["stage1"]}
        )
    checkpoint.unlink(missing_ok=True)  # the run is whole: the next one of that name starts anew
    state_path.unlink(missing_ok=True)
    return TrainingResult(version, package, tracker.run_id, folder)


def data_folder(data: str, settings: Settings) -> Path:
    """The folder that a configuration's `data` means; writes the embedded sample where it is asked for.

    Raises:
        TrainingConfigError: no such folder.
    """
    if data == "sample":
        from samples import write_sample

        folder = settings.home / "sample"
        write_sample(folder)
        return folder
    folder = Path(data).expanduser()
    if not folder.is_dir():
        raise TrainingConfigError(f"data: {data} is no folder; use one with photographs/ and paintings/, or 'sample'")
    return folder


def pick_device(asked: str) -> torch.device:
    """Where to train.

    Raises:
        TrainingConfigError: a GPU is asked for and torch sees none.
    """
    if asked == "cuda" and not torch.cuda.is_available():
        raise TrainingConfigError(
            "device: cuda, but torch sees no GPU; use device: auto, or install torch's CUDA build"
        )
    return torch.device("cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu")


def starting_network(config: TrainingConfig, settings: Settings) -> tuple[StyleNetwork, list[str]]:
    """The network before its first step, and the digests of the packages that it comes from.

    Raises:
        ConfigError: `start_from` is another kind of network.
        WeightsError: the encoder's weights are not to be had.
    """
    torch.manual_seed(config.seed)
    if config.start_from is not None:
        package = resolve(config.start_from, settings)
        network = load_network(package)
        if not isinstance(network, StyleNetwork) or network.config.variant != config.variant:
            kind = package.manifest.variant
            raise ConfigError(f"start_from: {config.start_from} is {kind!r}; this run trains {config.variant!r}")
        return network.requires_grad_(True), [package.digest]
    if config.variant == "base":
        vgg = load_vgg19()
        base = {**BASE.as_dict(), "anchor": config.anchor, "vgg_source": vgg.source}
        network = StyleNetwork(NetworkConfig.from_dict(base))
        network.content_encoder.load_state_dict(vgg.state_dict())
        return network.requires_grad_(True), []
    network = StyleNetwork(NetworkConfig(anchor=config.anchor))
    network.content_encoder.load_state_dict(load_compact_encoder().state_dict())
    return network, []


def freeze_for_stage(network: StyleNetwork, stage: int) -> None:
    """Stage 1 leaves the content encoder as it is; stage 2 trains every module."""
    network.requires_grad_(True)
    network.content_encoder.requires_grad_(stage == 2)


def batch_source(
    config: TrainingConfig, stage_config: StageConfig, stage: int, content: PictureSet, style: PictureSet
) -> BatchSource:
    """Where a stage's batches come from."""
    return BatchSource(
        content=content,
        style=style,
        batch_size=stage_config.batch_size,
        crop_px=stage_config.crop_px,
        seed=config.seed,
        stage=stage,
        rotation_deg=config.rotation_deg,
        histogram_matching=config.histogram_matching,
    )


@torch.no_grad()
def sample_sheet(network: StyleNetwork, source: BatchSource, rows: int = 3) -> NDArray[np.uint8]:
    """A sheet to look at: photograph, style, then the pair at `SHEET_DIALS`; the same pairs every time.

    Returns:
        uint8 (rows * S, 6 * S, 3) for crops of S pixels.
    """
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    lines = []
    for row in range(rows):
        batch = source.batch(10_000_019 + row).to(device)  # far beyond any step: never a picture of the last batch
        content, style = batch.content[:1], batch.style[-1:]
        code = network.encode_style(style)
        cells = [content, style]
        for strength, fidelity in SHEET_DIALS:
            cells.append(network(content, *code, torch.tensor([[strength, fidelity, 1.0, 1.0, 0.0]], device=device)))
        lines.append(np.concatenate([to_pixels(cell) for cell in cells], axis=1))
    network.train(was_training)
    return np.concatenate(lines, axis=0)


def git_commit() -> str:
    """The repository's commit, with "+" if something is changed; "unknown" outside a repository."""
    folder = Path(__file__).resolve().parent
    try:
        ask = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty=+"]
        return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def flatten(settings: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Nested settings by dotted names, as MLflow lists parameters."""
    flat: dict[str, object] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _channels_last(extractor: nn.Module) -> Callable[[Tensor], Features]:
    """The extractor in channels-last, which convolutions on CPUs prefer."""

    def extract(image: Tensor) -> Features:
        features: Features = extractor(image.contiguous(memory_format=torch.channels_last))
        return features

    return extract
