"""Batches that depend on seed, stage and step alone, so that an interrupted run sees the same pictures again.

Every place of a batch has its own chance, so that several processes can prepare a batch, or share one out, and get the
numbers that one process gets.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.objective import Batch, sample_dials
from training.pictures import PictureSet, match_histogram, random_crop

Place = tuple[Tensor, Tensor, Tensor]
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

    def batch(self, step: int, places: Iterable[int] | None = None) -> Batch:
        """The batch of one step, or some places of it; the same arguments give the same numbers."""
        every = range(self.batch_size) if places is None else places
        return _stack([self.place(step, place) for place in every])

    def place(self, step: int, place: int) -> Place:
        """One place of a batch: content (1, 3, S, S), style (1, 3, S, S), dials (1, 5)."""
        rng = np.random.default_rng([self.seed, self.stage, step, place])
        # Each epoch visits every photograph once, in its own order; styles are drawn freely.
        epoch, position = divmod(step * self.batch_size + place, len(self.content.pictures))
        order = np.random.default_rng([self.seed, self.stage, epoch, 1]).permutation(len(self.content.pictures))
        content = random_crop(self.content.pictures[order[position]], self.crop_px, rng, rotation_deg=self.rotation_deg)
        painting = self.style.pictures[rng.integers(len(self.style.pictures))]
        style = random_crop(painting, self.crop_px, rng, rotation_deg=self.rotation_deg)
        chance = rng.random()
        if chance < _IDENTITY_SHARE:
            style = content.clone()
        elif chance < _IDENTITY_SHARE + self.histogram_matching:
            style = match_histogram(style, content)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        return content, style, sample_dials(1, generator)

    def stream(
        self, first: int, last: int, *, places: Sequence[int] | None = None, processes: int = 0
    ) -> Iterator[tuple[int, Batch]]:
        """Batches of steps first..last-1, each prepared while the one before is used.

        Args:
            places: those of this worker; all by default.
            processes: how many prepare batches. 0 is one thread of this process: enough beside a CPU that trains; a GPU
                is faster than one thread can cut and rotate.
        """
        if first >= last:
            return
        mine = range(self.batch_size) if places is None else places
        if processes == 0:
            yield from self._from_a_thread(first, last, mine)
            return
        loader = DataLoader(
            _Places(self),
            batch_sampler=[[(step, place) for place in mine] for step in range(first, last)],
            num_workers=processes,
            collate_fn=_concatenate,
            pin_memory=torch.cuda.is_available(),
            prefetch_factor=4,
        )
        for step, parts in zip(range(first, last), loader, strict=True):
            yield step, Batch(*parts)

    def _from_a_thread(self, first: int, last: int, places: Sequence[int]) -> Iterator[tuple[int, Batch]]:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches") as pool:
            coming = pool.submit(self.batch, first, places)
            for step in range(first, last):
                batch = coming.result()
                if step + 1 < last:
                    coming = pool.submit(self.batch, step + 1, places)
                yield step, batch


class _Places(Dataset[Place]):
    """A batch source as torch's loader wants it: (step, place) -> one place."""

    def __init__(self, source: BatchSource) -> None:
        self._source = source

    def __getitem__(self, key: tuple[int, int]) -> Place:
        return self._source.place(*key)


def _concatenate(places: Sequence[Place]) -> list[Tensor]:
    return [torch.cat(parts) for parts in zip(*places, strict=True)]


def _stack(places: Sequence[Place]) -> Batch:
    return Batch(*_concatenate(places))
