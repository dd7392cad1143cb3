"""Every exported graph, in every precision, becomes a TensorRT engine for GPUs that need not be here.

`python -m benchmarks.engines_tensorrt pretrained/compact pretrained/adain base`; needs 'pentimento[tensorrt-rtx]'.
`base` is that variant with random weights and the INT8 scales of a short calibration. Times are of the processor: they
do not grow when others use the machine.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from runtime.calibration import read_pairs
from runtime.package import STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, Package, open_package
from runtime.packaging import package_network
from runtime.qdq import write_qdq
from runtime.quantising import calibrate, with_graph
from runtime.tensorrt_build import BUCKETS, CAPABILITIES, Bucket, build
from runtime.tensorrt_engine import painting_graph
from stylenet.config import BASE
from stylenet.network import StyleNetwork


def graphs(package: Package) -> Iterator[tuple[str, bytes]]:
    """Name and graph: the style's in float32, the painting's as `TensorrtRunner` builds it."""
    yield "style float32", package.path(STYLE_ONNX_NAME).read_bytes()
    yield "painting float32", painting_graph(package, "float32")
    yield "painting float16", painting_graph(package, "float16")
    yield "painting int8", painting_graph(package, "int8")


def main(packages: list[Package], bucket: Bucket = BUCKETS[1]) -> Iterator[str]:
    """One line for each graph and aim: every capability alone, then one engine for all. The first failure ends it."""
    for package in packages:
        for name, graph in graphs(package):
            for aim in (*((one,) for one in CAPABILITIES), CAPABILITIES):
                started = time.process_time()
                engine = build(graph, bucket, capabilities=aim)
                took = time.process_time() - started
                yield f"{package.manifest.name} {name}, {' '.join(aim)}: {len(engine) / 1e6:.1f} MB, {took:.1f} s"


def random_base(folder: Path) -> Package:
    """A package of the base variant with random weights, every inner convolution in INT8."""
    torch.manual_seed(0)
    network = StyleNetwork(BASE)
    plain = package_network(network, folder / "plain", name="base", card="# Base\n\nRandom weights.\n")
    scales = calibrate(network.requires_grad_(False), read_pairs(None, None)[0][:1])
    return with_graph(plain, folder / "base", write_qdq(plain.path(STYLIZE_ONNX_NAME).read_bytes(), scales))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as aside:
        for line in main([random_base(Path(aside)) if name == "base" else open_package(name) for name in sys.argv[1:]]):
            print(line, flush=True)
