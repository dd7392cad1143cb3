"""A painting graph becomes a TensorRT engine: strongly typed, one profile per bucket of sizes, kept in a cache.

Works with `tensorrt` and with TensorRT-RTX (`tensorrt_rtx_bindings`), which have one builder. The latter builds for a
named compute capability on a machine without a GPU, and finishes the kernels on the machine that has one.
"""

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import EngineUnavailable

_MODULES = ("tensorrt", "tensorrt_rtx_bindings")
CAPABILITIES = ("8.0", "8.6", "8.9", "12.0")
"""GPUs that every shipped graph is built for on machines without one: A100, RTX 30, RTX 40 and L4, RTX 50."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Sizes that one profile serves: sides from `least_px` to `most_px`, best at `best` (height, width)."""

    least_px: int
    best: tuple[int, int]
    most_px: int
    batch: int = 1

    @property
    def name(self) -> str:
        """For the cache: what distinguishes it."""
        return f"{self.least_px}-{self.best[0]}x{self.best[1]}-{self.most_px}-n{self.batch}"


BUCKETS = (
    Bucket(16, (256, 256), 320),
    Bucket(16, (512, 512), 768),
    Bucket(16, (1080, 1920), 2048),
)


def import_tensorrt() -> Any:
    """The first of `tensorrt` and `tensorrt_rtx_bindings` that is installed.

    Raises:
        EngineUnavailable: neither is.
    """
    reasons = []
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except (ImportError, OSError) as error:  # a missing shared library is an OSError
            reasons.append(f"{name}: {error}")
    raise EngineUnavailable(
        f"no TensorRT here ({'; '.join(reasons)}); pip install 'pentimento[tensorrt]' or "
        "'pentimento[tensorrt-rtx]', or use --engine torch"
    )


def bucket_for(height: int, width: int) -> Bucket:
    """The smallest bucket that holds a picture.

    Raises:
        EngineUnavailable: none does.
    """
    for bucket in BUCKETS:
        if max(height, width) <= bucket.most_px and min(height, width) >= bucket.least_px:
            return bucket
    raise EngineUnavailable(f"no TensorRT profile holds {width}x{height}; sides may be 16 to {BUCKETS[-1].most_px}")


def build(
    graph: bytes,
    bucket: Bucket,
    *,
    capabilities: Sequence[str] = (),
    timings: Path | None = None,
    level: int | None = None,
) -> bytes:
    """Parse and build.

    Args:
        graph: ONNX with its types as they shall be computed: float32, float16, or with explicit Q/DQ.
        bucket: the sizes that it shall serve.
        capabilities: "8.6", ...: build one engine for all such GPUs, with none here (TensorRT-RTX only); for the GPU
            that is here if none are named.
        timings: file of the timing cache, read and written.
        level: the builder's optimisation level, its own default if None.

    Raises:
        EngineUnavailable: the graph does not parse, or no engine came of it; TensorRT's own words are given.
    """
    trt = import_tensorrt()
    logger = _collecting_logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(graph):
        faults = "; ".join(str(parser.get_error(place)) for place in range(parser.num_errors))
        raise EngineUnavailable(f"TensorRT {trt.__version__} cannot parse the graph: {faults}")
    config = builder.create_builder_config()
    if level is not None:
        config.builder_optimization_level = level
    if capabilities:
        _aim(trt, config, capabilities)
    config.add_optimization_profile(_profile(builder, network, bucket))
    cache = _read_timings(config, timings)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise EngineUnavailable(f"TensorRT {trt.__version__} built no engine: {logger.worst}")
    if cache is not None and timings is not None:
        _write_aside(timings, bytes(cache.serialize()))
    return bytes(engine)


def cached_engine(folder: Path, graph: bytes, bucket: Bucket, *, digest: str, precision: str, gpu: str) -> bytes:
    """The engine from the cache, or built and put there.

    Args:
        folder: of the cache.
        digest, precision: of the package, and of its graph.
        gpu: the device's name.
    """
    trt = import_tensorrt()
    version = f"{trt.__name__.split('_')[0]}-{trt.__version__}"
    place = "".join(
        c if c.isalnum() or c in "-." else "_" for c in f"{digest[:16]}-{precision}-{version}-{gpu}-{bucket.name}"
    )
    path = folder / f"{place}.engine"
    if path.is_file():
        return path.read_bytes()
    engine = build(graph, bucket, timings=folder / f"{version}-{gpu.replace(' ', '_')}.timings")
    _write_aside(path, engine)
    return engine


def _profile(builder: Any, network: Any, bucket: Bucket) -> Any:
    profile = builder.create_optimization_profile()
    for place in range(network.num_inputs):
        tensor = network.get_input(place)
        least, best, most = (
            _shape(tensor.name, tuple(tensor.shape), batch, sides)
            for batch, sides in (
                (1, (bucket.least_px, bucket.least_px)),
                (bucket.batch, bucket.best),
                (bucket.batch, (bucket.most_px, bucket.most_px)),
            )
        )
        profile.set_shape(tensor.name, least, best, most)
    return profile


def _shape(name: str, declared: tuple[int, ...], batch: int, sides: tuple[int, int]) -> tuple[int, ...]:
    if name in ("image", "style"):
        return (batch, 3, *sides)
    return tuple(batch if size == -1 else size for size in declared)


def _aim(trt: Any, config: Any, capabilities: Sequence[str]) -> None:
    known = getattr(trt, "ComputeCapability", None)
    config.num_compute_capabilities = len(capabilities)
    for place, capability in enumerate(capabilities):
        target = getattr(known, f"SM{capability.replace('.', '')}", None)
        if target is None:
            raise EngineUnavailable(
                f"{trt.__name__} {trt.__version__} cannot build for compute capability {capability} from here; "
                "build on a machine with such a GPU, or install 'pentimento[tensorrt-rtx]' "
                f"({', '.join(CAPABILITIES)})"
            )
        config.set_compute_capability(target, place)


def _read_timings(config: Any, path: Path | None) -> Any:
    if path is None or not hasattr(config, "create_timing_cache"):
        return None
    cache = config.create_timing_cache(path.read_bytes() if path.is_file() else b"")
    config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def _write_aside(path: Path, blob: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(blob)
    os.replace(aside, path)


def _collecting_logger(trt: Any) -> Any:
    class Collecting(trt.ILogger):  # type: ignore[misc]  # TensorRT's own interface
        """Keeps the first error: the last one only says that there was one."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.worst = "no reason given"

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.ERROR and self.worst == "no reason given":
                self.worst = message

    return Collecting()
