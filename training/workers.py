"""Several processes train as one: `torchrun` starts them, each takes its share of every batch, gradients are averaged.

`batch_size` is that of all workers together, so that one configuration means the same run on one process or on eight.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from training.errors import TrainingConfigError

T = TypeVar("T")
_PATIENCE = timedelta(hours=1)  # the first worker packages and registers while the others wait


@dataclass(frozen=True, slots=True)
class Worker:
    """One of `count` processes that train together; alone by default.

    Args:
        rank: 0..count-1; the first one tracks, keeps checkpoints and registers.
        local_rank: which GPU of its machine it takes.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def places(self, batch_size: int) -> range:
        """Which places of a batch are this worker's.

        Raises:
            TrainingConfigError: the batch cannot be shared out evenly.
        """
        if batch_size % self.count:
            nearest = max(1, round(batch_size / self.count)) * self.count
            raise TrainingConfigError(
                f"batch_size={batch_size} cannot be shared evenly by {self.count} workers; use {nearest}"
            )
        return range(self.rank, batch_size, self.count)

    def wait(self) -> None:
        """Until every worker is here."""
        if self.count > 1:
            distributed.barrier()

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all workers, on each of them."""
        if self.count == 1:
            return values
        total = values.clone()
        distributed.all_reduce(total)
        return total / self.count

    def hear(self, said: T | None) -> T:
        """What the first worker says; the others pass None and wait for it."""
        box = [said]
        if self.count > 1:
            distributed.broadcast_object_list(box)
        return cast(T, box[0])

    def together(self, module: nn.Module) -> nn.Module:
        """The module, with gradients averaged over all workers in `backward`."""
        if self.count == 1:
            return module
        return DistributedDataParallel(module, broadcast_buffers=False)


def this_worker() -> Worker:
    """Who we are, as torchrun says in the environment; alone where it does not."""
    rank, count, local = (
        int(os.environ.get(name, default)) for name, default in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))
    )
    return Worker(rank, count, local)


ALONE = Worker()


@contextmanager
def joined(device: torch.device) -> Iterator[Worker]:
    """Meet the other workers, over NCCL on GPUs and Gloo elsewhere; part from them at the end."""
    worker = this_worker()
    if worker.count == 1:
        yield worker
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield worker
    finally:
        distributed.destroy_process_group()
