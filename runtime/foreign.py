"""Somebody else's painter as one ONNX file, so that it can be judged beside ours.

The contract. Inputs, by name:

    image     float32 (1, 3, H, W), RGB, -1..1: the photograph; H and W dynamic
    style     float32 (1, 3, H', W'), RGB, -1..1: the style picture; H' and W' dynamic
    strength  float32, one number 0..1; optional

Its first output is the picture: float32 (1, 3, H, W), -1..1, of exactly the photograph's size.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from runtime.errors import PackageError
from runtime.openvino_core import openvino_core
from stylenet.images import Pixels, to_image, to_pixels

IMAGE, STYLE, STRENGTH = "image", "style", "strength"


class ForeignGraph:
    """One ONNX file, computed by OpenVINO in float32.

    Args:
        path: the file.
        threads: how many cores to use; all by default.

    Raises:
        EngineUnavailable: openvino is not installed.
        PackageError: no ONNX file, or its inputs are not the contract's.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        core = openvino_core()
        self.path = path
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            graph = core.compile_model(str(path), "CPU", settings)
        except RuntimeError as error:
            raise PackageError(f"{path} cannot be read as an ONNX graph ({_first_line(error)})") from error
        names = {name for port in graph.inputs for name in port.get_names()}
        if not {IMAGE, STYLE} <= names or len(graph.inputs) > 3 or (len(graph.inputs) == 3 and STRENGTH not in names):
            raise PackageError(
                f"{path} has the inputs {', '.join(sorted(names))}; it needs `image`, `style` and, if it has "
                "a dial, `strength` (docs/JUDGING.md)"
            )
        self.has_strength = STRENGTH in names
        self._strength_rank = graph.input(STRENGTH).partial_shape.rank.get_length() if self.has_strength else 0
        self._request = graph.create_infer_request()

    def paint(self, pixels: Pixels, style: Pixels, strength: float = 1.0) -> Pixels:
        """The photograph in the style.

        Args:
            pixels: uint8 (H, W, 3).
            style: uint8 (H', W', 3).
            strength: for a graph that has the dial; any other ignores it.

        Returns:
            uint8 (H, W, 3).

        Raises:
            PackageError: the graph refuses these sizes, or its picture is not of the photograph's size, or not finite.
        """
        feed: dict[str, NDArray[np.float32]] = {IMAGE: to_image(pixels).numpy(), STYLE: to_image(style).numpy()}
        if self.has_strength:
            feed[STRENGTH] = np.full((1,) * self._strength_rank, strength, dtype=np.float32)
        try:
            self._request.infer(feed)
        except RuntimeError as error:
            raise PackageError(
                f"{self.path} refuses {pixels.shape} and {style.shape} ({_first_line(error)})"
            ) from error
        painted = self._request.get_output_tensor(0).data
        if painted.shape != feed[IMAGE].shape or not np.isfinite(painted).all():
            wrong = f"shape {painted.shape}" if painted.shape != feed[IMAGE].shape else "values that are not finite"
            raise PackageError(f"{self.path} painted {wrong} for a photograph of {feed[IMAGE].shape}; docs/JUDGING.md")
        return to_pixels(torch.from_numpy(painted.astype(np.float32)))


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
