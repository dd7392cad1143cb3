"""The speed benchmark: engines side by side in one run, interleaved, since machines are noisy; quality beside speed."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from runtime.engine import Engine
from runtime.errors import EngineUnavailable
from runtime.openvino_engine import OpenvinoRunner
from runtime.package import Package
from runtime.package_engine import PackageEngine
from runtime.packaging import golden_pictures
from runtime.painting import psnr_db
from runtime.torch_engine import TorchRunner
from stylenet.images import Pixels
from stylenet.pictures import resize_short_side


@dataclass(frozen=True, slots=True)
class Timing:
    """One engine at one size.

    Args:
        side_px: side of the square photograph.
        median_ms: of `stylize`, pixels in to pixels out.
        spread_ms: between the slowest and the fastest round.
        speedup: the torch engine's median over this one's.
        psnr_db: likeness to the torch engine's picture; infinite for itself.
    """

    side_px: int
    engine: str
    precision: str
    median_ms: float
    spread_ms: float
    speedup: float
    psnr_db: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values; an infinite likeness is None."""
        return {**asdict(self), "psnr_db": None if self.psnr_db == float("inf") else self.psnr_db}


def compare_engines(
    package: Package,
    sides_px: Sequence[int],
    *,
    repeats: int = 5,
    threads: int | None = None,
    progress: Callable[[float, float, str], None] | None = None,
) -> list[Timing]:
    """Time every engine that runs here: one warm-up, then `repeats` rounds in which each paints once.

    Args:
        package: verified already.
        sides_px: sizes of the square photograph.
        repeats: rounds; medians are over them.
        threads: for every engine alike.
        progress: told (done, total, what).
    """
    if threads is not None:
        torch.set_num_threads(threads)
    engines: list[Engine] = [PackageEngine(TorchRunner(package))]
    for precision in ("float32", "bfloat16"):
        try:
            engines.append(PackageEngine(OpenvinoRunner(package, threads=threads, precision=precision)))
        except EngineUnavailable:
            break
    photograph, style = golden_pictures()
    codes = [engine.encode_style(style) for engine in engines]
    timings = []
    for place, side in enumerate(sides_px):
        picture = _square(photograph, side)
        painted = [engine.stylize(picture, code) for engine, code in zip(engines, codes, strict=True)]  # warm-up
        taken: list[list[float]] = [[] for _ in engines]
        for round_number in range(repeats):
            if progress is not None:
                progress(place * repeats + round_number, len(sides_px) * repeats, f"{side} px")
            for engine, code, times in zip(engines, codes, taken, strict=True):
                started = time.perf_counter()
                engine.stylize(picture, code)
                times.append((time.perf_counter() - started) * 1000)
        reference = statistics.median(taken[0])
        for engine, times, picture_made in zip(engines, taken, painted, strict=True):
            median = statistics.median(times)
            likeness = psnr_db(picture_made, painted[0])
            timings.append(
                Timing(
                    side, engine.name, engine.precision, median, max(times) - min(times), reference / median, likeness
                )
            )
    for engine in engines:
        engine.close()
    return timings


def _square(photograph: Pixels, side_px: int) -> Pixels:
    return np.ascontiguousarray(resize_short_side(photograph, side_px)[:side_px, :side_px])
