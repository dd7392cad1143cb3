"""How much memory one engine takes: run as `python -m runtime.footprint FOLDER ENGINE PRECISION SIDE`, prints MB."""

import sys
from pathlib import Path

import numpy as np

from runtime.openvino_engine import OpenvinoRunner
from runtime.package import open_package
from runtime.package_engine import PackageEngine
from runtime.packaging import golden_pictures
from runtime.runner import Runner
from runtime.torch_engine import TorchRunner
from stylenet.pictures import resize_short_side


def main(folder: str, engine: str, precision: str, side_px: int) -> float:
    """Peak resident memory in MB after painting one square photograph twice."""
    package = open_package(folder)
    runner: Runner
    if engine == "openvino":
        runner = OpenvinoRunner(package, precision=precision)
    else:
        runner = TorchRunner(package, precision=precision)  # type: ignore[arg-type]  # a wrong one is refused there
    painter = PackageEngine(runner)
    photograph, style = golden_pictures()
    picture = np.ascontiguousarray(resize_short_side(photograph, side_px)[:side_px, :side_px])
    code = painter.encode_style(style)
    for _ in range(2):
        painter.stylize(picture, code)
    return peak_mb()


def peak_mb() -> float:
    """Peak resident memory of this process in MB.

    Not `getrusage`'s figure: that one begins with what the process that started this one held.
    """
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6


if __name__ == "__main__":
    print(f"{main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])):.0f}")
