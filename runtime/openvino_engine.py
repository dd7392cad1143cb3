"""The CPU engine: OpenVINO reads the package's ONNX graphs and uses what the processor has (AMX, AVX-512, bfloat16)."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from runtime.errors import EngineUnavailable
from runtime.package import STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, Package
from runtime.painting import check_order, check_picture, confine
from stylenet.codes import CODE_NAMES, StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels, to_image, to_pixels


class OpenvinoEngine:
    """See `runtime.engine.Engine`.

    Args:
        package: verified already.
        threads: how many cores to use; all by default.
        precision: "float32", "bfloat16", or None for what this processor computes fastest.

    Raises:
        EngineUnavailable: openvino is not installed.
    """

    name = "openvino"

    def __init__(self, package: Package, *, threads: int | None = None, precision: str | None = None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise EngineUnavailable("openvino is not installed; pip install 'pentimento[cpu]', or use torch") from error
        core = openvino.Core()
        if precision is None:
            capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = "bfloat16" if "BF16" in capabilities else "float32"
        self.package = package
        self.precision = precision
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        # The code is made once and used for every photograph: it stays in float32.
        style_settings = settings | {"INFERENCE_PRECISION_HINT": "f32"}
        style = core.compile_model(core.read_model(str(package.path(STYLE_ONNX_NAME))), "CPU", style_settings)
        stylize = core.compile_model(core.read_model(str(package.path(STYLIZE_ONNX_NAME))), "CPU", settings)
        self._style = style.create_infer_request()
        self._stylize = stylize.create_infer_request()
        self._sizes = {name: stylize.input(name).partial_shape[1].get_length() for name in CODE_NAMES}

    def encode_style(self, pixels: Pixels) -> StyleCode:
        """See `Engine.encode_style`."""
        check_picture(pixels)
        self._style.infer({"style": to_image(pixels).numpy()})
        return StyleCode(*(self._style.get_tensor(name).data[0].astype(np.float32) for name in CODE_NAMES))

    def stylize(
        self, pixels: Pixels, code: StyleCode, dials: Dials | None = None, *, mask: NDArray[np.float32] | None = None
    ) -> Pixels:
        """See `Engine.stylize`."""
        dials = dials or Dials()
        check_order(pixels, code, mask, sizes=self._sizes, digest=self.package.digest)
        if dials.strength == 0:
            return pixels.copy()
        feed: dict[str, Any] = {name: part[None] for name, part in code.parts().items()}
        feed["image"] = to_image(pixels).numpy()
        feed["dials"] = np.array([dials.numbers()], dtype=np.float32)
        self._stylize.infer(feed)
        painted = to_pixels(torch.from_numpy(self._stylize.get_tensor("stylized").data))
        return painted if mask is None else confine(painted, pixels, mask)

    def close(self) -> None:
        """Drop the compiled graphs."""
        del self._style, self._stylize
