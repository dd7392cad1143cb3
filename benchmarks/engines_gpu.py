"""1080p on a GPU, pictures in and out on the device: p50, p99, throughput at batch 8, share of the chip's limit.

`python -m benchmarks.engines_gpu --limit-tflops 989` (an H200's dense float16). `--device cpu --side 32 --rounds 2`
only shows that the script works. JSON on stdout.
"""

import argparse
import json
import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from runtime.export import with_half_convolutions
from runtime.networks import Network
from stylenet.config import BASE, NetworkConfig
from stylenet.network import StyleNetwork


def main(device: str, height: int, width: int, rounds: int, limit_tflops: float | None) -> list[dict[str, Any]]:
    """Both variants with random weights: time depends on shapes alone."""
    rows = []
    for name, config in (("compact", NetworkConfig()), ("base", BASE)):
        network = StyleNetwork(config).eval().requires_grad_(False).to(device)
        half = with_half_convolutions(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for batch in (1, 8):
            levels = torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8, device=device)
            times = measure(half, levels, rounds)
            flops = count_flops(network, height, width) * batch
            p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
            share = None if limit_tflops is None else flops / (p50 / 1000) / (limit_tflops * 1e12)
            rows.append(
                {
                    "variant": name,
                    "batch": batch,
                    "p50_ms": p50,
                    "p99_ms": p99,
                    "pictures_per_s": batch / p50 * 1000,
                    "gflop": flops / 1e9,
                    "share_of_limit": share,
                }
            )
    return rows


@torch.inference_mode()
def measure(network: Network, levels: Tensor, rounds: int) -> list[float]:
    """Sorted milliseconds from uint8 on the device to uint8 on the device."""
    on_gpu = levels.device.type == "cuda"
    paint: Any = torch.compile(_Painter(network), mode="max-autotune") if on_gpu else _Painter(network)
    code = network.encode_style(torch.zeros(1, 3, 64, 64, device=levels.device))
    code = tuple(part.expand(len(levels), -1).contiguous() for part in code)
    dials = torch.tensor([[1, 0.5, 1, 1, 0]], dtype=torch.float32, device=levels.device).repeat(len(levels), 1)
    times = []
    for round_number in range(rounds + 5):
        if on_gpu:
            torch.cuda.synchronize()
        started = time.perf_counter()
        paint(levels, *code, dials)
        if on_gpu:
            torch.cuda.synchronize()
        if round_number >= 5:  # the first ones compile and record
            times.append((time.perf_counter() - started) * 1000)
    return sorted(times)


class _Painter(nn.Module):
    """uint8 (N, H, W, 3) -> the same."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, levels: Tensor, colour: Tensor, texture: Tensor, semantics: Tensor, dials: Tensor) -> Tensor:
        image = levels.permute(0, 3, 1, 2).float() / 127.5 - 1
        painted = self.network(image, colour, texture, semantics, dials)
        return ((painted + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


@torch.inference_mode()
def count_flops(network: StyleNetwork, height: int, width: int) -> float:
    """Of the products alone, for one picture; counted at a sixteenth of the size and scaled."""
    small = torch.zeros(1, 3, max(16, height // 4), max(16, width // 4), device=next(network.parameters()).device)
    code = network.encode_style(small[:, :, :16, :16])
    with FlopCounterMode(display=False) as counter:
        network(small, *code, torch.ones(1, 5, device=small.device))
    return counter.get_total_flops() * height * width / (small.shape[2] * small.shape[3])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--side", type=int, help="a square instead of 1920x1080")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--limit-tflops", type=float)
    given = parser.parse_args()
    sides = (given.side, given.side) if given.side else (1080, 1920)
    print(json.dumps(main(given.device, *sides, given.rounds, given.limit_tflops), indent=1))
