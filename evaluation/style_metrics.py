"""How near a picture is to its style: four families of distance, deep and plain, each zero for the style itself.

`gram` and `deep_stats` look through a network's features; `colour` and `stroke` look at pixels only, and are in no
training loss of ours, so a candidate cannot have been trained to please them. `stroke_high` stands beside the four: it
looks at the finest band of a standardised luma, so that no change of colour or contrast can make up for strokes.
Letters: N batch, C channels, H height, W width, P points, D directions, Q quantiles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evaluation.content_metrics import luma
from evaluation.similarity import weigh
from stylenet.statistics import gram_matrix, mean_std

FAMILIES = ("gram", "deep_stats", "colour", "stroke")
"""The families that the axis of equal style is made of."""
OWN_METRICS = ("stroke_high",)
"""Reported by themselves, never averaged with others."""
DIRECTIONS = 32
QUANTILES = 128
POINTS = 4096  # colours or patches taken of each picture, on an even grid
PATCH_PX = 7
BINOMIAL = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16]
DEEP_SIDE_PX = 256
"""Features look at pictures no larger than this (short side): it is the size that networks are trained at."""
FLATTEST = 1 / 255  # a deviation of one grey level: below it there is noise, and no drawing to compare
SEED = 20260511  # of the random directions; changing it changes every colour and stroke number

HOW = {
    "gram": "mean over taps of |G - Gs| / |Gs|, G the Gram matrix of the features (Gatys et al. 2016)",
    "deep_stats": "mean over taps of the distance of channel means and deviations, relative to the style's",
    "colour": "sliced Wasserstein-1 distance of RGB colours, 32 fixed directions",
    "stroke": "sliced Wasserstein-1 distance of 7x7 patches of the Laplacian band, two sizes, 32 fixed directions",
    "stroke_high": "the same of the finest band alone, of the luma at mean 0, deviation 1: contrast cannot please it",
}

Extractor = Callable[[Tensor], dict[str, Tensor]]
"""image (N, 3, H, W), -1..1 -> features by tap: `stylenet.perception.load_extractor(...).module`."""


@dataclass(frozen=True, slots=True)
class Description:
    """All that the distances need to know of N pictures.

    Args:
        grams: per tap (N, C, C).
        moments: per tap (N, 2C): means, then deviations.
        colour: (N, D, Q) quantiles of projected colours.
        strokes: per band (N, D, Q) quantiles of projected patches.
        stroke_high: (N, D, Q) the same of the standardised luma's finest band.
    """

    grams: tuple[Tensor, ...]
    moments: tuple[Tensor, ...]
    colour: Tensor
    strokes: tuple[Tensor, ...]
    stroke_high: Tensor


def describe(image: Tensor, extractor: Extractor) -> Description:
    """Look at N pictures once.

    Args:
        image: (N, 3, H, W) float32, -1..1.
    """
    with torch.inference_mode():
        features = list(extractor(_at_feature_size(image)).values())
        half = functional.avg_pool2d(image, 2)
        return Description(
            grams=tuple(gram_matrix(feature) for feature in features),
            moments=tuple(torch.cat([part.flatten(1) for part in mean_std(feature)], dim=1) for feature in features),
            colour=colour_quantiles(image),
            strokes=(stroke_quantiles(image), stroke_quantiles(half)),
            stroke_high=stroke_quantiles(standard_luma(image)),
        )


def distances(pictures: Description, style: Description) -> dict[str, Tensor]:
    """Each family's and own metric's distance of N pictures to one style (described alone): (N,), 0 is the style."""
    return {
        "gram": _mean([_relative(a, b) for a, b in zip(pictures.grams, style.grams, strict=True)]),
        "deep_stats": _mean([_relative(a, b) for a, b in zip(pictures.moments, style.moments, strict=True)]),
        "colour": _wasserstein(pictures.colour, style.colour),
        "stroke": _mean([_wasserstein(a, b) for a, b in zip(pictures.strokes, style.strokes, strict=True)]),
        "stroke_high": _wasserstein(pictures.stroke_high, style.stroke_high),
    }


def gram_distance(image: Tensor, style: Tensor, extractor: Extractor) -> Tensor:
    """(N, 3, H, W) against (1, 3, H', W'): (N,)."""
    return distances(describe(image, extractor), describe(style, extractor))["gram"]


def deep_stats_distance(image: Tensor, style: Tensor, extractor: Extractor) -> Tensor:
    """(N, 3, H, W) against (1, 3, H', W'): (N,)."""
    return distances(describe(image, extractor), describe(style, extractor))["deep_stats"]


def colour_distance(image: Tensor, style: Tensor) -> Tensor:
    """(N, 3, H, W) against (1, 3, H', W'): (N,)."""
    return _wasserstein(colour_quantiles(image), colour_quantiles(style))


def stroke_distance(image: Tensor, style: Tensor) -> Tensor:
    """(N, 3, H, W) against (1, 3, H', W'): (N,)."""
    bands = [(image, style), (functional.avg_pool2d(image, 2), functional.avg_pool2d(style, 2))]
    return _mean([_wasserstein(stroke_quantiles(a), stroke_quantiles(b)) for a, b in bands])


def stroke_high_distance(image: Tensor, style: Tensor) -> Tensor:
    """(N, 3, H, W) against (1, 3, H', W'): (N,)."""
    return _wasserstein(stroke_quantiles(standard_luma(image)), stroke_quantiles(standard_luma(style)))


def colour_quantiles(image: Tensor) -> Tensor:
    """(N, 3, H, W) -> (N, D, Q): the colours, seen along D directions, sorted, at Q quantiles."""
    step = _stride(image)
    colours = image[:, :, ::step, ::step].flatten(2)  # (N, 3, P)
    return _quantiles(_directions(3) @ colours)


def stroke_quantiles(image: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, D, Q): patches of the picture's finest band, seen along D directions."""
    channels = image.shape[1]
    filters = _directions(channels * PATCH_PX**2).reshape(DIRECTIONS, channels, PATCH_PX, PATCH_PX)
    responses = functional.conv2d(laplacian_band(image), filters, stride=_stride(image))
    return _quantiles(responses.flatten(2))


