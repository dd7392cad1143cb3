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
from stylenet.statistics import normalise
from stylenet.style_encoder import LevelCode
from stylenet.vgg import TAPS

_GRAIN_PLANES = 4
_GRAIN_TILES_PX = (160, 128, 96, 64)  # at full, half, quarter and eighth size: it repeats after 160 to 512 pixels


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

    def forward(self, features: Tensor, code: LevelCode, t: Tensor) -> Tensor:
        """(N, C, H, W) features -> the same shape, with statistics between the content's (t=0) and the style's (t=1).

        Args:
            features: (N, C, H, W).
            code: the level's part of the style code.
            t: (N, 1, 1, 1), 0..1.
        """
        n, c = features.shape[:2]
        normal = normalise(features)
        scale, shift = self.correct(code.gram).reshape(n, 2, c, 1, 1).unbind(1)
        attention = torch.einsum("ndhw,nkd->nkhw", self.query(normal), self.key(code.prototypes))
        attention = functional.softmax(attention * self.temperature, dim=1)
        local = torch.einsum("nkhw,nkc->nchw", attention, self.value(code.prototypes))
        styled = (normal * (1 + scale) + shift + local) * code.std + code.mean
        return features + t * (styled - features)


class Grain(nn.Module):
    """Irregularity for strokes to grow from, as strong as the style's texture asks.

    A convolution makes nothing of a clear sky: there is nothing to amplify. A fixed pattern of noise, the same for
    every picture (after StyleGAN's noise inputs, Karras et al. 2019, but frozen, so that the same input gives the same
    bytes), is spread over the channels and scaled by the texture path's Gram code.
    """

    def __init__(self, channels: int, gram_size: int, tile_px: int) -> None:
        super().__init__()
        self.tile_px = tile_px
        generator = torch.Generator().manual_seed(tile_px)
        self.noise: Tensor
        self.register_buffer("noise", torch.randn(1, _GRAIN_PLANES, tile_px, tile_px, generator=generator))
        self.spread = nn.Conv2d(_GRAIN_PLANES, channels, 1, bias=False)
        self.gain = nn.Linear(gram_size, channels)
        nn.init.zeros_(self.gain.weight)
        nn.init.constant_(self.gain.bias, 0.1)

    def forward(self, x: Tensor, gram: Tensor, t: Tensor) -> Tensor:
        """(N, C, H, W) features, (N, r(r+1)/2) Gram code, (N, 1, 1, 1) dial -> (N, C, H, W)."""
        rows = torch.arange(x.shape[2], device=x.device) % self.tile_px
        columns = torch.arange(x.shape[3], device=x.device) % self.tile_px
        noise = self.noise.index_select(2, rows).index_select(3, columns)
        return x + t * self.gain(gram)[:, :, None, None] * self.spread(noise)


class StyledResidual(nn.Module):
    """Two convolutions at an eighth of the size, whose response the semantics code scales: large strokes, light."""

    def __init__(self, channels: int, code_size: int) -> None:
        super().__init__()
        self.first = Conv(channels, channels)
        self.second = Conv(channels, channels)
        self.correct = nn.Linear(code_size, 2 * channels)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, x: Tensor, code: Tensor, t: Tensor) -> Tensor:
        """(N, C, H, W), (N, code_size), (N, 1, 1, 1) -> (N, C, H, W)."""
        n, c, _, _ = x.shape
        scale, shift = self.correct(code).reshape(n, 2, c, 1, 1).unbind(1)
        normal = normalise(self.first(x))
        return x + self.second(functional.relu(normal * (1 + t * scale) + t * shift))


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
        self.grain = nn.ModuleList(
            [Grain(width, grams[1], tile) for width, tile in zip(config.decoder_widths, _GRAIN_TILES_PX, strict=True)]
        )
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
    ) -> Tensor:
        """A painting.

        Args:
            content: the photograph's features by tap.
            texture: codes of levels 1-2. semantics: codes of levels 3-4.
            t_texture, t_semantics: (N, 1, 1, 1), 0..1.

        Returns:
            (N, 3, H, W) float32, near -1..1.
        """
        styled = {
            tap: self.modulate[tap](
                content[tap], texture.get(tap) or semantics[tap], t_texture if tap in texture else t_semantics
            )
            for tap in TAPS
        }
        one, two, three, four = (styled[tap] for tap in TAPS)
        x = functional.relu(self.enter4(four))
        gram = texture[TAPS[1]].gram
        deep = self.grain[3](functional.relu(self.down(x)), gram, t_texture)
        grams = torch.cat([code.gram for code in semantics.values()], dim=1)
        for block in self.deep:
            deep = block(deep, grams, t_semantics)
        x = functional.relu(self.skip3(three) + x + enlarge(self.up8(deep), x))
        x = functional.relu(self.merge3(self.grain[2](x, gram, t_texture)))
        x = functional.relu(self.skip2(two) + enlarge(self.up4(x), two))
        x = functional.relu(self.merge2(self.grain[1](x, gram, t_texture)))
        x = functional.relu(self.skip1(one) + enlarge(self.up2(x), one))
        x = functional.relu(self.merge1(self.grain[0](x, gram, t_texture)))
        painting: Tensor = self.paint(x)
        return painting.to(torch.float32)


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """Twice the size, nearest, cut to the size of `like`: odd sizes round up on the way down, so a row is too many."""
    doubled = functional.interpolate(x, scale_factor=2.0, mode="nearest")
    return doubled[:, :, : like.shape[2], : like.shape[3]]
