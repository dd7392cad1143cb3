"""Checkpoints: everything that the next step depends on, written aside and renamed."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from stylenet.pictures import write_bytes
from training.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: which stage, and how many of its steps are done."""

    stage: int
    step: int


def save_checkpoint(
    path: Path, *, network: nn.Module, optimizer: Optimizer, progress: Progress, config_digest: str, data_digest: str
) -> None:
    """Write the whole state, or nothing."""
    buffer = io.BytesIO()
    state = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "stage": progress.stage,
        "step": progress.step,
        "config_digest": config_digest,
        "data_digest": data_digest,
    }
    torch.save(state, buffer)
    write_bytes(buffer.getvalue(), path)


def read_checkpoint(path: Path, *, config_digest: str, data_digest: str) -> dict[str, Any] | None:
    """The state that `save_checkpoint` wrote, or None where there is none.

    Raises:
        CheckpointError: broken, or of a run with other settings or pictures.
    """
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever its zip and unpickling layers raise
        raise CheckpointError(f"{path} is broken ({error}); delete it to start again") from error
    for key, ours, what in (("config_digest", config_digest, "settings"), ("data_digest", data_digest, "pictures")):
        if state.get(key) != ours:
            raise CheckpointError(
                f"{path} belongs to a run with other {what}; restore them, or delete it (or use --fresh) to start again"
            )
    return state
