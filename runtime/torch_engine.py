"""The torch engine: the float32 reference anywhere, and the fast way on a GPU that has no TensorRT."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from runtime.errors import EngineUnavailable
from runtime.export import with_half_convolutions
from runtime.networks import Network, load_network
from runtime.package import Package
from runtime.runner import Batch, Floats, Order
from stylenet.codes import CODE_NAMES
from stylenet.images import to_images, to_pictures
from stylenet.ledger import Ledger

TorchPrecision = Literal["float32", "bfloat16", "float16"]
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TorchRunner:
    """See `runtime.runner.Runner`.

    Args:
        package: verified already.
        device: "cpu", "cuda", ...
        precision: of the convolutions; statistics and colours stay in float32. The default is the reference.
        compiled: have `torch.compile` fuse what lies between the convolutions, and record CUDA graphs on a GPU. The
            first picture of each size then takes long: for services that see few sizes.

    Raises:
        EngineUnavailable: an unknown precision, or no such device.
    """

    name = "torch"

    def __init__(
        self,
        package: Package,
        *,
        device: str = "cpu",
        precision: TorchPrecision = "float32",
        compiled: bool = False,
    ) -> None:
        if precision not in _DTYPES:
            raise EngineUnavailable(f"torch does not compute in {precision!r}; choose one of {', '.join(_DTYPES)}")
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise EngineUnavailable(
                f"torch sees no NVIDIA GPU for device {device!r}; use --engine openvino, or the cpu"
            )
        self.package, self.precision = package, str(precision)
        self._device = torch.device(device)
        self.device = self._device.type
        self._network = load_network(package).to(self._device)
        self.sizes, self.statistics_size = self._find_sizes()
        fast = precision != "float32"
        self._painter = _in_half(self._network, _DTYPES[precision]) if fast else self._network
        mode = "reduce-overhead" if self._device.type == "cuda" else "default"  # the former records CUDA graphs
        self._forward: Any = torch.compile(self._run, mode=mode, dynamic=False) if compiled else self._run

    @torch.inference_mode()
    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """See `Runner.encode`."""
        colour, texture, semantics = self._network.encode_style(to_images(picture, self._device))
        return colour.cpu().numpy(), texture.cpu().numpy(), semantics.cpu().numpy()

    @torch.inference_mode()
    def paint(self, pictures: Batch, order: Order) -> Batch:
        """See `Runner.paint`."""
        return to_pictures(self._forward(to_images(pictures, self._device), self._feed(order)))

    @torch.inference_mode()
    def measure(self, pictures: Batch, order: Order) -> Floats:
        """See `Runner.measure`."""
        feed = self._feed(order)
        ledger = Ledger(feed.pop("statistics"), feed.pop("hold"))
        self._painter.measure(to_images(pictures, self._device), **feed, ledger=ledger)
        return np.asarray(ledger.measured.cpu().numpy())

    def close(self) -> None:
        """Drop the network."""
        del self._network, self._painter, self._forward

    def _run(self, images: Tensor, feed: dict[str, Tensor]) -> Tensor:
        rest = {name: value for name, value in feed.items() if name not in ("statistics", "hold")}
        return self._painter(images, **rest, ledger=Ledger(feed["statistics"], feed["hold"]))

    def _feed(self, order: Order) -> dict[str, Tensor]:
        return {name: torch.from_numpy(value).to(self._device) for name, value in order.feed().items()}

    @torch.inference_mode()
    def _find_sizes(self) -> tuple[dict[str, int], int]:
        grey, ledger = torch.zeros(1, 3, 16, 16, device=self._device), Ledger()
        sample = self._network.encode_style(grey)
        self._network(grey, *sample, torch.ones(1, 5, device=self._device), ledger)
        return {name: part.shape[1] for name, part in zip(CODE_NAMES, sample, strict=True)}, ledger.measured.shape[1]


def _in_half(network: Network, dtype: torch.dtype) -> Network:
    """Convolutions in `dtype` and channels last, as tensor cores want them."""
    return with_half_convolutions(network, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
