"""The CPU engine: OpenVINO reads the package's ONNX graphs and uses what the processor has (AMX, AVX-512, bfloat16)."""

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from runtime.errors import EngineUnavailable, PackageError
from runtime.export import STYLIZE_INPUTS
from runtime.openvino_core import openvino_core
from runtime.openvino_graph import convolve_places, join_rounding, keep_output
from runtime.package import STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, Package
from runtime.quantising import INT8_NAME
from runtime.runner import Batch, Floats, Order
from stylenet.codes import CODE_NAMES
from stylenet.images import to_images, to_pictures

PRECISIONS = ("float32", "bfloat16", "int8")


class OpenvinoRunner:
    """See `runtime.runner.Runner`.

    Args:
        package: verified already.
        threads: how many cores to use; all by default.
        precision: "float32", "bfloat16" or "int8" (where the package has such a graph); None for what this processor
            computes fastest at the package's own likeness: bfloat16 or float32.
        hint: "latency": one picture on all cores; "throughput": OpenVINO may run several streams.
        cache: folder for compiled graphs, so that the next start is quicker; `PENTIMENTO_CACHE` by default.

    Raises:
        EngineUnavailable: openvino is not installed, or the package has no INT8 graph.
        PackageError: the package's graphs are of an older kind.
    """

    name = "openvino"

    def __init__(
        self,
        package: Package,
        *,
        threads: int | None = None,
        precision: str | None = None,
        hint: Literal["latency", "throughput"] = "latency",
        cache: Path | None = None,
    ) -> None:
        self._core = openvino_core()
        self.package = package
        has_bfloat16 = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = precision or ("bfloat16" if has_bfloat16 else "float32")
        self._graph_path = package.path(_graph_name(package, self.precision))
        self._settings = _settings(self.precision, has_bfloat16, threads, hint, cache)
        # The code is made once and used for every photograph: it stays in float32.
        style = self._core.read_model(str(package.path(STYLE_ONNX_NAME)))
        self._style = self._compile(style, {"INFERENCE_PRECISION_HINT": "f32"})
        self._paint = self._compile(self._read("stylized"))
        self._measure: Any = None  # compiled when a picture first needs it
        compiled = self._paint.get_compiled_model()
        self.sizes = {name: compiled.input(name).partial_shape[1].get_length() for name in CODE_NAMES}
        self.statistics_size = compiled.input("statistics").partial_shape[1].get_length()

    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """See `Runner.encode`."""
        self._style.infer({"style": to_images(picture).numpy()})
        colour, texture, semantics = (self._style.get_tensor(name).data.copy() for name in CODE_NAMES)
        return colour, texture, semantics

    def paint(self, pictures: Batch, order: Order) -> Batch:
        """See `Runner.paint`. One by one: on a processor a batch saves nothing, and costs memory."""
        painted = np.empty_like(pictures)
        for place, picture in enumerate(pictures):
            self._paint.infer(
                {"image": to_images(picture[None]).numpy(), **order.only(place).feed()}, share_inputs=True
            )
            painted[place] = to_pictures(torch.from_numpy(self._paint.get_tensor("stylized").data))[0]
        return painted

    def measure(self, pictures: Batch, order: Order) -> Floats:
        """See `Runner.measure`."""
        if self._measure is None:
            self._measure = self._compile(self._read("measured"))
        self._paint.get_compiled_model().release_memory()  # a whole picture and a tile are never held at once
        measured = []
        for place, picture in enumerate(pictures):
            self._measure.infer(
                {"image": to_images(picture[None]).numpy(), **order.only(place).feed()}, share_inputs=True
            )
            measured.append(self._measure.get_tensor("measured").data[0].copy())
        self._measure.get_compiled_model().release_memory()
        return np.stack(measured)

    def close(self) -> None:
        """Drop the compiled graphs."""
        del self._style, self._paint, self._measure

    def _read(self, output: str) -> Any:
        graph = self._core.read_model(str(self._graph_path))
        check_inputs(self._graph_path, {name for port in graph.inputs for name in port.get_names()})
        graph = keep_output(graph, output)
        join_rounding(graph)
        convolve_places(graph)
        return graph

    def _compile(self, graph: Any, changes: dict[str, Any] | None = None) -> Any:
        return self._core.compile_model(graph, "CPU", self._settings | (changes or {})).create_infer_request()


def _graph_name(package: Package, precision: str) -> str:
    if precision not in PRECISIONS:
        raise EngineUnavailable(f"openvino does not compute in {precision!r}; choose one of {', '.join(PRECISIONS)}")
    if precision != "int8":
        return STYLIZE_ONNX_NAME
    if INT8_NAME not in package.manifest.files:
        raise EngineUnavailable(
            f"{package.folder} has no {INT8_NAME}: none was made, or it failed its check; "
            "`pentimento export --int8` tries, `--precision bfloat16` does without"
        )
    return INT8_NAME


def _settings(precision: str, has_bfloat16: bool, threads: int | None, hint: str, cache: Path | None) -> dict[str, Any]:
    in_bfloat16 = precision == "bfloat16" or (precision == "int8" and has_bfloat16)
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": hint.upper(),
        "INFERENCE_PRECISION_HINT": "bf16" if in_bfloat16 else "f32",
    }
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    folder = cache or os.environ.get("PENTIMENTO_CACHE")
    if folder:
        settings["CACHE_DIR"] = str(folder)
    return settings


def check_inputs(path: Path, names: set[str]) -> None:
    """Raise PackageError unless the painting graph takes what we feed: packages written before tiles take less."""
    missing = [name for name in STYLIZE_INPUTS if name not in names]
    if missing:
        raise PackageError(
            f"{path} does not take {', '.join(missing)}: it was exported by an older Pentimento; write it again from "
            "its own weights with `pentimento export --renew`"
        )
