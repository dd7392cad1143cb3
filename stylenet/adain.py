"""AdaIN (Huang & Belongie 2017), the baseline that every candidate must beat: on our content encoder, or on VGG-19."""

import torch
from torch import Tensor, nn

from stylenet.colour import colour_code
from stylenet.decoder import activate, enlarge
from stylenet.encoders import CompactEncoder, Conv
from stylenet.ledger import Ledger
from stylenet.statistics import mean_std
from stylenet.vgg import TAP_CHANNELS, Vgg19, taps_at_scale_one

WIDTHS = (16, 32, 64, 64)


class AdaIN(nn.Module):
    """Deepest content features with the style's channel statistics, then a decoder that mirrors the encoder.

    The same calls as `StyleNetwork`: its code's `semantics` holds means and deviations, `texture` nothing (one zero),
    and of the dials it knows `strength` alone, by interpolating features as its authors do.

    Args:
        widths: channels of the encoder's four taps, and of the decoder that mirrors them.
        vgg_source: whose VGG-19 encodes, as in its paper, up to relu3_4; None for the compact encoder.
    """

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS, vgg_source: str | None = None) -> None:
        super().__init__()
        self.widths = one, two, three, four = widths if vgg_source is None else TAP_CHANNELS
        self.vgg_source = vgg_source
        self.content_encoder = CompactEncoder(self.widths) if vgg_source is None else Vgg19(None, vgg_source)
        self.level4 = Conv(four, three)
        self.level3 = Conv(three, three)
        self.up4 = Conv(three, two)
        self.level2 = Conv(two, two)
        self.up2 = Conv(two, one)
        self.level1 = Conv(one, one)
        self.paint = Conv(one, 3)

    def encode_style(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A style picture (N, 3, H, W) -> colour (N, 12), texture (N, 1) zeros, semantics (N, 2C)."""
        deepest = self.features(image)["relu3_4"]
        mean, std = mean_std(deepest)
        semantics = torch.cat([mean.flatten(1), std.flatten(1)], dim=1)
        return colour_code(image), semantics[:, :1] * 0.0, semantics

    def transfer(self, features: Tensor, semantics: Tensor, strength: Tensor, ledger: Ledger) -> Tensor:
        """Equation 8 of the paper, interpolated by its equation 14: one scale and one shift per channel."""
        n, c = features.shape[:2]
        style_mean, style_std = semantics.reshape(n, 2, c, 1, 1).unbind(1)
        mean, std = ledger.mean_std(features)
        gain = style_std / std
        return features * (1 + strength * (gain - 1)) + strength * (style_mean - gain * mean)

    def decode(self, features: Tensor, like: dict[str, Tensor]) -> Tensor:
        """Features -> (N, 3, H, W); `like` gives the sizes on the way up, not its contents."""
        x = activate(self.level3(activate(self.level4(features))))
        x = activate(self.level2(enlarge(activate(self.up4(x)), like["relu2_1"])))
        x = activate(self.level1(enlarge(activate(self.up2(x)), like["relu1_1"])))
        painting: Tensor = self.paint(x)
        return painting.to(torch.float32)

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
        """The photograph in the style: arguments and result as of `StyleNetwork.forward`."""
        taps = self.features(image)
        strength = dials.reshape(-1, 5, 1, 1, 1).unbind(1)[0]
        # The graph keeps all of its inputs only if all are used; engines feed every network the same ones.
        unused = (colour.sum() + texture.sum()) * 0.0
        if offset is not None:
            unused = unused + offset.sum() * 0.0
        styled = self.transfer(taps["relu3_4"], semantics, strength, ledger or Ledger())
        return (self.decode(styled, taps) + unused).clamp(-1.0, 1.0)

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
        """Have everything measured that `forward` would measure, and stop there."""
        ledger.mean_std(self.features(image)["relu3_4"])

    def features(self, image: Tensor) -> dict[str, Tensor]:
        """The content encoder's taps, at a scale of 1."""
        return taps_at_scale_one(self.content_encoder, image)
