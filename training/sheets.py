"""Sheets of samples: what a network paints while it learns, for people to look at."""

import numpy as np
import torch
from numpy.typing import NDArray

from stylenet.images import to_pixels
from stylenet.network import StyleNetwork
from training.batches import BatchSource

SHEET_DIALS = ((1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (0.5, 0.5))  # (strength, fidelity) of a sheet's columns


@torch.no_grad()
def sample_sheet(network: StyleNetwork, source: BatchSource, rows: int = 3) -> NDArray[np.uint8]:
    """A sheet to look at: photograph, style, then the pair at `SHEET_DIALS`; the same pairs every time.

    Returns:
        uint8 (rows * S, 6 * S, 3) for crops of S pixels.
    """
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    lines = []
    for row in range(rows):
        batch = source.batch(10_000_019 + row).to(device)  # far beyond any step: never a picture of the last batch
        content, style = batch.content[:1], batch.style[-1:]
        code = network.encode_style(style)
        cells = [content, style]
        for strength, fidelity in SHEET_DIALS:
            cells.append(network(content, *code, torch.tensor([[strength, fidelity, 1.0, 1.0, 0.0]], device=device)))
        lines.append(np.concatenate([to_pixels(cell) for cell in cells], axis=1))
    network.train(was_training)
    return np.concatenate(lines, axis=0)