def laplacian_band(image: Tensor) -> Tensor:
    """What a 5x5 binomial blur takes away (Burt & Adelson 1983): strokes, hatching, grain. (N, C, H, W), as `image`."""
    padded = functional.pad(image, (2, 2, 2, 2), mode="reflect")
    return image - weigh(weigh(padded, BINOMIAL, dim=2), BINOMIAL, dim=3)


def standard_luma(image: Tensor) -> Tensor:
    """(N, 3, H, W) -> (N, 1, H, W) brightness at mean 0 and deviation 1; a flat picture is 0 everywhere.

    Any affine change of brightness leaves it as it is, so it cannot be pleased by colours or contrast.
    """
    bright = luma(image)
    centred = bright - bright.mean(dim=(2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(2, 3), keepdim=True).sqrt().clamp_min(FLATTEST)


def _at_feature_size(image: Tensor) -> Tensor:
    side = min(image.shape[2:])
    if side <= DEEP_SIDE_PX:
        return image
    size = [round(length * DEEP_SIDE_PX / side) for length in image.shape[2:]]
    return functional.interpolate(image, size=size, mode="bilinear", antialias=True)


def _stride(image: Tensor) -> int:
    """The smallest even grid that has at most POINTS points."""
    height, width = image.shape[2:]
    step = 1
    while (height // step) * (width // step) > POINTS:
        step += 1
    return step


@cache
def _directions(size: int) -> Tensor:
    """(D, size) unit vectors, the same in every run."""
    noise = torch.randn(DIRECTIONS, size, generator=torch.Generator().manual_seed(SEED + size))
    return functional.normalize(noise, dim=1)


def _quantiles(projected: Tensor) -> Tensor:
    """(N, D, P) -> (N, D, Q), so that pictures of different sizes can be compared."""
    ordered = torch.from_numpy(np.sort(projected.cpu().numpy(), axis=2))  # five times as fast as torch's
    places = torch.linspace(0, ordered.shape[2] - 1, QUANTILES, dtype=torch.float64)
    below = places.floor().long()
    above = places.ceil().long()
    share = (places - below).to(ordered.dtype)
    return ordered[:, :, below] * (1 - share) + ordered[:, :, above] * share


def _wasserstein(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean(dim=(1, 2))


def _relative(a: Tensor, b: Tensor) -> Tensor:
    """|a - b| / |b| per picture, Euclidean (Frobenius for matrices)."""
    return (a - b).flatten(1).norm(dim=1) / b.flatten(1).norm(dim=1).clamp_min(1e-12)


def _mean(parts: list[Tensor]) -> Tensor:
    return torch.stack(parts).mean(dim=0)
