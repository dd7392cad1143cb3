"""The decoder: content features take on the style's statistics, level by level, and become a painting.

Deep levels are turned by the semantics path, shallow ones by the texture path; skip connections carry normalised
structure, so that outlines need not squeeze through the deepest level.
Letters: N batch, C channels, H height, W width, K prototypes, t dial (0 keeps the content's statistics, 1 the style's).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylenet.config import NetworkConfig
from stylenet.encoders import Conv
from stylenet.ledger import Ledger
from stylenet.style_encoder import LevelCode
from stylenet.vgg import TAPS

LEAK = 0.1
_GRAIN_PLANES = 4
_GRAIN_TILES_PX = (160, 128, 96, 64)  # at full, half, quarter and eighth size: it repeats after 160 to 512 pixels


def activate(x: Tensor) -> Tensor:
    """Leaky: with a plain ReLU whole levels died in training, and their dials with them (docs/LOG.md)."""
    return functional.leaky_relu(x, LEAK)


class Modulation(nn.Module):
    """Content features with the style's statistics: AdaIN (Huang & Belongie 2017) plus what the code knows beyond it.

    The Gram code corrects scale and shift per channel; every place then attends to the local prototypes and takes on
    what it finds there. All corrections start at zero, so that training starts from AdaIN.
    """

    def __init__(self, channels: int, gram_size: int) -> None:
        super().__init__()
        key_size = max(8, channels // 4)
        self.correct = nn.Linear(gram_size, 2 * channels)
        self.query = nn.Conv2d(channels, key_size, 1, bias=False)
        self.key = nn.Linear(channels, key_size, bias=False)
        self.value = nn.Linear(channels, channels, bias=False)
        self.temperature = key_size**-0.5
        for zeroed in (self.correct.weight, self.correct.bias, self.value.weight):
            nn.init.zeros_(zeroed)

    def forward(self, features: Tensor, code: LevelCode, t: Tensor, ledger: Ledger) -> Tensor:
        """(N, C, H, W) features -> the same shape, with statistics between the content's (t=0) and the style's (t=1).

        Everything that is the same for all places is worked out on vectors first: what is left for each place is one
        scale, one product with the keys and one with the values.

        Args:
            features: (N, C, H, W).
            code: the level's part of the style code.
            t: (N, 1, 1, 1), 0..1.
            ledger: gives the content's statistics.
        """
        n, c = features.shape[:2]
        mean, std = (part.reshape(n, 1, c) for part in ledger.mean_std(features))
        style_mean, style_std = code.mean.reshape(n, 1, c), code.std.reshape(n, 1, c)
        scale, shift = self.correct(code.gram).reshape(n, 2, c).split(1, dim=1)
        gain = (1 + scale) * style_std / std
        t = t.reshape(n, 1, 1)
        # The attention's weights sum to 1, so that what is the same everywhere may ride on the values.
        moved = shift * style_std + style_mean - gain * mean
        values = t * (self.value(code.prototypes) * style_std + moved)  # (N, K, C)
        keys = (self.key(code.prototypes) * self.temperature) @ self.query.weight.flatten(1) / std  # (N, K, C)
        logits = at_every_place(keys, features).flatten(2) - (keys * mean).sum(dim=2, keepdim=True)
        attention = functional.softmax(logits, dim=1).reshape(n, -1, *features.shape[2:])
        local = at_every_place(values.transpose(1, 2), attention)
        return features * (1 + t * (gain - 1)).reshape(n, c, 1, 1) + local


class Grain(nn.Module):
    """Irregularity for strokes to grow from, as strong as the style's texture asks.

    A convolution makes nothing of a clear sky: there is nothing to amplify. A fixed pattern of noise, the same for
    every picture (after StyleGAN's noise inputs, Karras et al. 2019, but frozen, so that the same input gives the same
    bytes), is spread over the channels and scaled by the texture path's Gram code.
    """

    def __init__(self, channels: int, gram_size: int, level: int) -> None:
        super().__init__()
        self.step_px = 2**level
        self.tile_px = tile_px = _GRAIN_TILES_PX[level]
        generator = torch.Generator().manual_seed(tile_px)
        self.noise: Tensor
        self.register_buffer("noise", torch.randn(1, _GRAIN_PLANES, tile_px, tile_px, generator=generator))
        self.spread = nn.Conv2d(_GRAIN_PLANES, channels, 1, bias=False)
        self.gain = nn.Linear(gram_size, channels)
        nn.init.zeros_(self.gain.weight)
        nn.init.constant_(self.gain.bias, 0.1)

    def forward(self, x: Tensor, gram: Tensor, t: Tensor, offset: Tensor | None) -> Tensor:
        """Features with grain.

        Args:
            x: (N, C, H, W). gram: (N, r(r+1)/2). t: (N, 1, 1, 1).
            offset: (2,) int64, multiples of 8: row and column of the first pixel in a larger picture; None is (0, 0).
        """
        rows, columns = (torch.arange(side, device=x.device) for side in x.shape[2:])
        if offset is not None:
            first = torch.div(offset, self.step_px, rounding_mode="floor")
            rows, columns = rows + first[0], columns + first[1]
        noise = self.noise.index_select(2, rows % self.tile_px).index_select(3, columns % self.tile_px)
        weights = self.gain(gram)[:, :, None] * self.spread.weight.flatten(1)  # (N, C, planes)
        return x + at_every_place(t.flatten(2) * weights, noise)


class StyledResidual(nn.Module):
    """Two convolutions at an eighth of the size, whose response the semantics code scales: large strokes, light."""

    def __init__(self, channels: int, code_size: int) -> None:
        super().__init__()
        self.first = Conv(channels, channels)
        self.second = Conv(channels, channels)
        self.correct = nn.Linear(code_size, 2 * channels)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, x: Tensor, code: Tensor, t: Tensor, ledger: Ledger) -> Tensor:
        """(N, C, H, W), (N, code_size), (N, 1, 1, 1) -> (N, C, H, W)."""
        n, c, _, _ = x.shape
        scale, shift = self.correct(code).reshape(n, 2, c, 1, 1).unbind(1)
        strokes = self.first(x)
        mean, std = ledger.mean_std(strokes)
        gain = (1 + t * scale) / std
        return x + self.second(activate(strokes * gain + (t * shift - gain * mean)))


class Decoder(nn.Module):
    """Content taps + style code -> painting, before fusion."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        one, two, three, eighth = config.decoder_widths
        enc1, enc2, enc3, enc4 = config.encoder_widths
        grams = [rank * (rank + 1) // 2 for rank in config.gram_ranks]
        self.modulate = nn.ModuleDict(
            {tap: Modulation(width, gram) for tap, width, gram in zip(TAPS, config.encoder_widths, grams, strict=True)}
        )
        self.grain = nn.ModuleList([Grain(width, grams[1], level) for level, width in enumerate(config.decoder_widths)])
        self.enter4 = Conv(enc4, three)
        self.down = Conv(three, eighth, stride=2)
        self.deep = nn.ModuleList([StyledResidual(eighth, grams[2] + grams[3]) for _ in range(2)])
        self.up8 = nn.Conv2d(eighth, three, 1)
        self.skip3 = nn.Conv2d(enc3, three, 1)
        self.merge3 = Conv(three, three)
        self.up4 = Conv(three, two)
        self.skip2 = nn.Conv2d(enc2, two, 1)
        self.merge2 = Conv(two, two)
        self.up2 = Conv(two, one)
        self.skip1 = nn.Conv2d(enc1, one, 1)
        self.merge1 = Conv(one, one)
        self.paint = Conv(one, 3)

    def forward(
        self,
        content: dict[str, Tensor],
        texture: dict[str, LevelCode],
        semantics: dict[str, LevelCode],
        t_texture: Tensor,
        t_semantics: Tensor,
        ledger: Ledger,
        offset: Tensor | None = None,
    ) -> Tensor:
        """A painting.

        Args:
            content: the photograph's features by tap.
            texture: codes of levels 1-2. semantics: codes of levels 3-4.
            t_texture, t_semantics: (N, 1, 1, 1), 0..1.
            ledger: gives the photograph's statistics.
            offset: where the photograph lies in a larger one; see `Grain`.

        Returns:
            (N, 3, H, W) float32, near -1..1.
        """
        codes = {**texture, **semantics}
        one, two, three, four = (
            self.modulate[tap](content[tap], codes[tap], t_texture if tap in texture else t_semantics, ledger)
            for tap in TAPS
        )
        x, deep = self._deepest(four, texture, semantics, t_texture, t_semantics, ledger, offset)
        gram = texture[TAPS[1]].gram
        x = activate(self.skip3(three) + x + enlarge(self.up8(deep), x))
        x = activate(self.merge3(self.grain[2](x, gram, t_texture, offset)))
        x = activate(self.skip2(two) + enlarge(self.up4(x), two))
        x = activate(self.merge2(self.grain[1](x, gram, t_texture, offset)))
        x = activate(self.skip1(one) + enlarge(self.up2(x), one))
        x = activate(self.merge1(self.grain[0](x, gram, t_texture, offset)))
        painting: Tensor = self.paint(x)
        return painting.to(torch.float32)

    def measure(
        self,
        content: dict[str, Tensor],
        texture: dict[str, LevelCode],
        semantics: dict[str, LevelCode],
        t_texture: Tensor,
        t_semantics: Tensor,
        ledger: Ledger,
        offset: Tensor | None = None,
    ) -> None:
        """Have every statistic of `forward` measured, and paint nothing: arguments as of `forward`."""
        for tap in TAPS[:3]:
            ledger.mean_std(content[tap])
        four = self.modulate[TAPS[3]](content[TAPS[3]], semantics[TAPS[3]], t_semantics, ledger)
        self._deepest(four, texture, semantics, t_texture, t_semantics, ledger, offset)

    def _deepest(
        self,
        four: Tensor,
        texture: dict[str, LevelCode],
        semantics: dict[str, LevelCode],
        t_texture: Tensor,
        t_semantics: Tensor,
        ledger: Ledger,
        offset: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """What enters the decoder at a quarter of the size, and what the styled residuals make of it at an eighth."""
        x = activate(self.enter4(four))
        deep = self.grain[3](activate(self.down(x)), texture[TAPS[1]].gram, t_texture, offset)
        grams = torch.cat([code.gram for code in semantics.values()], dim=1)
        for block in self.deep:
            deep = block(deep, grams, t_semantics, ledger)
        return x, deep


def at_every_place(weights: Tensor, x: Tensor) -> Tensor:
    """A 1x1 convolution with weights of its own for each picture: (N, D, C), (N, C, H, W) -> (N, D, H, W)."""
    n, d, h, w = weights.shape[0], weights.shape[1], x.shape[2], x.shape[3]
    return (weights.to(x.dtype) @ x.flatten(2)).reshape(n, d, h, w)


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """Twice the size, nearest, cut to the size of `like`: odd sizes round up on the way down, so a row is too many."""
    doubled = functional.interpolate(x, scale_factor=2.0, mode="nearest")
    return doubled[:, :, : like.shape[2], : like.shape[3]]
