"""The CPU engine: OpenVINO reads the package's ONNX graphs and uses what the processor has (AMX, AVX-512, bfloat16)."""

from typing import Any

import numpy as np
import torch

from runtime.errors import EngineUnavailable, PackageError
from runtime.export import STYLIZE_INPUTS
from runtime.package import STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, Package
from runtime.runner import Batch, Floats, Order
from stylenet.codes import CODE_NAMES
from stylenet.images import to_images, to_pictures


class OpenvinoRunner:
    """See `runtime.runner.Runner`.

    Args:
        package: verified already.
        threads: how many cores to use; all by default.
        precision: "float32", "bfloat16", or None for what this processor computes fastest.

    Raises:
        EngineUnavailable: openvino is not installed.
        PackageError: the package's graphs are of an older kind.
    """

    name = "openvino"

    def __init__(self, package: Package, *, threads: int | None = None, precision: str | None = None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise EngineUnavailable("openvino is not installed; pip install 'pentimento[cpu]', or use torch") from error
        self._core = openvino.Core()
        if precision is None:
            capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = "bfloat16" if "BF16" in capabilities else "float32"
        self.package = package
        self.precision = precision
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        # The code is made once and used for every photograph: it stays in float32.
        style_settings = self._settings | {"INFERENCE_PRECISION_HINT": "f32"}
        style = self._core.read_model(str(package.path(STYLE_ONNX_NAME)))
        self._style = self._core.compile_model(style, "CPU", style_settings).create_infer_request()
        graph = self._core.read_model(str(package.path(STYLIZE_ONNX_NAME)))
        check_inputs(package, {name for port in graph.inputs for name in port.get_names()})
        compiled = self._core.compile_model(_keep(graph, "stylized"), "CPU", self._settings)
        self._paint = compiled.create_infer_request()
        self._measure: Any = None  # compiled when a picture first needs it
        self.sizes = {name: compiled.input(name).partial_shape[1].get_length() for name in CODE_NAMES}
        self.statistics_size = compiled.input("statistics").partial_shape[1].get_length()

    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """See `Runner.encode`."""
        self._style.infer({"style": to_images(picture).numpy()})
        colour, texture, semantics = (self._style.get_tensor(name).data.copy() for name in CODE_NAMES)
        return colour, texture, semantics

    def paint(self, pictures: Batch, order: Order) -> Batch:
        """See `Runner.paint`."""
        self._paint.infer({"image": to_images(pictures).numpy(), **order.feed()})
        return to_pictures(torch.from_numpy(self._paint.get_tensor("stylized").data))

    def measure(self, pictures: Batch, order: Order) -> Floats:
        """See `Runner.measure`."""
        if self._measure is None:
            graph = _keep(self._core.read_model(str(self.package.path(STYLIZE_ONNX_NAME))), "measured")
            self._measure = self._core.compile_model(graph, "CPU", self._settings).create_infer_request()
        self._paint.get_compiled_model().release_memory()  # a whole picture and a tile are never held at once
        self._measure.infer({"image": to_images(pictures).numpy(), **order.feed()})
        measured = np.array(self._measure.get_tensor("measured").data)
        self._measure.get_compiled_model().release_memory()
        return measured

    def close(self) -> None:
        """Drop the compiled graphs."""
        del self._style, self._paint, self._measure


def check_inputs(package: Package, names: set[str]) -> None:
    """Raise PackageError unless the painting graph takes what we feed: packages written before tiles take less."""
    missing = [name for name in STYLIZE_INPUTS if name not in names]
    if missing:
        raise PackageError(
            f"{package.path(STYLIZE_ONNX_NAME)} does not take {', '.join(missing)}: it was exported by an older "
            "Pentimento; write it again from its own weights with `pentimento export --renew`"
        )


def _keep(graph: Any, output: str) -> Any:
    """The graph with one of its outputs: what leads to the other alone is never computed."""
    import openvino

    return openvino.Model([graph.output(output)], graph.get_parameters())
