"""The reference engine: torch, float32, on the CPU or a GPU."""

import numpy as np
import torch

from runtime.networks import load_network
from runtime.package import Package
from runtime.runner import Batch, Floats, Order
from stylenet.codes import CODE_NAMES
from stylenet.images import to_images, to_pictures
from stylenet.ledger import Ledger


class TorchRunner:
    """See `runtime.runner.Runner`.

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
        grey, ledger = torch.zeros(1, 3, 16, 16, device=self._device), Ledger()
        with torch.inference_mode():
            sample = self._network.encode_style(grey)
            self._network(grey, *sample, torch.ones(1, 5, device=self._device), ledger)
        self.sizes = {name: part.shape[1] for name, part in zip(CODE_NAMES, sample, strict=True)}
        self.statistics_size = ledger.measured.shape[1]

    @torch.inference_mode()
    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """See `Runner.encode`."""
        colour, texture, semantics = self._network.encode_style(to_images(picture, self._device))
        return colour.cpu().numpy(), texture.cpu().numpy(), semantics.cpu().numpy()

    @torch.inference_mode()
    def paint(self, pictures: Batch, order: Order) -> Batch:
        """See `Runner.paint`."""
        feed = {name: torch.from_numpy(value).to(self._device) for name, value in order.feed().items()}
        ledger = Ledger(feed.pop("statistics"), feed.pop("hold"))
        return to_pictures(self._network(to_images(pictures, self._device), **feed, ledger=ledger))

    @torch.inference_mode()
    def measure(self, pictures: Batch, order: Order) -> Floats:
        """See `Runner.measure`."""
        feed = {name: torch.from_numpy(value).to(self._device) for name, value in order.feed().items()}
        ledger = Ledger(feed.pop("statistics"), feed.pop("hold"))
        self._network.measure(to_images(pictures, self._device), **feed, ledger=ledger)
        return np.asarray(ledger.measured.cpu().numpy())

    def close(self) -> None:
        """Drop the network."""
        del self._network
