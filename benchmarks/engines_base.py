"""The base variant with random weights in OpenVINO: float32, bfloat16 and INT8, interleaved; prints medians.

`python -m benchmarks.engines_base 512 7`. Time depends on shapes alone; likeness would need
trained weights.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from runtime.openvino_engine import PRECISIONS, OpenvinoRunner
from runtime.package import STYLIZE_ONNX_NAME
from runtime.package_engine import PackageEngine
from runtime.packaging import golden_pictures, package_network
from runtime.qdq import write_qdq
from runtime.quantising import Pair, calibrate, with_graph
from stylenet.config import BASE
from stylenet.network import StyleNetwork
from stylenet.pictures import resize_short_side


def main(side_px: int, rounds: int) -> dict[str, float]:
    """Median milliseconds by precision, every inner convolution in INT8."""
    torch.manual_seed(0)
    network = StyleNetwork(BASE)
    photograph, style = golden_pictures()
    picture = resize_short_side(photograph, side_px)[:side_px, :side_px].copy()
    with tempfile.TemporaryDirectory() as folder:
        package = package_network(network, Path(folder) / "base", name="base", card="# Base\n\nRandom weights.\n")
        graph = package.path(STYLIZE_ONNX_NAME).read_bytes()
        scales = calibrate(network.requires_grad_(False), [Pair(photograph, style)])
        package = with_graph(package, Path(folder) / "int8", write_qdq(graph, scales))
        engines = {name: PackageEngine(OpenvinoRunner(package, precision=name)) for name in PRECISIONS}
        code = engines["float32"].encode_style(style)
        times: dict[str, list[float]] = {name: [] for name in PRECISIONS}
        for round_number in range(rounds + 1):
            for name, engine in engines.items():
                started = time.perf_counter()
                engine.stylize(picture, code)
                if round_number:  # the first one is the warm-up
                    times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


if __name__ == "__main__":
    medians = main(int(sys.argv[1]), int(sys.argv[2]))
    for precision, median in medians.items():
        print(f"{precision}: {median:.1f} ms, {medians['float32'] / median:.2f} times float32")
