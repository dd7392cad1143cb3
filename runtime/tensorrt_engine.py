"""The TensorRT engine: engines by size bucket, pictures and results on the device, one CUDA graph per size.

torch holds the device's memory and turns uint8 into images and back there; TensorRT reads and writes those tensors.
"""

import os
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from runtime.errors import EngineUnavailable
from runtime.export import export_stylize
from runtime.networks import load_network
from runtime.package import STYLIZE_ONNX_NAME, Package
from runtime.qdq import int8_path, read_scales, write_qdq
from runtime.runner import Batch, Floats, Order
from runtime.tensorrt_build import Bucket, bucket_for, cached_engine, import_tensorrt
from runtime.torch_engine import TorchRunner

TensorrtPrecision = Literal["float32", "float16", "int8"]
MAX_GRAPHS = 8  # sizes whose launches are kept recorded; each holds its own input and output


class TensorrtRunner:
    """See `runtime.runner.Runner`. Encoding styles and measuring are rare: torch does them on the same device.

    Args:
        package: verified already.
        precision: "float16", "float32", or "int8" (beside float16, where the package has an INT8 graph).
        cache: folder for built engines; `PENTIMENTO_CACHE`, or `~/.cache/pentimento`, by default.

    Raises:
        EngineUnavailable: no TensorRT, no NVIDIA GPU, a GPU that this TensorRT does not know, an unknown precision, or
            no INT8 graph in the package.
    """

    name = "tensorrt"
    device = "cuda"

    def __init__(
        self, package: Package, *, precision: TensorrtPrecision = "float16", cache: Path | None = None
    ) -> None:
        # Asked first: the library takes long to load.
        if not torch.cuda.is_available():
            raise EngineUnavailable("TensorRT needs an NVIDIA GPU that torch sees; none is here: use --engine openvino")
        self._trt = import_tensorrt()
        self.package, self.precision = package, str(precision)
        self._torch = TorchRunner(package, device="cuda")
        self.sizes, self.statistics_size = self._torch.sizes, self._torch.statistics_size
        self._graph = painting_graph(package, precision)
        self._cache = cache or Path(os.environ.get("PENTIMENTO_CACHE", Path.home() / ".cache" / "pentimento"))
        self._runtime = self._trt.Runtime(self._trt.Logger(self._trt.Logger.ERROR))
        self._engines: dict[Bucket, Any] = {}
        self._recorded: dict[tuple[int, ...], _Recorded] = {}

    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """See `Runner.encode`."""
        return self._torch.encode(picture)

    def measure(self, pictures: Batch, order: Order) -> Floats:
        """See `Runner.measure`."""
        return self._torch.measure(pictures, order)

    @torch.inference_mode()
    def paint(self, pictures: Batch, order: Order) -> Batch:
        """See `Runner.paint`. One by one, since the buckets are for batches of one."""
        painted = np.empty_like(pictures)
        for place, picture in enumerate(pictures):
            recorded = self._record(picture.shape)
            painted[place] = recorded.run(picture, order.only(place))
        return painted

    def close(self) -> None:
        """Drop engines and buffers."""
        self._recorded.clear()
        self._engines.clear()
        self._torch.close()

    def _record(self, shape: tuple[int, ...]) -> "_Recorded":
        if shape not in self._recorded:
            while len(self._recorded) >= MAX_GRAPHS:
                del self._recorded[next(iter(self._recorded))]
            context = self._engine(bucket_for(*shape[:2])).create_execution_context()
            self._recorded[shape] = _Recorded(context, shape, self.sizes, self.statistics_size)
        return self._recorded[shape]

    def _engine(self, bucket: Bucket) -> Any:
        if bucket not in self._engines:
            gpu = torch.cuda.get_device_name()
            plan = cached_engine(
                self._cache, self._graph, bucket, digest=self.package.digest, precision=self.precision, gpu=gpu
            )
            engine = self._runtime.deserialize_cuda_engine(plan)
            if engine is None:
                raise EngineUnavailable(f"TensorRT {self._trt.__version__} cannot run on {gpu}; use --engine torch")
            self._engines[bucket] = engine
        return self._engines[bucket]


def painting_graph(package: Package, precision: TensorrtPrecision) -> bytes:
    """The painting graph with its types as TensorRT takes them: as they are written.

    Raises:
        EngineUnavailable: an unknown precision, or no INT8 graph in the package.
    """
    if precision not in get_args(TensorrtPrecision):
        known = ", ".join(get_args(TensorrtPrecision))
        raise EngineUnavailable(f"tensorrt does not compute in {precision!r}; choose one of {known}")
    if precision == "float32":
        return package.path(STYLIZE_ONNX_NAME).read_bytes()
    scales = read_scales(int8_path(package).read_bytes()) if precision == "int8" else None
    half = export_stylize(load_network(package), half=True)
    return half if scales is None else write_qdq(half, scales)


class _Recorded:
    """One size: its buffers on the device, and the whole way from pixels to pixels as one CUDA graph."""

    def __init__(self, context: Any, shape: tuple[int, ...], sizes: dict[str, int], statistics_size: int) -> None:
        height, width = shape[:2]
        widths = {**sizes, "dials": 5, "statistics": statistics_size, "hold": 1}
        self._inputs: dict[str, Tensor] = {name: torch.zeros(1, n, device="cuda") for name, n in widths.items()}
        self._inputs["offset"] = torch.zeros(2, dtype=torch.int64, device="cuda")
        self._image = torch.zeros(1, 3, height, width, device="cuda")
        self._outputs = {
            "stylized": torch.zeros_like(self._image),
            "measured": torch.zeros(1, statistics_size, device="cuda"),
        }
        self._levels = torch.zeros(height, width, 3, dtype=torch.uint8, device="cuda")
        self._painted = torch.zeros_like(self._levels)
        self._taken = torch.zeros(height, width, 3, dtype=torch.uint8, pin_memory=True)
        self._given = torch.zeros_like(self._taken, pin_memory=True)
        self._context = context
        for name, tensor in {**self._inputs, "image": self._image}.items():
            context.set_input_shape(name, tuple(tensor.shape))
            context.set_tensor_address(name, tensor.data_ptr())
        for name, tensor in self._outputs.items():
            context.set_tensor_address(name, tensor.data_ptr())
        self._graph = self._capture()

    def run(self, picture: np.ndarray, order: Order) -> np.ndarray:
        """uint8 (H, W, 3) -> the same."""
        for name, value in order.feed().items():
            self._inputs[name].copy_(torch.from_numpy(value))
        self._taken.copy_(torch.from_numpy(np.require(picture, requirements=["C", "W"])))
        self._levels.copy_(self._taken, non_blocking=True)
        self._graph.replay()
        self._given.copy_(self._painted, non_blocking=True)
        torch.cuda.current_stream().synchronize()
        return self._given.numpy().copy()

    def _capture(self) -> torch.cuda.CUDAGraph:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):  # kernels are loaded and memory is taken before anything is recorded
                self._pass()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._pass()
        return graph

    def _pass(self) -> None:
        self._image.copy_(self._levels.permute(2, 0, 1).float().div_(127.5).sub_(1.0)[None])
        self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream)
        levels = self._outputs["stylized"][0].add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
        self._painted.copy_(levels.permute(1, 2, 0))
