"""One training stage: steps, learning rate, checkpoints. What is minimised is handed in."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from training.batches import BatchSource
from training.checkpoints import Progress, read_checkpoint, save_checkpoint
from training.config import StageConfig
from training.errors import DivergedError
from training.objective import Batch, Terms
from training.workers import ALONE, Worker

Objective = Callable[[Batch], tuple[Tensor, Terms]]
MAX_GRADIENT_NORM = 5.0


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a step tells its listener: numbers only."""

    stage: int
    step: int
    steps: int
    learning_rate: float
    total: float
    terms: dict[str, float]
    images_per_s: float


Listener = Callable[[StepReport], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpointing:
    """Where and how often; with the digests that tie a checkpoint to its run."""

    path: Path
    every_steps: int
    config_digest: str
    data_digest: str

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
        """Write the whole state, or nothing."""
        save_checkpoint(
            self.path,
            network=network,
            optimizer=optimizer,
            progress=progress,
            config_digest=self.config_digest,
            data_digest=self.data_digest,
        )


def run_stage(
    network: nn.Module,
    *,
    stage: int,
    config: StageConfig,
    source: BatchSource,
    objective: Objective,
    checkpointing: Checkpointing | None = None,
    listener: Listener = lambda report: None,
    bf16: bool = False,
    worker: Worker = ALONE,
    loader_processes: int = 0,
) -> None:
    """Train the parameters that require gradients, in place; continues from a checkpoint of this stage.

    Args:
        objective: a batch -> what to minimise, and its terms; means over the batch, so that workers' shares average.
        listener: told of every step, with means over all workers; only the first worker's is.
        worker: which share of every batch is ours.
        loader_processes: see `BatchSource.stream`.

    Interrupting and resuming gives the same weights as not interrupting: a step depends on its number, the weights and
    the optimiser's state alone, and all three are in the checkpoint.

    Raises:
        DivergedError: the loss became NaN or infinite; the last checkpoint is from before it.
        CheckpointError: the checkpoint is not of this run.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=config.learning_rate)
    steps_per_epoch = config.steps_per_epoch or math.ceil(len(source.content.pictures) / config.batch_size)
    steps = config.epochs * steps_per_epoch
    first = _resume(network, optimizer, stage, checkpointing)
    if first is None:
        return  # the checkpoint is of a later stage: this one is done, and its weights are loaded
    network.train()
    device = trained[0].device
    minimise = worker.together(_Step(network, objective))
    batches = source.stream(first, steps, places=worker.places(config.batch_size), processes=loader_processes)
    begun = time.perf_counter()
    for step, prepared in batches:
        rate = config.learning_rate_at(step, steps_per_epoch)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            total, terms = minimise(prepared.to(device))
        numbers = _numbers(worker, {"total": total, **terms})
        if not math.isfinite(numbers["total"]):
            raise DivergedError(
                f"the loss of stage {stage} is {numbers['total']} at step {step}; lower learning_rate, "
                "or look for the term that grew in the run's metrics"
            )
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(trained, MAX_GRADIENT_NORM)
        optimizer.step()
        done = step + 1
        if not worker.is_first:
            continue
        if checkpointing is not None and (done % checkpointing.every_steps == 0 or done == steps):
            checkpointing.save(network, optimizer, Progress(stage, done))
        speed = config.batch_size / (time.perf_counter() - begun)  # waiting for pictures included
        listener(StepReport(stage, done, steps, rate, numbers.pop("total"), numbers, speed))
        begun = time.perf_counter()
    network.eval()
    worker.wait()  # the last checkpoint is on the disk before anybody reads it


class _Step(nn.Module):
    """Network and objective as one module: what averages gradients wants a `forward`."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.objective = objective

    def forward(self, batch: Batch) -> tuple[Tensor, Terms]:
        return self.objective(batch)


def _numbers(worker: Worker, terms: Terms) -> dict[str, float]:
    """Means over all workers, fetched from the device at once: each fetch makes a GPU wait."""
    values = worker.mean(torch.stack([term.detach().to(torch.float32) for term in terms.values()]))
    return dict(zip(terms, values.tolist(), strict=True))


def _resume(
    network: nn.Module, optimizer: torch.optim.Optimizer, stage: int, checkpointing: Checkpointing | None
) -> int | None:
    """The first step to do: 0 without a checkpoint of this stage, None if the stage is already behind us."""
    if checkpointing is None:
        return 0
    state = read_checkpoint(
        checkpointing.path, config_digest=checkpointing.config_digest, data_digest=checkpointing.data_digest
    )
    if state is None or state["stage"] < stage:
        return 0
    network.load_state_dict(state["network"])
    if state["stage"] > stage:
        return None
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
