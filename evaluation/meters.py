"""Measure many pictures of one photograph at once: what they kept of it, and how near they came to the style."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation import content_metrics as content
from evaluation import style_metrics as style

Numbers = NDArray[np.float64]
CONTENT_METRICS = ("ssim", "ms_ssim", "lpips", "edge_ssim", "edge_f1")
HIGHER_IS_BETTER = {"ssim": True, "ms_ssim": True, "lpips": False, "edge_ssim": True, "edge_f1": True}
BATCH_PIXELS = 200_000  # four pictures at 192 px. Measured: 24 at once leave the caches and take three times as long
SHARE_CAP = 1.5
"""A share left is capped here on the style axis: strokes that the photo happens to have divide by almost 0."""


def content_scores(pictures: Tensor, photo: Tensor, *, with_ms_ssim: bool, with_lpips: bool) -> dict[str, Numbers]:
    """Every content metric of N pictures against their photograph.

    Args:
        pictures: (N, 3, H, W), -1..1.
        photo: (1, 3, H, W), -1..1.
        with_ms_ssim, with_lpips: measure these too; without them the key is absent, not a number.

    Returns:
        (N,) by metric name; MS-SSIM is absent where a side is below 161 px.
    """
    functions = {"ssim": content.ssim, "edge_ssim": content.edge_ssim, "edge_f1": content.edge_f1}
    if with_ms_ssim and min(photo.shape[2:]) >= content.MS_SSIM_SIDE_PX:
        functions["ms_ssim"] = content.ms_ssim
    if with_lpips:
        functions["lpips"] = content.lpips
    with torch.inference_mode():
        return {
            name: np.concatenate([_numbers(function(batch, photo)) for batch in batches(pictures)])
            for name, function in functions.items()
        }


def style_distances(
    pictures: Tensor, targets: list[style.Description], extractor: style.Extractor
) -> dict[str, NDArray[np.float64]]:
    """Every family's distance of N pictures to M styles: (N, M) by family."""
    found: dict[str, list[Numbers]] = {family: [] for family in style.FAMILIES}
    for batch in batches(pictures):
        seen = style.describe(batch, extractor)
        per_target = [style.distances(seen, target) for target in targets]
        for family in style.FAMILIES:
            found[family].append(np.stack([_numbers(each[family]) for each in per_target], axis=1))
    return {family: np.concatenate(parts) for family, parts in found.items()}


def shares_left(distances: dict[str, Numbers], photo_distances: dict[str, float]) -> dict[str, Numbers]:
    """Each distance as a share of the unedited photograph's own: 1 is no style at all, 0 is the style itself.

    `style_left` is their mean, each capped at `SHARE_CAP`: the axis on which "equal style" is read.
    """
    shares = {f"{family}_left": distances[family] / max(photo_distances[family], 1e-9) for family in style.FAMILIES}
    axis = np.mean([np.minimum(share, SHARE_CAP) for share in shares.values()], axis=0)
    return shares | {"style_left": axis}


def batches(pictures: Tensor) -> list[Tensor]:
    """Split so that no batch holds more than about BATCH_PIXELS pixels."""
    size = max(1, BATCH_PIXELS // (pictures.shape[2] * pictures.shape[3]))
    return list(pictures.split(size))


def _numbers(scores: Tensor) -> Numbers:
    return scores.detach().cpu().numpy().astype(np.float64)
