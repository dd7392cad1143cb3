"""Pictures above the memory guard are painted in tiles that overlap by what one pixel can see.

With the statistics of the whole picture held and the grain in its place, a pixel depends on its surroundings alone: a
tile whose border reaches further than that paints inside it what the whole picture would show there, and seams have
nothing to come from. Tiles begin at multiples of `STEP_PX`, where the deepest level has a place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from runtime.runner import Batch, Order
from stylenet.network import STEP_PX

HALO_PX = 112
"""More than any of our networks sees from one pixel, counted along its longest chain of convolutions and the fusion's
blur; tests/test_engines.py holds tiles to the whole picture."""


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one axis: `start:stop` of it counts, `first:last` is painted."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def inner(self) -> slice:
        """What counts, within what is painted."""
        return slice(self.start - self.first, self.stop - self.first)


def spans(side_px: int, tile_px: int) -> list[Span]:
    """Cut a side into equal tiles of at most `tile_px` that count, each with its halo."""
    count = -(-side_px // tile_px)
    step = -(-side_px // count // STEP_PX) * STEP_PX
    return [
        Span(start, stop, max(0, start - HALO_PX), min(side_px, stop + HALO_PX))
        for start in range(0, side_px, step)
        for stop in [min(side_px, start + step)]
    ]


def tiles(height: int, width: int, tile_px: int) -> Iterator[tuple[Span, Span]]:
    """Rows and columns of every tile."""
    for rows in spans(height, tile_px):
        for columns in spans(width, tile_px):
            yield rows, columns


def paint_in_tiles(pictures: Batch, order: Order, paint: Callable[[Batch, Order], Batch], *, tile_px: int) -> Batch:
    """Paint tile by tile.

    Args:
        pictures: (N, H, W, 3).
        order: holds the statistics of the whole pictures.
        paint: paints one batch whole.
        tile_px: side of what counts in a tile.
    """
    painted = np.empty_like(pictures)
    for rows, columns in tiles(pictures.shape[1], pictures.shape[2], tile_px):
        seen = np.ascontiguousarray(pictures[:, rows.first : rows.last, columns.first : columns.last])
        tile = paint(seen, order.at(rows.first, columns.first))
        painted[:, rows.start : rows.stop, columns.start : columns.stop] = tile[:, rows.inner, columns.inner]
    return painted
