"""Colour statistics and the recoloured photograph: the photo carried to the style's colours, every edge in place.

Works in an opponent space with lightness first. The Cholesky factor of the colour covariance is lower triangular there,
so the new lightness depends on the old lightness alone and never on hue: outlines that were visible stay visible.
Letters: N batch, H height, W width; m mean, L Cholesky factor.
"""

import torch
from torch import Tensor

from stylenet.statistics import full_precision

# Rows: lightness, red-green, yellow-blue; orthonormal, so that its inverse is its transpose.
_OPPONENT = (
    (0.57735027, 0.57735027, 0.57735027),
    (0.70710678, -0.70710678, 0.0),
    (0.40824829, 0.40824829, -0.81649658),
)
_VARIANCE_FLOOR = 4e-4  # (2.5 grey levels)^2: a flat photograph must not be amplified into noise
MAX_GAIN = 3.0  # of lightness and of each chroma axis: beyond it, JPEG blocks become visible


def opponent_matrix(like: Tensor) -> Tensor:
    """(3, 3): RGB -> lightness, red-green, yellow-blue."""
    return torch.tensor(_OPPONENT, dtype=torch.float32, device=like.device)


@full_precision
def to_opponent(image: Tensor) -> Tensor:
    """(N, 3, H, W) RGB image -> lightness and two chroma planes, same scale."""
    return _apply(opponent_matrix(image), image)


@full_precision
def from_opponent(planes: Tensor) -> Tensor:
    """Undo `to_opponent`."""
    return _apply(opponent_matrix(planes).transpose(0, 1), planes)


@full_precision
def colour_code(image: Tensor) -> Tensor:
    """A picture's colour statistics in opponent space.

    Args:
        image: (N, 3, H, W) float32, -1..1.

    Returns:
        (N, 12) float32: mean (3), then the Cholesky factor of the covariance (9, row by row, zeros above the diagonal).
    """
    planes = to_opponent(image).flatten(2)  # (N, 3, HW)
    mean = planes.mean(dim=2)
    centred = planes - mean.unsqueeze(2)
    covariance = centred @ centred.transpose(1, 2) / planes.shape[2]
    return torch.cat([mean, _cholesky(covariance)], dim=1)


@full_precision
def recolour(image: Tensor, content_code: Tensor, style_code: Tensor) -> Tensor:
    """The photograph with the mean and covariance of the style's colours.

    Args:
        image: (N, 3, H, W) float32, -1..1.
        content_code: (N, 12): the photograph's own `colour_code`.
        style_code: (N, 12): the style's.

    Returns:
        (N, 3, H, W) float32; may leave -1..1, so that nothing is clipped before the fusion.
    """
    content_mean, content_factor = _split(content_code)
    style_mean, style_factor = _split(style_code)
    there = opponent_matrix(image)
    transform = _limit(style_factor @ _inverse_lower(content_factor)) @ there
    shift = style_mean.unsqueeze(2) - (transform @ there.transpose(0, 1)) @ content_mean.unsqueeze(2)
    back = there.transpose(0, 1)
    return _apply(back @ transform, image) + (back @ shift).unsqueeze(3)


def between(content_code: Tensor, style_code: Tensor, *, light: Tensor, chroma: Tensor) -> Tensor:
    """A colour code on the way from one to another: lightness and chroma each go their own share of it.

    Any mixture of two Cholesky factors, entry by entry, is one again, so that every share of either is allowed.

    Args:
        content_code, style_code: (N, 12).
        light: (N, 1), 0..1: the share of lightness's mean and deviation.
        chroma: (N, 1), 0..1: the share of everything else: hue, colourfulness, and how both follow lightness.

    Returns:
        (N, 12) float32.
    """
    is_light = torch.zeros(12, device=content_code.device)
    is_light[[0, 3]] = 1.0  # of the mean and of the factor, the first each
    share = chroma + is_light * (light - chroma)
    return content_code + share * (style_code - content_code)


@full_precision
def with_chroma_of(image: Tensor, source: Tensor, share: Tensor) -> Tensor:
    """Lightness of `image`, chroma moved towards that of `source`.

    Args:
        image, source: (N, 3, H, W).
        share: broadcastable to (N, 1, 1, 1), 0..1: 1 takes all chroma from `source`.
    """
    change = share * (source - image)
    # Lightness is the channels' mean: taken out of the change, it stays as it is.
    return image + (change - change.mean(dim=1, keepdim=True))


def _apply(matrix: Tensor, image: Tensor) -> Tensor:
    n, _, h, w = image.shape
    return (matrix @ image.to(torch.float32).flatten(2)).reshape(n, 3, h, w)


def _split(code: Tensor) -> tuple[Tensor, Tensor]:
    return code[:, :3], code[:, 3:].reshape(-1, 3, 3)


def _cholesky(covariance: Tensor) -> Tensor:
    """Lower Cholesky factor of (N, 3, 3) as (N, 9), in closed form: `linalg.cholesky` has no ONNX operator."""
    a = covariance
    l00 = (a[:, 0, 0] + _VARIANCE_FLOOR).sqrt()
    l10 = a[:, 1, 0] / l00
    l20 = a[:, 2, 0] / l00
    l11 = ((a[:, 1, 1] - l10 * l10).clamp(min=0) + _VARIANCE_FLOOR).sqrt()
    l21 = (a[:, 2, 1] - l20 * l10) / l11
    l22 = ((a[:, 2, 2] - l20 * l20 - l21 * l21).clamp(min=0) + _VARIANCE_FLOOR).sqrt()
    zero = torch.zeros_like(l00)
    return torch.stack([l00, zero, zero, l10, l11, zero, l20, l21, l22], dim=1)


def _inverse_lower(factor: Tensor) -> Tensor:
    """Inverse of lower triangular (N, 3, 3) matrices with positive diagonals."""
    l00, l11, l22 = factor[:, 0, 0], factor[:, 1, 1], factor[:, 2, 2]
    l10, l20, l21 = factor[:, 1, 0], factor[:, 2, 0], factor[:, 2, 1]
    zero = torch.zeros_like(l00)
    i10 = -l10 / (l00 * l11)
    i20 = (l10 * l21 - l20 * l11) / (l00 * l11 * l22)
    i21 = -l21 / (l11 * l22)
    flat = torch.stack([1 / l00, zero, zero, i10, 1 / l11, zero, i20, i21, 1 / l22], dim=1)
    return flat.reshape(-1, 3, 3)


def _limit(transform: Tensor) -> Tensor:
    """Scale each output row down so that no axis is amplified by more than MAX_GAIN."""
    gain = transform.square().sum(dim=2, keepdim=True).sqrt()
    return transform * (MAX_GAIN / gain.clamp(min=MAX_GAIN))
