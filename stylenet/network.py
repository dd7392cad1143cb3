"""The style-decoupled transfer network: the whole forward pass on one page."""

import torch
from torch import Tensor, nn

from stylenet.colour import between, colour_code, recolour, with_chroma_of
from stylenet.config import NetworkConfig
from stylenet.decoder import Decoder
from stylenet.encoders import CompactEncoder
from stylenet.errors import WeightsError
from stylenet.fusion import Fusion
from stylenet.ledger import Ledger
from stylenet.style_encoder import SEMANTICS_TAPS, TEXTURE_TAPS, StylePath
from stylenet.vgg import Vgg19, taps_at_scale_one

STEP_PX = 8
"""The deepest level sees one place per so many pixels: tiles begin at multiples of it."""
FULL_AT = 0.25
"""Below this strength the picture itself fades to the photograph, so that strength 0 is the identity."""


class StyleNetwork(nn.Module):
    """Photograph + style code + dials -> painting.

    Args:
        config: what it is made of. Weights are random until loaded.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.content_encoder = (
            CompactEncoder(config.encoder_widths) if config.variant == "compact" else Vgg19(None, config.vgg_source)
        )
        self.texture_path = StylePath(config, TEXTURE_TAPS)
        self.semantics_path = StylePath(config, SEMANTICS_TAPS)
        self.decoder = Decoder(config)
        self.fusion = Fusion(config.anchor)

    def encode_style(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A style picture's code.

        Args:
            image: (N, 3, H, W) float32, -1..1, sides of at least 16.

        Returns:
            colour (N, 12), texture (N, T), semantics (N, S), all float32.
        """
        features = self.features(image)
        return colour_code(image), self.texture_path(features), self.semantics_path(features)

    def forward(
        self,
        image: Tensor,
        colour: Tensor,
        texture: Tensor,
        semantics: Tensor,
        dials: Tensor,
        ledger: Ledger | None = None,
        offset: Tensor | None = None,
    ) -> Tensor:
        """The photograph in the style.

        Args:
            image: (N, 3, H, W) float32, -1..1, sides of at least 16.
            colour, texture, semantics: the style code, as `encode_style` gives it.
            dials: (N, 5) float32, 0..1: strength, fidelity, texture, semantics, keep_color.
            ledger: gives the photograph's statistics and collects what is measured; a new one by default.
            offset: (2,) int64, multiples of `STEP_PX`: where the image begins, row and column, in a larger picture of
                which it is a tile; (0, 0) by default.

        Returns:
            (N, 3, H, W) float32, -1..1.
        """
        ledger = ledger or Ledger()
        strength, fidelity, dial_texture, dial_semantics, keep_color = dials.reshape(-1, 5, 1, 1, 1).unbind(1)
        t_texture, t_semantics = strength * dial_texture, strength * dial_semantics

        content_colour = ledger.settle(colour_code(image))
        light, chroma = t_semantics.flatten(1), t_texture.flatten(1)  # hue belongs to the texture, light does not
        target_colour = between(content_colour, colour, light=light, chroma=chroma)
        recoloured = recolour(image, content_colour, target_colour)

        painting = self.decoder(
            self.features(image),
            self.texture_path.unpack(texture),
            self.semantics_path.unpack(semantics),
            t_texture,
            t_semantics,
            ledger,
            offset,
        )
        anchor = recoloured if self.config.anchor == "recoloured" else image
        fused = self.fusion(painting, anchor, fidelity, dial_texture, dial_semantics)
        fused = with_chroma_of(fused, image, keep_color)
        presence = (strength / FULL_AT).clamp(max=1.0)
        return (image + presence * (fused - image)).clamp(-1.0, 1.0)

    def measure(
        self,
        image: Tensor,
        colour: Tensor,
        texture: Tensor,
        semantics: Tensor,
        dials: Tensor,
        ledger: Ledger,
        offset: Tensor | None = None,
    ) -> None:
        """Have everything measured that `forward` would measure, and stop there: arguments as of `forward`."""
        strength, _, dial_texture, dial_semantics, _ = dials.reshape(-1, 5, 1, 1, 1).unbind(1)
        ledger.settle(colour_code(image))
        self.decoder.measure(
            self.features(image),
            self.texture_path.unpack(texture),
            self.semantics_path.unpack(semantics),
            strength * dial_texture,
            strength * dial_semantics,
            ledger,
            offset,
        )

    def features(self, image: Tensor) -> dict[str, Tensor]:
        """The content encoder's taps, at a scale of 1."""
        return taps_at_scale_one(self.content_encoder, image)


def load_state(network: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Load weights that must fit exactly.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise WeightsError(f"{name} does not fit this network: {reason}; use weights made with this config") from error


@torch.no_grad()
def count_parameters(network: nn.Module) -> int:
    """How many numbers the network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())
