"""The style encoder: features of a style picture -> its code. Two paths that share no weights.

`texture` reads levels 1-2 (colour, stroke), `semantics` levels 3 and 4 (composition, light). Per level a code holds the
mean and standard deviation of each channel, a low-rank Gram matrix (global texture: Gatys et al. 2016), and K local
prototypes pooled by learned spatial attention (local texture: brush direction, density).
Letters: N batch, C channels, H height, W width, K prototypes, r Gram rank.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylenet.config import NetworkConfig
from stylenet.statistics import gram_matrix, split_statistics, upper_triangle
from stylenet.vgg import TAPS

TEXTURE_TAPS, SEMANTICS_TAPS = TAPS[:2], TAPS[2:]


class LevelCode(NamedTuple):
    """One level's share of the style code."""

    mean: Tensor
    """(N, C, 1, 1)"""
    std: Tensor
    """(N, C, 1, 1)"""
    gram: Tensor
    """(N, r(r+1)/2)"""
    prototypes: Tensor
    """(N, K, C), normalised by mean and std"""


class LevelEncoder(nn.Module):
    """Statistics and prototypes of one level."""

    def __init__(self, channels: int, rank: int, prototypes: int) -> None:
        super().__init__()
        self.channels, self.rank, self.prototypes = channels, rank, prototypes
        self.project = nn.Conv2d(channels, rank, 1, bias=False)
        self.attend = nn.Conv2d(channels, prototypes, 1)
        nn.init.orthogonal_(self.project.weight.data.view(rank, channels))

    @property
    def gram_size(self) -> int:
        """Distinct numbers of the projected Gram matrix."""
        return self.rank * (self.rank + 1) // 2

    @property
    def size(self) -> int:
        """Numbers in this level's share of the code."""
        return 2 * self.channels + self.gram_size + self.prototypes * self.channels

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, size): this level's share of the code, flat."""
        n = features.shape[0]
        normal, mean, std = split_statistics(features)
        gram = upper_triangle(gram_matrix(self.project(normal)), self.rank)
        # Where to look is learned; what is seen there is taken as it is, so that codes stay in feature units and mix.
        attention = functional.softmax(self.attend(normal).flatten(2), dim=2)  # (N, K, HW)
        prototypes = attention @ normal.flatten(2).transpose(1, 2)  # (N, K, C)
        return torch.cat([mean.flatten(1), std.flatten(1), gram.to(torch.float32), prototypes.reshape(n, -1)], dim=1)

    def unpack(self, flat: Tensor) -> LevelCode:
        """Undo the flattening: (N, size) -> the parts."""
        n, c = flat.shape[0], self.channels
        mean, std, gram, prototypes = flat.split([c, c, self.gram_size, self.prototypes * c], dim=1)
        return LevelCode(
            mean.reshape(n, c, 1, 1), std.reshape(n, c, 1, 1), gram, prototypes.reshape(n, self.prototypes, c)
        )


class StylePath(nn.Module):
    """One path of the style encoder: some levels, no weights shared with the other path."""

    def __init__(self, config: NetworkConfig, taps: tuple[str, ...]) -> None:
        super().__init__()
        self.taps = taps
        self.levels = nn.ModuleDict()
        for tap in taps:
            level = TAPS.index(tap)
            self.levels[tap] = LevelEncoder(config.encoder_widths[level], config.gram_ranks[level], config.prototypes)

    def _level(self, tap: str) -> LevelEncoder:
        level = self.levels[tap]
        assert isinstance(level, LevelEncoder)  # for the type checker: ModuleDict forgets what it holds
        return level

    @property
    def size(self) -> int:
        """Numbers in this path's part of the code."""
        return sum(self._level(tap).size for tap in self.taps)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Features by tap -> (N, size) float32."""
        return torch.cat([self._level(tap)(features[tap]) for tap in self.taps], dim=1)

    def unpack(self, flat: Tensor) -> dict[str, LevelCode]:
        """(N, size) -> the parts by tap."""
        sizes = [self._level(tap).size for tap in self.taps]
        parts = flat.split(sizes, dim=1)
        return {tap: self._level(tap).unpack(part) for tap, part in zip(self.taps, parts, strict=True)}
