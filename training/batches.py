"""Batches that depend on seed, stage and step alone, so that an interrupted run sees the same pictures again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from training.objective import Batch, sample_dials
from training.pictures import PictureSet, match_histogram, random_crop

_IDENTITY_SHARE = 0.1  # of a batch's places: the style is the photograph, and the answer is known


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchSource:
    """Everything that decides which batch a step sees.

    Args:
        content, style: the training pictures.
        batch_size, crop_px: size of a batch.
        seed, stage: with the step they seed all chance.
        rotation_deg: largest rotation either way.
        histogram_matching: share of styles shown in the photograph's own colours.
    """

    content: PictureSet
    style: PictureSet
    batch_size: int
    crop_px: int
    seed: int
    stage: int
    rotation_deg: float = 15.0
    histogram_matching: float = 0.15

    def batch(self, step: int) -> Batch:
        """The batch of one step; the same arguments give the same numbers."""
        rng = np.random.default_rng([self.seed, self.stage, step])
        # Each epoch visits every photograph once, in its own order; styles are drawn freely.
        contents, styles = [], []
        for place in range(self.batch_size):
            count = step * self.batch_size + place
            epoch, position = divmod(count, len(self.content.pictures))
            order = np.random.default_rng([self.seed, self.stage, epoch, 1]).permutation(len(self.content.pictures))
            content = random_crop(
                self.content.pictures[order[position]], self.crop_px, rng, rotation_deg=self.rotation_deg
            )
            painting = self.style.pictures[rng.integers(len(self.style.pictures))]
            style = random_crop(painting, self.crop_px, rng, rotation_deg=self.rotation_deg)
            chance = rng.random()
            if chance < _IDENTITY_SHARE:
                style = content.clone()
            elif chance < _IDENTITY_SHARE + self.histogram_matching:
                style = match_histogram(style, content)
            contents.append(content)
            styles.append(style)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return Batch(torch.cat(contents), torch.cat(styles), sample_dials(self.batch_size, generator))

    def stream(self, first: int, last: int) -> Iterator[tuple[int, Batch]]:
        """Batches of steps first..last-1, each prepared while the one before is used."""
        if first >= last:
            return
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
            coming = pool.submit(self.batch, first)
            for step in range(first, last):
                batch = coming.result()
                if step + 1 < last:
                    coming = pool.submit(self.batch, step + 1)
                yield step, batch
