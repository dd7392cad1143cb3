"""The CPU engine: OpenVINO reads the package's ONNX graphs and uses what the processor has (AMX, AVX-512, bfloat16)."""

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from runtime.errors import EngineUnavailable, PackageError
from runtime.export import STYLIZE_INPUTS
from runtime.openvino_core import openvino_core
from runtime.openvino_graph import convolve_places, keep_output
from runtime.openvino_rounding import join_rounding, round_where_free
from runtime.openvino_shapes import enlarge_to_size, size_from_photograph, square_while_summing
from runtime.package import INT8_NAME, STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, Package
from runtime.runner import Batch, Floats, Order
from stylenet.codes import CODE_NAMES
from stylenet.images import to_images, to_pictures

PRECISIONS = ("float32", "bfloat16", "int8")
REWRITES = (
    join_rounding,
    round_where_free,
    size_from_photograph,
    enlarge_to_size,
    square_while_summing,
    convolve_places,
)
"""What becomes of the painting graph before it is compiled, in this order. What it computes stays the same."""


class OpenvinoRunner:
    """See `runtime.runner.Runner`.

    Args:
        package: verified already.
        threads: how many cores to use; all by default.
        precision: "float32", "bfloat16" or "int8" (where the package has such a graph); None for `pick_precision`.
        hint: "latency": one picture on all cores; "throughput": OpenVINO may run several streams.
        cache: folder for compiled graphs, so that the next start is quicker; `PENTIMENTO_CACHE` by default.

    Raises:
        EngineUnavailable: openvino is not installed, or the package has no INT8 graph.
        PackageError: the package's graphs are of an older kind.
    """

    name = "openvino"
    device = "cpu"

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
        self.precision = precision or pick_precision(package, bfloat16=has_bfloat16, vnni=has_vnni())
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
        for rewrite in REWRITES:
            rewrite(graph)
        return graph

    def _compile(self, graph: Any, changes: dict[str, Any] | None = None) -> Any:
        return self._core.compile_model(graph, "CPU", self._settings | (changes or {})).create_infer_request()


def pick_precision(package: Package, *, bfloat16: bool, vnni: bool) -> str:
    """What a processor paints in where nobody says: by what it computes natively.

    With bfloat16, INT8 saves a seventh of the time and costs likeness (docs/BENCHMARKS.md): it is for those who ask.
    Without, INT8 takes less than half of float32's time: it is taken where the package's INT8 passed its check.

    Args:
        bfloat16: the processor has AVX-512 BF16 or AMX.
        vnni: it has 8-bit dot products; without them sums of 8-bit products saturate.
    """
    if bfloat16:
        return "bfloat16"
    return "int8" if vnni and INT8_NAME in package.manifest.files else "float32"


def has_vnni(processor: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether Linux says that the processor has 8-bit dot products; False elsewhere."""
    try:
        return "vnni" in processor.read_text()
    except OSError:
        return False


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
        # It would keep the kernels of every size of picture for good, 6 MB each; without, a new size takes no longer.
        "CPU_RUNTIME_CACHE_CAPACITY": "0",
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
