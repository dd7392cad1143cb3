"""One Engine for everybody: evaluation, the service and the batch command all paint through this interface."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.package import Package
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels
from stylenet.ledger import ContentStatistics

EngineName = Literal["auto", "openvino", "torch", "tensorrt"]


class Engine(Protocol):
    """A model package, ready to paint. Deterministic: the same input, code and dials give the same bytes.

    Not safe for two threads at once: whoever shares one holds a lock.
    """

    @property
    def name(self) -> str:
        """Which engine: "torch", "openvino" or "tensorrt"."""
        ...

    @property
    def precision(self) -> str:
        """What it computes in: "float32", "bfloat16", "float16" or "int8"."""
        ...

    @property
    def device(self) -> str:
        """Where it paints: "cpu" or "cuda". On a GPU a batch pays."""
        ...

    @property
    def package(self) -> Package:
        """What it paints with; `package.digest` names it."""
        ...

    def encode_style(self, pixels: Pixels) -> StyleCode:
        """A style picture's code.

        Args:
            pixels: uint8 (H, W, 3), sides from 16 to 2048.
        """
        ...

    def stylize(
        self,
        pixels: Pixels,
        code: StyleCode,
        dials: Dials | None = None,
        *,
        mask: NDArray[np.float32] | None = None,
        statistics: ContentStatistics | None = None,
    ) -> Pixels:
        """The photograph in the style, at exactly its own size; large ones in tiles that meet without a seam.

        Args:
            pixels: uint8 (H, W, 3), sides from 16 to 2048.
            code: from this very network's `encode_style`.
            dials: all at their defaults where None. strength 0 returns the input bit for bit.
            mask: float32 (H, W), 0..1: where to paint; everywhere by default.
            statistics: from `measure`, to be held; measured in the photograph itself by default.

        Returns:
            uint8 (H, W, 3).
        """
        ...

    def stylize_batch(
        self, pixels: Sequence[Pixels], codes: Sequence[StyleCode], dials: Sequence[Dials] | None = None
    ) -> list[Pixels]:
        """Several photographs of one size, each in its own style with its own dials, as `stylize` paints them."""
        ...

    def measure(self, pixels: Pixels, code: StyleCode, dials: Dials | None = None) -> ContentStatistics:
        """The photograph's statistics at every normalisation; given to `stylize`, they are held.

        Args:
            pixels: uint8 (H, W, 3), sides from 16 to 2048.
            code, dials: as for `stylize`; the deepest statistics depend on them.
        """
        ...

    def close(self) -> None:
        """Give back what the engine holds. It cannot paint afterwards."""
        ...


# Loading lives in `runtime.loading`: load_engine(package_or_folder, engine="auto", threads=None) -> Engine.
