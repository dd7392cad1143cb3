"""From a package to an engine that has proved itself on the golden picture."""

import os
from typing import Any, get_args

import torch

from runtime.engine import Engine, EngineName
from runtime.errors import EngineUnavailable
from runtime.openvino_engine import OpenvinoRunner
from runtime.package import Package, open_package
from runtime.package_engine import PackageEngine
from runtime.painting import check_golden
from runtime.runner import Runner
from runtime.tensorrt_engine import TensorrtRunner
from runtime.torch_engine import TorchRunner


def load_engine(
    package: Package | str | os.PathLike[str],
    engine: EngineName = "auto",
    *,
    threads: int | None = None,
    precision: str | None = None,
    device: str = "cpu",
) -> Engine:
    """Verify a package, load it, and check that it paints its golden picture.

    Args:
        package: a folder, or one that `open_package` has verified already.
        engine: "openvino", "torch", "tensorrt", or "auto": the GPU through torch where there is one, else the
            processor through OpenVINO where that is installed, else through torch.
        threads: cores for the CPU engine; all by default.
        precision: see `OpenvinoRunner`, `TorchRunner` and `TensorrtRunner`; each engine's own default.
        device: of the torch engine.

    Raises:
        PackageError: the package must not be used.
        EngineUnavailable: an unknown engine, or one that this machine cannot run.
        GoldenMismatch: the engine does not paint what the package promises.
    """
    if engine not in get_args(EngineName):
        raise EngineUnavailable(f"unknown engine {engine!r}; choose one of {', '.join(get_args(EngineName))}")
    if not isinstance(package, Package):
        package = open_package(package)
    loaded = PackageEngine(_open(package, engine, threads, precision, device))
    check_golden(loaded)
    return loaded


def _open(package: Package, engine: EngineName, threads: int | None, precision: Any, device: str) -> Runner:
    if engine == "tensorrt":
        return TensorrtRunner(package, precision=precision or "float16")
    if engine == "auto" and torch.cuda.is_available():
        return TorchRunner(package, device="cuda", precision=precision or "float16")
    if engine != "torch":
        try:
            return OpenvinoRunner(package, threads=threads, precision=precision)
        except EngineUnavailable:
            if engine != "auto":
                raise
    return TorchRunner(package, device=device, precision=precision or "float32")
