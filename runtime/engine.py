"""One Engine for everybody: evaluation, the service and the batch command all paint through this interface."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.package import Package
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels

EngineName = Literal["auto", "openvino", "torch"]


class Engine(Protocol):
    """A model package, ready to paint. Deterministic: the same input, code and dials give the same bytes.

    Not safe for two threads at once: whoever shares one holds a lock.
    """

    name: str
    """Which engine: "torch" or "openvino"."""
    precision: str
    """What it computes in: "float32", "bfloat16" or "int8"."""
    package: Package
    """What it paints with; `package.digest` names it."""

    def encode_style(self, pixels: Pixels) -> StyleCode:
        """A style picture's code.

        Args:
            pixels: uint8 (H, W, 3), sides from 16 to 2048.
        """
        ...

    def stylize(
        self, pixels: Pixels, code: StyleCode, dials: Dials | None = None, *, mask: NDArray[np.float32] | None = None
    ) -> Pixels:
        """The photograph in the style, at exactly its own size.

        Args:
            pixels: uint8 (H, W, 3), sides from 16 to 2048.
            code: from this very network's `encode_style`.
            dials: all at their defaults where None. strength 0 returns the input bit for bit.
            mask: float32 (H, W), 0..1: where to paint; everywhere by default.

        Returns:
            uint8 (H, W, 3).
        """
        ...

    def close(self) -> None:
        """Give back what the engine holds. It cannot paint afterwards."""
        ...


# Loading lives in `runtime.loading`: load_engine(package_or_folder, engine="auto", threads=None) -> Engine.
