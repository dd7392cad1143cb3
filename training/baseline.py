"""The AdaIN baseline, trained as our own network is: same pictures, crops, extractor and number of steps."""

from pathlib import Path

import torch
from torch import nn

from stylenet.adain import AdaIN
from stylenet.encoders import CompactEncoder
from stylenet.vgg import Vgg19
from training.batches import BatchSource
from training.config import StageConfig
from training.loop import Checkpointing, Listener, run_stage
from training.objective import adain_objective

STYLE_WEIGHT = 2.0  # the paper's 10 is for sums over levels; ours is a share of the way to the style, averaged


def train_adain(
    encoder: CompactEncoder | Vgg19,
    extractor: nn.Module,
    source: BatchSource,
    config: StageConfig,
    *,
    checkpoint: Path | None = None,
    listener: Listener = lambda report: None,
    bf16: bool = True,
    style_weight: float = STYLE_WEIGHT,
) -> AdaIN:
    """Train AdaIN's decoder on a frozen encoder, as its authors do.

    Args:
        encoder: the encoder that our own network starts from, or VGG-19 as in the paper.
        extractor: the frozen extractor that judges style.
        source: the same batches as our network's.
        config: how long, and how fast.
        checkpoint: where to keep the state of an unfinished run.

    Raises:
        DivergedError, CheckpointError: as `run_stage`.
    """
    torch.manual_seed(source.seed)
    network = AdaIN(vgg_source=encoder.source) if isinstance(encoder, Vgg19) else AdaIN(encoder.tap_channels)
    network.content_encoder.load_state_dict(encoder.state_dict())
    network.content_encoder.requires_grad_(False)
    network.to(next(extractor.parameters()).device)
    run_stage(
        network,
        stage=1,
        config=config,
        source=source,
        objective=lambda batch: adain_objective(network, batch, extractor, style_weight),
        checkpointing=None
        if checkpoint is None
        else Checkpointing(
            path=checkpoint,
            every_steps=200,
            config_digest=config.model_dump_json(),
            data_digest=f"{source.content.digest}:{source.style.digest}",
        ),
        listener=listener,
        bf16=bf16,
    )
    return network
