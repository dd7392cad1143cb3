"""The speed benchmark: engines side by side in one run, interleaved, since machines are noisy; quality beside speed."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from runtime.engine import Engine
from runtime.errors import EngineUnavailable
from runtime.openvino_engine import PRECISIONS, OpenvinoRunner
from runtime.package import Package
from runtime.package_engine import PackageEngine
from runtime.packaging import golden_pictures
from runtime.painting import psnr_db
from runtime.reference import make_reference, openvino_reference, torch_reference
from runtime.tensorrt_engine import TensorrtRunner
from runtime.torch_engine import TorchRunner
from stylenet.images import Pixels
from stylenet.pictures import resize_short_side


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """One contestant at one size.

    Args:
        model: the package's name, or "adain-vgg19" for the reference.
        side_px: side of the square photograph.
        median_ms, least_ms: of painting it, pixels in to pixels out.
        spread_ms: between the quarter points of the rounds.
        speedup: the torch float32 engine's median over this one's.
        psnr_db: likeness to the torch float32 engine's picture; infinite for itself, None for the reference.
        peak_mb: of a process of its own that loads it and paints once; None where it was not asked for.
    """

    model: str
    side_px: int
    engine: str
    precision: str
    median_ms: float
    least_ms: float
    spread_ms: float
    speedup: float
    psnr_db: float | None
    peak_mb: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values; an infinite likeness is None."""
        return {**asdict(self), "psnr_db": None if self.psnr_db == float("inf") else self.psnr_db}


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something that paints."""

    model: str
    engine: str
    precision: str
    paint: Callable[[Pixels], Pixels]


def compare_engines(
    package: Package,
    sides_px: Sequence[int],
    *,
    repeats: int = 5,
    threads: int | None = None,
    reference: bool = False,
    memory: bool = False,
    progress: Callable[[float, float, str], None] | None = None,
) -> list[Timing]:
    """Time every engine and precision that runs here: one warm-up, then `repeats` rounds in which each paints once.

    Args:
        package: verified already.
        sides_px: sizes of the square photograph.
        repeats: rounds; medians are over them.
        threads: for every engine alike.
        reference: also time AdaIN on VGG-19 in the same engines; sides must be multiples of 8 then.
        memory: also measure each engine's peak memory, in a process of its own.
        progress: told (done, total, what).
    """
    if threads is not None:
        torch.set_num_threads(threads)
    photograph, style = golden_pictures()
    engines = open_engines(package, threads)
    contestants = [_of_engine(engine, style) for engine in engines]
    if reference:
        contestants += _references(threads, _square(photograph, 64))
    timings: list[Timing] = []
    for place, side in enumerate(sides_px):
        picture = _square(photograph, side)
        painted = [one.paint(picture) for one in contestants]  # warm-up
        taken: list[list[float]] = [[] for _ in contestants]
        for round_number in range(repeats):
            if progress is not None:
                progress(place * repeats + round_number, len(sides_px) * repeats, f"{side} px")
            for one, times in zip(contestants, taken, strict=True):
                started = time.perf_counter()
                one.paint(picture)
                times.append((time.perf_counter() - started) * 1000)
        peaks = [
            peak_mb(package, one, side) if memory and one.model == package.manifest.name else None
            for one in contestants
        ]
        timings += [
            _timing(one, side, times, taken[0], _likeness(one, made, painted[0], package), peak)
            for one, times, made, peak in zip(contestants, taken, painted, peaks, strict=True)
        ]
    for engine in engines:
        engine.close()
    return timings


def open_engines(package: Package, threads: int | None) -> list[Engine]:
    """Every engine and precision that runs here, torch float32 first."""
    makers: list[Callable[[], Any]] = [lambda: TorchRunner(package), lambda: TorchRunner(package, precision="bfloat16")]
    makers += [partial(OpenvinoRunner, package, threads=threads, precision=precision) for precision in PRECISIONS]
    if torch.cuda.is_available():
        makers += [lambda: TorchRunner(package, device="cuda", precision="float16", compiled=True)]
    makers += [lambda: TensorrtRunner(package), lambda: TensorrtRunner(package, precision="int8")]
    engines: list[Engine] = []
    for make in makers:
        try:
            engines.append(PackageEngine(make()))
        except EngineUnavailable:
            continue  # what is not here is not compared; `pentimento doctor` says how to get it
    return engines


def peak_mb(package: Package, one: Contestant, side_px: int) -> float:
    """Peak resident memory of a process that loads this engine and paints one square photograph."""
    command = [sys.executable, "-m", "runtime.footprint", str(package.folder), one.engine, one.precision, str(side_px)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _of_engine(engine: Engine, style: Pixels) -> Contestant:
    code = engine.encode_style(style)
    return Contestant(
        engine.package.manifest.name, engine.name, engine.precision, lambda pixels: engine.stylize(pixels, code)
    )


def _references(threads: int | None, calibration: Pixels) -> list[Contestant]:
    network = make_reference()
    contestants = [Contestant("adain-vgg19", "torch", "float32", torch_reference(network))]
    for precision in PRECISIONS:
        try:
            paint = openvino_reference(network, precision, threads=threads, calibration=calibration)
        except ImportError:
            break
        contestants.append(Contestant("adain-vgg19", "openvino", precision, paint))
    return contestants


def _likeness(one: Contestant, made: Pixels, expected: Pixels, package: Package) -> float | None:
    return psnr_db(made, expected) if one.model == package.manifest.name else None


def _timing(
    one: Contestant, side_px: int, times: list[float], base: list[float], likeness: float | None, peak: float | None
) -> Timing:
    median = statistics.median(times)
    quarters = statistics.quantiles(times, n=4)
    return Timing(
        model=one.model,
        side_px=side_px,
        engine=one.engine,
        precision=one.precision,
        median_ms=median,
        least_ms=min(times),
        spread_ms=quarters[2] - quarters[0],
        speedup=statistics.median(base) / median,
        psnr_db=likeness,
        peak_mb=peak,
    )


def _square(photograph: Pixels, side_px: int) -> Pixels:
    return np.ascontiguousarray(resize_short_side(photograph, side_px)[:side_px, :side_px])
