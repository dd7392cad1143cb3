"""A loss for films: when the photograph moves, the painting moves with it.

The motion is made up (a shift, a turn, a zoom, a bend), so that it is known exactly and any photograph will do, as in
Gupta et al. 2017 and others since. The moved photograph is painted with the statistics of the first, as films are.
Letters: N batch, H height, W width.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from motion.synthetic import random_motion
from stylenet.ledger import Ledger
from stylenet.network import StyleNetwork
from stylenet.statistics import full_precision
from training.objective import Batch

_LEAST_CHANGE = 0.01  # mean absolute difference, in image units: what hardly changes is not asked about


def temporal_loss(network: StyleNetwork, batch: Batch) -> Tensor:
    """How far the painting of a moved photograph is from the moved painting of the photograph.

    Args:
        batch: content, style and dials of one step.

    Returns:
        A scalar: mean absolute difference where the motion stays in the picture, as a share of what the motion changes
        in the painting itself. 0 moves as one; 1 is no better than a painting that stands still.
    """
    flow = batch_motion(batch.content)
    code = network.encode_style(batch.style)
    ledger = Ledger()
    painting = network(batch.content, *code, batch.dials, ledger)
    hold = batch.content.new_ones(batch.content.shape[0], 1)
    moved_content, inside = move(batch.content, flow)
    of_moved = network(moved_content, *code, batch.dials, Ledger(ledger.measured, hold))
    moved, _ = move(painting, flow)
    gap = _mean_gap(of_moved, moved, inside)
    change = _mean_gap(painting.detach(), moved.detach(), inside)
    return (gap / change.clamp(min=_LEAST_CHANGE)).mean()


def batch_motion(content: Tensor) -> Tensor:
    """Made-up motion for every picture of a batch, decided by the pictures themselves: the same step moves alike again.

    Args:
        content: (N, 3, H, W) float32.

    Returns:
        (N, 2, H, W) float32, pixels to the right and down.
    """
    height, width = content.shape[2:]
    seeds = np.frombuffer(content.detach().mean(dim=(1, 2, 3)).double().cpu().numpy().tobytes(), np.uint64)
    flows = [random_motion(height, width, np.random.default_rng(int(seed))) for seed in seeds]
    return torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2).to(content.device)


@full_precision
def move(image: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """The image as it looks after the motion, and where it is known.

    Args:
        image: (N, 3, H, W). flow: (N, 2, H, W) from each place of the moved image to where it comes from.

    Returns:
        (N, 3, H, W) float32, and (N, 1, H, W), 1 inside and 0 where the motion leads out of the picture.
    """
    height, width = image.shape[2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=image.device), torch.arange(width, device=image.device), indexing="ij"
    )
    x = (columns + flow[:, 0]) * 2 / (width - 1) - 1
    y = (rows + flow[:, 1]) * 2 / (height - 1) - 1
    grid = torch.stack([x, y], dim=3)
    moved = functional.grid_sample(image.to(torch.float32), grid, padding_mode="border", align_corners=True)
    inside = ((x.abs() <= 1) & (y.abs() <= 1)).to(torch.float32).unsqueeze(1)
    return moved, inside


def _mean_gap(one: Tensor, other: Tensor, inside: Tensor) -> Tensor:
    """(N,): mean absolute difference inside."""
    gaps = ((one.to(torch.float32) - other) * inside).abs().sum(dim=(1, 2, 3))
    return gaps / (3 * inside.sum(dim=(1, 2, 3))).clamp(min=1)
