"""Structure-preserving adaptive fusion: I_out = a F + (1 - a) A, with a = f(SSIM), per pixel and per frequency band.

F is the painting, A the anchor. The article's anchor is the photograph itself, with one band: blending raw content
washes the style out. Ours is the photograph carried to the style's colours, and only the bands that hold outlines are
gated: the lowest band, colour and light, comes from the painting. The style's two parts are told apart here too: where
texture is turned down strokes and hue fall back to the anchor, where semantics is turned down the light does.
Letters: N batch, H height, W width, B bands.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylenet.statistics import full_precision

_WINDOW = 7  # pixels of the SSIM window; uniform, as in the original's fast form (Wang et al. 2004)
_C1, _C2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2  # SSIM's constants for a dynamic range of 2
_COARSE = 4  # the middle band ends where a picture of a quarter of the size begins


def lightness(image: Tensor) -> Tensor:
    """(N, 3, H, W) -> (N, 1, H, W), -1..1: mean of the three channels."""
    planes = image.to(torch.float32).flatten(2).mean(dim=1, keepdim=True)
    return planes.reshape(-1, 1, *image.shape[2:])


def local_ssim(one: Tensor, other: Tensor) -> Tensor:
    """SSIM around each pixel.

    Args:
        one, other: (N, 1, H, W) float32, -1..1.

    Returns:
        (N, 1, H, W) float32, -1..1; 1 where both are the same.
    """
    return _compare(one, other)[0].reshape(one.shape)


@full_precision
def split_bands(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """An image as a sum of three bands.

    Args:
        image: (N, 3, H, W).

    Returns:
        high (detail below about 4 pixels), middle (4 to about 16 pixels), low (the rest); their sum is the image.
    """
    fine = _blur(image)
    coarse = _enlarge(_blur(functional.avg_pool2d(image, _COARSE, ceil_mode=True, count_include_pad=False)), image)
    high, middle = image.flatten(2) - fine.flatten(2), fine.flatten(2) - coarse.flatten(2)
    return high.reshape(image.shape), middle.reshape(image.shape), coarse


class Fusion(nn.Module):
    """Blends painting and anchor with gates that look at the local SSIM.

    Args:
        anchor: "recoloured": gates per band; "content": the article's formula, one gate for the whole picture.
    """

    def __init__(self, anchor: str) -> None:
        super().__init__()
        self.anchor = anchor
        bands = 2 if anchor == "recoloured" else 1
        self.look = nn.Conv2d(3, 8, 1)
        self.gate = nn.Conv2d(8, bands, 1)
        # How strongly the fidelity dial pushes each gate towards the anchor; softplus keeps it monotone.
        self.push = nn.Parameter(torch.full((1, bands, 1, 1), 3.0))
        nn.init.zeros_(self.gate.weight)
        if self.gate.bias is not None:
            nn.init.zeros_(self.gate.bias)

    def forward(self, painting: Tensor, anchor: Tensor, fidelity: Tensor, texture: Tensor, semantics: Tensor) -> Tensor:
        """The fused picture.

        Args:
            painting: (N, 3, H, W), what the decoder made.
            anchor: (N, 3, H, W), what holds the outlines.
            fidelity: (N, 1, 1, 1), 0..1.
            texture: (N, 1, 1, 1), 0..1: how much of the painting shows; without it there is the anchor alone, whose
                light may still be the style's.
            semantics: (N, 1, 1, 1), 0..1: how much of the painting's light shows with it. The article's formula knows
                neither.

        Returns:
            (N, 3, H, W) float32.
        """
        shares = self.shares(painting, anchor, fidelity)
        if self.anchor == "content":
            return anchor + shares * (painting - anchor)
        # Bands are linear, so that one split of the difference does for both pictures.
        held = anchor.flatten(2)
        difference = (painting.flatten(2) - held).reshape(anchor.shape)
        high, middle, low = (band.flatten(2) for band in split_bands(difference))
        fine, coarse = shares.flatten(2).split(1, dim=1)
        # Written so that with both at 1 nothing is added: the low band is then the painting's, to the last bit.
        light = (semantics.flatten(2) - 1) * low.mean(dim=1, keepdim=True)
        return (held + texture.flatten(2) * (low + light + fine * high + coarse * middle)).reshape(anchor.shape)

    def shares(self, painting: Tensor, anchor: Tensor, fidelity: Tensor) -> Tensor:
        """The painting's share `a` per band and pixel: (N, B, H, W), 0..1."""
        ours, theirs = lightness(painting), lightness(anchor)
        likeness, off1, off2 = _compare(ours, theirs)
        seen = torch.cat([likeness, off1.abs() * 4, off2.abs() * 4], dim=1).reshape(-1, 3, *ours.shape[2:])
        logits = self.gate(functional.relu(self.look(seen))).to(torch.float32)
        return torch.sigmoid(logits + functional.softplus(self.push) * (1 - 2 * fidelity))


