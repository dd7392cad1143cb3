"""What training minimises. Every term is a share of a reference measured on the same pictures, so that weights mean
what they say: 1 is "no better than the reference", whatever the picture or the extractor.

The article's objective is .5 content + .3 style (Gram + attention consistency) + .2 total variation. Further terms are
configured apart and reported apart (`ExtraWeights`).
Letters: N batch, C channels, H height, W width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from stylenet.colour import colour_code
from stylenet.errors import ConfigError
from stylenet.fusion import lightness
from stylenet.statistics import full_precision, gram_matrix, mean_std, normalise

Features = dict[str, Tensor]
Measure = Callable[[Tensor], Tensor]
_TINY = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleWeights:
    """The article's three terms."""

    content: float = 0.5
    style: float = 0.3
    total_variation: float = 0.2

    def __post_init__(self) -> None:
        _check_weights(self, ("content", "style", "total_variation"))


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraWeights:
    """Terms beyond the article's.

    Args:
        gram: share left of the style's Gram matrices, on top of the article's term: strokes.
        statistics: share left of the style's channel means and deviations (Huang & Belongie 2017): the engine of style.
        edges: Sobel gradients of pixels against the recoloured photo, up to local contrast: binds outlines.
        colour: mean and covariance of the colours against the style's.
        identity: plain L1 to the photograph where the style *is* the photograph: keeps the decoder honest.
    """

    gram: float = 3.0
    statistics: float = 3.0
    edges: float = 0.3
    colour: float = 0.5
    identity: float = 1.0

    def __post_init__(self) -> None:
        _check_weights(self, ("gram", "statistics", "edges", "colour", "identity"))


def content_loss(output: Features, content: Features, style: Features) -> Tensor:
    """L1 between normalised features, as a share of that between photograph and style picture (two unrelated ones).

    Normalised, since the style is allowed to change what the mean and deviation of a channel are, not what is where.

    Returns:
        (N,): 0 is the photograph itself, 1 is as far off as an unrelated picture.
    """
    shares = []
    for tap in ("relu3_1", "relu3_4"):
        ours, theirs, other = normalise(output[tap]), normalise(content[tap]), normalise(style[tap])
        shares.append(_mean(ours - theirs) / (_mean(other - theirs).detach() + _TINY))
    return torch.stack(shares).mean(0)


def share_left(output: Features, content: Features, style: Features, t: dict[str, Tensor], measure: Measure) -> Tensor:
    """How far the output's texture is from its target, as a share of the way from the photograph to the style.

    The target lies between the photograph (t = 0) and the style (t = 1), so that every position of a dial has a truth.

    Args:
        output, content, style: features by tap.
        t: (N,) per tap, 0..1; taps that are not named are not measured.
        measure: features -> (N, M): `gram` or `statistics`.

    Returns:
        (N,): 0 is on target; at t = 1 the unedited photograph has 1.
    """
    shares = []
    for tap, position in t.items():
        start, end = measure(content[tap]), measure(style[tap])
        target = start + position.unsqueeze(1) * (end - start)
        # The floor keeps a style that already equals the photograph from dividing by nothing.
        span = _norm(end - start) + 0.05 * _norm(end)
        shares.append(_norm(measure(output[tap]) - target) / span)
    return torch.stack(shares).mean(0)


def gram(features: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C*C): the Gram matrix, flat."""
    return gram_matrix(features).flatten(1)


@full_precision
def attention_loss(output: Features, style: Features, *, tap: str = "relu3_1", side: int = 24) -> Tensor:
    """Attention consistency: what a place shows is found where it looks in the style (after AdaAttN, Liu et al. 2021).

    Places of the output attend to places of the style by normalised features; the loss is what the attended mixture of
    style features fails to explain. Parameter-free, so that training cannot win by bending the attention.

    Returns:
        (N,): cosine distance, 0..2.
    """
    ours = functional.adaptive_avg_pool2d(output[tap], side).flatten(2).transpose(1, 2).to(torch.float32)  # (N, P, C)
    theirs = functional.adaptive_avg_pool2d(style[tap], side).flatten(2).transpose(1, 2).to(torch.float32)
    query, key = (functional.normalize(x - x.mean(1, keepdim=True), dim=2) for x in (ours, theirs))
    attention = functional.softmax(query.detach() @ key.transpose(1, 2) * 20.0, dim=2)
    found = attention @ theirs
    return 1 - functional.cosine_similarity(ours, found, dim=2).mean(1)


def statistics(features: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 2C): means and deviations side by side."""
    mean, std = mean_std(features)
    return torch.cat([mean.flatten(1), std.flatten(1)], dim=1)


def total_variation(output: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """Total variation of the output as a share of the rougher of photograph and style picture: (N,).

    Against the photograph's alone, every stroke in a clear sky would cost several times the whole.
    """
    return _variation(output) / (torch.maximum(_variation(content), _variation(style)) + 0.02)


@full_precision
def edge_loss(output: Tensor, anchor: Tensor) -> Tensor:
    """Sobel gradients of the output against the anchor's, in lightness, as a share of the anchor's own: (N,).

    Args:
        output: (N, 3, H, W), -1..1. anchor: the recoloured photograph, same shape.
    """
    ours, theirs = _sobel(lightness(output)), _sobel(lightness(anchor))
    return _mean(ours - theirs) / (_mean(theirs) + 0.02)


def colour_loss(output: Tensor, target: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """Distance of the output's colour code to the target's, as a share of the way from photograph to style: (N,).

    Args:
        output: (N, 3, H, W). target, content, style: (N, 12) colour codes.
    """
    return _norm(colour_code(output) - target) / (_norm(style - content) + 0.05)


def identity_loss(output: Tensor, content: Tensor) -> Tensor:
    """Plain mean absolute difference, in units of half the dynamic range: (N,)."""
    return _mean(output - content)


def _norm(x: Tensor) -> Tensor:
    return x.square().mean(1).add(_TINY**2).sqrt()


def _mean(x: Tensor) -> Tensor:
    return x.abs().flatten(1).mean(1)


def _variation(image: Tensor) -> Tensor:
    return _mean(image[:, :, 1:] - image[:, :, :-1]) + _mean(image[:, :, :, 1:] - image[:, :, :, :-1])


def _sobel(plane: Tensor) -> Tensor:
    """(N, 1, H, W) -> (N, 2, H, W): horizontal and vertical gradient."""
    kernel = plane.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    return functional.conv2d(
        functional.pad(plane, (1, 1, 1, 1), mode="replicate"), torch.stack([kernel, kernel.T]).unsqueeze(1)
    )


def _check_weights(weights: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(weights, name)
        if not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise ConfigError(f"loss weight {name}={value!r} must be a number of at least 0, for example 0.5")
