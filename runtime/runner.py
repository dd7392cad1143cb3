"""What one engine must be able to do: run a package's graphs on arrays. Everything above that is `PackageEngine`'s."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.package import Package
from stylenet.codes import CODE_NAMES, StyleCode
from stylenet.dials import Dials
from stylenet.ledger import ContentStatistics

Floats = NDArray[np.float32]
Batch = NDArray[np.uint8]
"""uint8 (N, H, W, 3): pictures of one size."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What a batch is painted with: the inputs of the painting graph beside the image.

    Args:
        colour, texture, semantics: (N, ...) float32, the style codes.
        dials: (N, 5) float32.
        statistics: (N, S) float32; hold: (N, 1) float32: see `stylenet.ledger.Ledger`.
        offset: (2,) int64: row and column where the image begins in a larger picture.
    """

    colour: Floats
    texture: Floats
    semantics: Floats
    dials: Floats
    statistics: Floats
    hold: Floats
    offset: NDArray[np.int64]

    def holding(self, statistics: ContentStatistics) -> "Order":
        """The same, with these statistics held instead of measured."""
        count = len(self.dials)
        return replace(
            self,
            statistics=np.repeat(statistics.values[None], count, axis=0),
            hold=np.ones((count, 1), np.float32),
        )

    def at(self, row: int, column: int) -> "Order":
        """The same, for a tile that begins there."""
        return replace(self, offset=np.array([row, column], dtype=np.int64))

    def only(self, place: int) -> "Order":
        """The same for one picture of the batch."""
        one = slice(place, place + 1)
        return Order(**{name: value if name == "offset" else value[one] for name, value in self.feed().items()})

    def feed(self) -> dict[str, NDArray]:
        """The graph's inputs by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def take_order(codes: Sequence[StyleCode], dials: Sequence[Dials], statistics_size: int) -> Order:
    """Codes and dials of a batch as the graph takes them, with nothing held."""
    parts = {name: np.stack([getattr(code, name) for code in codes]) for name in CODE_NAMES}
    return Order(
        **parts,
        dials=np.array([one.numbers() for one in dials], dtype=np.float32),
        statistics=np.zeros((len(codes), statistics_size), np.float32),
        hold=np.zeros((len(codes), 1), np.float32),
        offset=np.zeros(2, np.int64),
    )


class Runner(Protocol):
    """The graphs of one package, running somewhere."""

    name: str
    precision: str
    device: str
    """"cpu" or "cuda"."""
    package: Package
    sizes: dict[str, int]
    """Numbers per part of this network's style code."""
    statistics_size: int
    """Numbers in this network's content statistics."""

    def encode(self, picture: Batch) -> tuple[Floats, Floats, Floats]:
        """A style picture (1, H, W, 3) -> colour, texture, semantics, (1, ...) each."""
        ...

    def paint(self, pictures: Batch, order: Order) -> Batch:
        """Photographs -> paintings of the same size, (N, H, W, 3)."""
        ...

    def measure(self, pictures: Batch, order: Order) -> Floats:
        """Photographs -> (N, S) what was measured in them, without painting them."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...