def _compare(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The local SSIM, and each picture less its local mean, from one pooling of five planes.

    The planes are kept flat, (N, 1, HW), out and in between: processors keep pictures channels last, and of a single
    channel they would take one number at a time.
    """
    a, b = one.flatten(2), other.flatten(2)
    summed = _window_sums(torch.cat([a, b, a * a, b * b, a * b], dim=1).reshape(-1, 5, *one.shape[2:]))
    mean1, mean2, square1, square2, product = (summed.flatten(2) / _window_sizes(one)).split(1, dim=1)
    variance1 = (square1 - mean1 * mean1).clamp(min=0)
    variance2 = (square2 - mean2 * mean2).clamp(min=0)
    covariance = product - mean1 * mean2
    likeness = (2 * mean1 * mean2 + _C1) / (mean1 * mean1 + mean2 * mean2 + _C1)
    return likeness * (2 * covariance + _C2) / (variance1 + variance2 + _C2), a - mean1, b - mean2


def _window_sums(planes: Tensor) -> Tensor:
    """Sums over the window around each pixel, by columns and by rows, nothing beyond borders: (N, 5, H, W) -> alike."""
    half, ones = _WINDOW // 2, torch.ones(5, 1, _WINDOW, 1, device=planes.device)
    columns = functional.conv2d(planes, ones, padding=(half, 0), groups=5)
    return functional.conv2d(columns, ones.transpose(2, 3), padding=(0, half), groups=5)


def _window_sizes(like: Tensor) -> Tensor:
    """(1, 1, HW): how many pixels the window around each holds; border windows hold fewer, none of them invented."""
    half, sizes = _WINDOW // 2, []
    for side in like.shape[2:]:
        before = torch.arange(side, device=like.device, dtype=torch.float32)
        sizes.append(1 + before.clamp(max=half) + before.flip(0).clamp(max=half))
    return (sizes[0][:, None] * sizes[1][None, :]).reshape(1, 1, -1)


def _blur(image: Tensor) -> Tensor:
    """A Gaussian of sigma 1.5, separable, with reflected borders."""
    offsets = torch.arange(-3, 4, dtype=torch.float32, device=image.device)
    weights = torch.exp(-offsets.square() / (2 * 1.5**2))
    weights = weights / weights.sum()
    channels = 3  # said outright: taken from the shape, it would be a free variable of the exported graph
    padded = functional.pad(image, (3, 3, 3, 3), mode="replicate")
    rows = functional.conv2d(padded, weights.view(1, 1, 7, 1).repeat(channels, 1, 1, 1), groups=channels)
    return functional.conv2d(rows, weights.view(1, 1, 1, 7).repeat(channels, 1, 1, 1), groups=channels)


def _enlarge(small: Tensor, like: Tensor) -> Tensor:
    """Bilinear by `_COARSE`, cut to the size of `like`."""
    large = functional.interpolate(small, scale_factor=float(_COARSE), mode="bilinear", align_corners=False)
    return large[:, :, : like.shape[2], : like.shape[3]]
