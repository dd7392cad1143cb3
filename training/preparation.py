"""What a run needs before its first step: pictures, device, network, batches; and what names it afterwards."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from registry.references import resolve
from registry.settings import Settings
from runtime.networks import load_network
from stylenet.config import BASE, NetworkConfig
from stylenet.errors import ConfigError
from stylenet.losses import Features
from stylenet.network import StyleNetwork
from stylenet.perception import load_compact_encoder
from stylenet.vgg import load_vgg19
from training.batches import BatchSource
from training.config import StageConfig, TrainingConfig
from training.errors import TrainingConfigError
from training.pictures import PictureSet
from training.workers import ALONE, Worker

M = TypeVar("M", bound=nn.Module)


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


def pick_device(asked: str, worker: Worker = ALONE) -> torch.device:
    """Where a worker trains: each on a GPU of its own where there are any.

    Raises:
        TrainingConfigError: a GPU is asked for and torch sees none.
    """
    if asked == "cuda" and not torch.cuda.is_available():
        raise TrainingConfigError(
            "device: cuda, but torch sees no GPU; use device: auto, or install torch's CUDA build"
        )
    if asked == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if worker.local_rank >= torch.cuda.device_count():
        raise TrainingConfigError(
            f"worker {worker.local_rank} of this machine has no GPU: torch sees {torch.cuda.device_count()}; "
            f"use torchrun --nproc-per-node {torch.cuda.device_count()}"
        )
    return torch.device("cuda", worker.local_rank)


def onto(device: torch.device, module: M) -> M:
    """The module on a device, its convolutions in channels-last, which CPUs and GPUs prefer."""
    module.to(device)
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from torch's stubs


def describe_device(device: torch.device) -> str:
    """For the model card: the GPU's name, or how many CPU threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


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


def channels_last(extractor: nn.Module) -> Callable[[Tensor], Features]:
    """The extractor in channels-last, which convolutions on CPUs prefer."""

    def extract(image: Tensor) -> Features:
        features: Features = extractor(image.contiguous(memory_format=torch.channels_last))
        return features

    return extract
