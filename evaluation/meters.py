"""Measure many pictures of one photograph at once: what they kept of it, and how near they came to the style."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation import content_metrics as content
from evaluation import style_metrics as style
from evaluation.boundary_metrics import Boundaries, boundary_recall
from evaluation.lpips_metrics import Backbone, lpips

Numbers = NDArray[np.float64]
CONTENT_METRICS = ("ssim", "ms_ssim", "lpips", "edge_ssim", "edge_f1", "boundary_recall")
PARTIAL_METRICS = ("boundary_recall",)
"""Measured on the pairs that allow it; every other metric is measured on all pairs or on none."""
HIGHER_IS_BETTER = {
    "ssim": True,
    "ms_ssim": True,
    "lpips": False,
    "edge_ssim": True,
    "edge_f1": True,
    "boundary_recall": True,
}
BATCH_PIXELS = 100_000  # one picture at 256 px. Measured: two at once leave the caches and take a fifth longer each
SHARE_CAP = 1.5
"""A share left is capped here on the style axis: strokes that the photo happens to have divide by almost 0."""
Axis = Literal["mean", "strict"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which of the costly content metrics to measure."""

    ms_ssim: bool = False
    lpips: Backbone | None = None


def content_scores(
    pictures: Tensor, photo: Tensor | content.Views, wanted: Wanted, boundaries: Boundaries | None = None
) -> dict[str, Numbers]:
    """Every content metric of N pictures against their photograph.

    Args:
        pictures: (N, 3, H, W), -1..1.
        photo: (1, 3, H, W), -1..1, or views of it, where more pictures of the same photograph will follow.
        wanted: measure these too; without them the key is absent, not a number.
        boundaries: what people drew on the photograph, if they did.

    Returns:
        (N,) by metric name; MS-SSIM is absent where a side is below 161 px, boundary recall without boundaries.
    """
    with torch.inference_mode():
        original = content.views_of(photo)
        parts = [_content_of(content.Views(batch), original, wanted, boundaries) for batch in batches(pictures)]
    return {name: np.concatenate([_numbers(part[name]) for part in parts]) for name in parts[0]}


def _content_of(
    seen: content.Views, photo: content.Views, wanted: Wanted, boundaries: Boundaries | None
) -> dict[str, Tensor]:
    found = {
        "ssim": content.ssim(seen, photo),
        "edge_ssim": content.edge_ssim(seen, photo),
        "edge_f1": content.edge_f1(seen, photo),
    }
    if wanted.ms_ssim and min(photo.image.shape[2:]) >= content.MS_SSIM_SIDE_PX:
        found["ms_ssim"] = content.ms_ssim(seen, photo)
    if wanted.lpips is not None:
        found["lpips"] = lpips(seen, photo, wanted.lpips)
    if boundaries is not None:
        found["boundary_recall"] = boundary_recall(seen, boundaries)
    return found


def style_distances(pictures: Tensor, target: style.Description, extractor: style.Extractor) -> dict[str, Numbers]:
    """Each family's and own metric's distance of N pictures to one style: (N,) by name."""
    parts = [style.distances(style.describe(batch, extractor), target) for batch in batches(pictures)]
    return {name: np.concatenate([_numbers(part[name]) for part in parts]) for name in parts[0]}


def shares_left(
    distances: dict[str, Numbers], photo_distances: dict[str, float], axis: Axis = "mean"
) -> dict[str, Numbers]:
    """Each distance as a share of the unedited photograph's own: 1 is no style at all, 0 is the style itself."""
    shares = {f"{name}_left": values / max(photo_distances[name], 1e-9) for name, values in distances.items()}
    return on_axis(shares, axis)


def on_axis(scores: dict[str, Numbers], axis: Axis) -> dict[str, Numbers]:
    """The same scores with `style_left`, on which "equal style" is read: of the families' shares, each capped at
    `SHARE_CAP`, the mean, or the largest (`strict`), where nothing done in one family makes up for another's.
    """
    capped = [np.minimum(scores[f"{family}_left"], SHARE_CAP) for family in style.FAMILIES]
    return scores | {"style_left": np.max(capped, axis=0) if axis == "strict" else np.mean(capped, axis=0)}


def batches(pictures: Tensor) -> list[Tensor]:
    """Split so that no batch holds more than about BATCH_PIXELS pixels."""
    size = max(1, BATCH_PIXELS // (pictures.shape[2] * pictures.shape[3]))
    return list(pictures.split(size))


def _numbers(scores: Tensor) -> Numbers:
    return scores.detach().cpu().numpy().astype(np.float64)
