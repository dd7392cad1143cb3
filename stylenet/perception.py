"""The extractor that losses and style distances look through: VGG-19 where its weights are, else our own encoder."""

import os
from pathlib import Path
from typing import Literal

from torch import Tensor, nn

from stylenet.encoders import CompactEncoder
from stylenet.errors import WeightsError
from stylenet.vgg import load_vgg19
from stylenet.weights import ROOT, KnownWeights, load_known

ExtractorName = Literal["auto", "vgg19", "compact"]
PRETRAINED = Path(os.environ.get("PENTIMENTO_PRETRAINED", ROOT / "pretrained"))
COMPACT_ENCODER = KnownWeights(
    "encoder.safetensors", "15383733684f03bf908fedb442523ad4b1f0f6227ddef341c70c49d337d4f0c3"
)


class Extractor(nn.Module):
    """image -> features by tap, frozen.

    Args:
        module: what looks.
        name: what to call it in reports.
    """

    def __init__(self, module: nn.Module, name: str) -> None:
        super().__init__()
        self.module = module.eval().requires_grad_(False)
        self.name = name

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) float32, -1..1, sides of at least 16 -> features at relu1_1, relu2_1, relu3_1, relu3_4."""
        taps: dict[str, Tensor] = self.module(image)
        return taps


def load_extractor(name: ExtractorName = "auto") -> Extractor:
    """The extractor of that name; "auto" takes VGG-19 where it lies on this machine, and never downloads.

    Raises:
        WeightsError: its weights are not to be had; the message says how to get them.
    """
    if name == "compact":
        return Extractor(load_compact_encoder(), "compact (distilled from VGG-19)")
    try:
        vgg = load_vgg19(download=name == "vgg19")
    except WeightsError:
        if name == "vgg19":
            raise
        return load_extractor("compact")
    return Extractor(vgg, f"VGG-19 ({vgg.source})")


def load_compact_encoder() -> CompactEncoder:
    """Our own encoder, as distilled: it ships, and never changes with a candidate, so that it can judge them all.

    Raises:
        WeightsError: the file is missing or altered.
    """
    encoder = CompactEncoder()
    encoder.load_state_dict(load_known(COMPACT_ENCODER, PRETRAINED / "encoder" / COMPACT_ENCODER.name))
    return encoder
