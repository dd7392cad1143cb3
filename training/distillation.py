"""The compact encoder learns to see like VGG-19: its taps must hold what VGG-19's hold, up to a 1x1 convolution."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from stylenet.encoders import CompactEncoder
from stylenet.vgg import TAP_CHANNELS, TAPS, Vgg19
from training.pictures import PictureSet, random_crop

Progress = Callable[[int, int, dict[str, float]], None]


def distil(
    teacher: Vgg19,
    pictures: PictureSet,
    *,
    steps: int = 1800,
    batch_size: int = 6,
    crop_px: int = 160,
    learning_rate: float = 3e-3,
    seed: int = 0,
    bf16: bool = True,
    progress: Progress = lambda step, steps, errors: None,
) -> CompactEncoder:
    """Train a compact encoder on any pictures, without labels.

    Args:
        teacher: VGG-19, frozen.
        pictures: photographs and paintings alike.
        steps: each over `batch_size` crops of `crop_px` pixels; the learning rate rises, then falls (one cycle).
        progress: told (step, steps, error by tap), where an error of 1 is that of seeing nothing.

    Returns:
        The encoder, frozen. The 1x1 convolutions that translated its taps are dropped: they were scaffolding.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = next(teacher.parameters()).device
    student = CompactEncoder().to(device)
    translate = nn.ModuleDict(
        {
            tap: nn.Conv2d(ours, theirs, 1)
            for tap, ours, theirs in zip(TAPS, student.tap_channels, TAP_CHANNELS, strict=True)
        }
    )
    translate.to(device)
    parameters = [*student.parameters(), *translate.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)

    def crops(count: int) -> Tensor:
        chosen = rng.integers(len(pictures.pictures), size=count)
        return torch.cat([random_crop(pictures.pictures[i], crop_px, rng) for i in chosen]).to(device)

    with torch.no_grad():  # VGG-19's taps differ in scale by a factor of twenty
        scale = {tap: x.square().mean().sqrt() for tap, x in teacher(crops(16)).items()}
    for step in range(steps):
        image = crops(batch_size)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            with torch.no_grad():
                goal = teacher(image)
            seen = student(image)
            errors = {
                tap: (translate[tap](seen[tap]).float() - goal[tap].float() / scale[tap]).square().mean()
                for tap in TAPS
            }
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(errors.values())).sum().backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, steps, {tap: float(error.detach()) for tap, error in errors.items()})
    return student.cpu().eval().requires_grad_(False)
