"""The reference engine: torch, float32, on the CPU or a GPU."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.networks import load_network
from runtime.package import Package
from runtime.painting import check_order, check_picture, confine
from stylenet.codes import CODE_NAMES, StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels, to_image, to_pixels


class TorchEngine:
    """See `runtime.engine.Engine`.

    Args:
        package: verified already.
        device: "cpu", "cuda", ...
    """

    name = "torch"
    precision = "float32"

    def __init__(self, package: Package, *, device: str = "cpu") -> None:
        self.package = package
        self._device = torch.device(device)
        self._network = load_network(package).to(self._device)
        with torch.inference_mode():
            sample = self._network.encode_style(torch.zeros(1, 3, 16, 16, device=self._device))
        self._sizes = {name: part.shape[1] for name, part in zip(CODE_NAMES, sample, strict=True)}

    @torch.inference_mode()
    def encode_style(self, pixels: Pixels) -> StyleCode:
        """See `Engine.encode_style`."""
        check_picture(pixels)
        parts: tuple[Tensor, ...] = self._network.encode_style(to_image(pixels).to(self._device))
        return StyleCode(*(part[0].float().cpu().numpy() for part in parts))

    @torch.inference_mode()
    def stylize(
        self, pixels: Pixels, code: StyleCode, dials: Dials | None = None, *, mask: NDArray[np.float32] | None = None
    ) -> Pixels:
        """See `Engine.stylize`."""
        dials = dials or Dials()
        check_order(pixels, code, mask, sizes=self._sizes, digest=self.package.digest)
        if dials.strength == 0:
            return pixels.copy()
        parts = [torch.from_numpy(part)[None].to(self._device) for part in code.parts().values()]
        numbers = torch.tensor([dials.numbers()], dtype=torch.float32, device=self._device)
        painted = to_pixels(self._network(to_image(pixels).to(self._device), *parts, numbers))
        return painted if mask is None else confine(painted, pixels, mask)

    def close(self) -> None:
        """Drop the network."""
        del self._network
