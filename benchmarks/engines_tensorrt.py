"""Every shipped painting graph, in float16 and INT8, becomes a TensorRT engine for GPUs that need not be here.

`python -m benchmarks.engines_tensorrt pretrained/compact pretrained/adain`; needs 'pentimento[tensorrt-rtx]'.
"""

import sys
import time
from collections.abc import Iterator

from runtime.calibration import read_pairs
from runtime.export import export_stylize
from runtime.networks import load_network
from runtime.package import open_package
from runtime.qdq import write_qdq
from runtime.quantising import calibrate
from runtime.tensorrt_build import BUCKETS, build

CAPABILITIES = ("8.0", "8.6", "8.9", "12.0")


def graphs(folder: str) -> Iterator[tuple[str, bytes]]:
    """Precision and graph: float16, and the same with every inner convolution in INT8."""
    network = load_network(open_package(folder))
    half = export_stylize(network, half=True)
    yield "float16", half
    yield "int8", write_qdq(half, calibrate(network, read_pairs(None, None)[0][:2]))


def main(folders: list[str]) -> None:
    """Build all, one line each; the first that fails ends it."""
    for folder in folders:
        for precision, graph in graphs(folder):
            for capability in CAPABILITIES:
                started = time.perf_counter()
                engine = build(graph, BUCKETS[1], capability=capability)
                took = time.perf_counter() - started
                print(f"{folder} {precision} {capability}: {len(engine) / 1e6:.1f} MB in {took:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
