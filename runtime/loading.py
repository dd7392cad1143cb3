"""From a package to an engine that has proved itself on the golden picture."""

import os
from typing import get_args

from runtime.engine import Engine, EngineName
from runtime.errors import EngineUnavailable
from runtime.openvino_engine import OpenvinoRunner
from runtime.package import Package, open_package
from runtime.package_engine import PackageEngine
from runtime.painting import check_golden
from runtime.runner import Runner
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
        engine: "openvino", "torch", or "auto": the fastest that this machine has.
        threads: cores for the CPU engine; all by default.
        precision: of the CPU engine; see `OpenvinoRunner`.
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
    runner: Runner
    if engine == "torch":
        runner = TorchRunner(package, device=device)
    else:
        try:
            runner = OpenvinoRunner(package, threads=threads, precision=precision)
        except EngineUnavailable:
            if engine != "auto":
                raise
            runner = TorchRunner(package, device=device)
    loaded = PackageEngine(runner)
    check_golden(loaded)
    return loaded
