"""The one Engine: checks at the door, strength 0, masks, tiles above the memory guard, and a runner that computes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from runtime.package import Package
from runtime.painting import check_batch, check_order, check_picture, check_statistics, confine
from runtime.runner import Batch, Order, Runner, take_order
from runtime.tiles import paint_in_tiles
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels
from stylenet.ledger import ContentStatistics

GUARD_PIXELS = 1440 * 1024
"""Painted whole up to here, in tiles above; docs/BENCHMARKS.md tells the memory that each takes."""
TILE_PX = 1024


class PackageEngine:
    """See `runtime.engine.Engine`.

    Args:
        runner: computes; closed with the engine.
        guard_pixels: pictures of more pixels are painted in tiles.
        tile_px: side of a tile, without its halo.
    """

    def __init__(self, runner: Runner, *, guard_pixels: int = GUARD_PIXELS, tile_px: int = TILE_PX) -> None:
        self._runner = runner
        self._guard_pixels, self._tile_px = guard_pixels, tile_px

    @property
    def name(self) -> str:
        """See `Engine.name`."""
        return self._runner.name

    @property
    def precision(self) -> str:
        """See `Engine.precision`."""
        return self._runner.precision

    @property
    def device(self) -> str:
        """See `Engine.device`."""
        return self._runner.device

    @property
    def package(self) -> Package:
        """See `Engine.package`."""
        return self._runner.package

    def encode_style(self, pixels: Pixels) -> StyleCode:
        """See `Engine.encode_style`."""
        check_picture(pixels)
        return StyleCode(*(part[0] for part in self._runner.encode(pixels[None])))

    def stylize(
        self,
        pixels: Pixels,
        code: StyleCode,
        dials: Dials | None = None,
        *,
        mask: NDArray[np.float32] | None = None,
        statistics: ContentStatistics | None = None,
    ) -> Pixels:
        """See `Engine.stylize`."""
        dials = dials or Dials()
        self._check(pixels, code, mask)
        if statistics is not None:
            check_statistics(statistics, self._runner.statistics_size, self.package.digest)
        if dials.strength == 0:
            return pixels.copy()
        order = take_order([code], [dials], self._runner.statistics_size)
        painted = self._paint(pixels[None], order if statistics is None else order.holding(statistics))[0]
        return painted if mask is None else confine(painted, pixels, mask)

    def stylize_batch(
        self, pixels: Sequence[Pixels], codes: Sequence[StyleCode], dials: Sequence[Dials] | None = None
    ) -> list[Pixels]:
        """See `Engine.stylize_batch`."""
        dials = [Dials()] * len(pixels) if dials is None else dials
        check_batch(pixels, codes, dials)
        for picture, code in zip(pixels, codes, strict=True):
            self._check(picture, code, None)
        if not pixels:
            return []
        room = max(1, self._guard_pixels // (pixels[0].shape[0] * pixels[0].shape[1]))
        done: list[Pixels] = []
        for start in range(0, len(pixels), room):
            part = slice(start, start + room)
            order = take_order(codes[part], dials[part], self._runner.statistics_size)
            done.extend(self._paint(np.stack(pixels[part]), order))
        return [
            picture.copy() if one.strength == 0 else painted
            for picture, painted, one in zip(pixels, done, dials, strict=True)
        ]

    def measure(self, pixels: Pixels, code: StyleCode, dials: Dials | None = None) -> ContentStatistics:
        """See `Engine.measure`."""
        self._check(pixels, code, None)
        order = take_order([code], [dials or Dials()], self._runner.statistics_size)
        return ContentStatistics(self._runner.measure(pixels[None], order)[0])

    def close(self) -> None:
        """See `Engine.close`."""
        self._runner.close()

    def _check(self, pixels: Pixels, code: StyleCode, mask: NDArray[np.float32] | None) -> None:
        check_order(pixels, code, mask, sizes=self._runner.sizes, digest=self.package.digest)

    def _paint(self, pictures: Batch, order: Order) -> Batch:
        count, height, width = pictures.shape[:3]
        if height * width <= self._guard_pixels:
            return self._runner.paint(pictures, order)
        if not order.hold.all():
            measured = self._runner.measure(pictures, order)
            order = replace(order, statistics=measured, hold=np.ones((count, 1), np.float32))
        return paint_in_tiles(pictures, order, self._runner.paint, tile_px=self._tile_px)
