"""Photographs kept for a while, decoded, so that turning a dial sends a name instead of a file.

A name is a keyed digest of the pixels: the same photograph has the same name in this process, nobody can make one up,
and no other process knows it.
"""

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from service.errors import UnknownPhoto
from stylenet.images import Pixels
from stylenet.pictures import MIN_SIDE_PX


@dataclass(slots=True)
class _Kept:
    pixels: Pixels
    until_s: float


class PhotoShelf:
    """The photographs that were used last, whole and made smaller. Safe for several threads.

    Args:
        capacity_pixels: most pixels that are kept; the one used longest ago goes first.
        keep_s: how long after its last use one is kept.
        clock: seconds, only forwards.
    """

    def __init__(self, *, capacity_pixels: int, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity_pixels
        self._keep_s = keep_s
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self.pixels = 0

    def put(self, pixels: Pixels) -> str:
        """Keep a photograph, uint8 (H, W, 3); returns its name: 32 hex digits."""
        digest = hashlib.blake2b(repr(pixels.shape).encode(), key=self._key, digest_size=16)
        digest.update(np.ascontiguousarray(pixels).data)
        self._keep((digest.hexdigest(), 0), pixels)
        return digest.hexdigest()

    def get(self, name: str, max_side_px: int | None = None) -> Pixels:
        """A photograph by its name, its longer side at most `max_side_px`.

        Raises:
            UnknownPhoto: it is not kept, or not any more.
        """
        whole = self._find((name, 0))
        if whole is None:
            raise UnknownPhoto(
                f"the photograph {name[:40]!r} is not kept here (any more); send it again with POST /v1/photos",
                field="photo",
            )
        if max_side_px is None or max(whole.shape[:2]) <= max_side_px:
            return whole
        small = self._find((name, max_side_px))
        if small is None:
            small = reduced(whole, max_side_px)
            self._keep((name, max_side_px), small)
        return small

    def _find(self, key: tuple[str, int]) -> Pixels | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.until_s < self._clock():
                return None
            kept.until_s = self._clock() + self._keep_s
            self._kept.move_to_end(key)
            return kept.pixels

    def _keep(self, key: tuple[str, int], pixels: Pixels) -> None:
        with self._lock:
            self._drop(key)
            self._kept[key] = _Kept(pixels, self._clock() + self._keep_s)
            self.pixels += _area(pixels)
            while len(self._kept) > 1 and (self.pixels > self._capacity or self._oldest().until_s < self._clock()):
                self._drop(next(iter(self._kept)))

    def _oldest(self) -> _Kept:
        return next(iter(self._kept.values()))

    def _drop(self, key: tuple[str, int]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.pixels -= _area(kept.pixels)


def reduced(pixels: Pixels, max_side_px: int) -> Pixels:
    """The same picture with its longer side at most `max_side_px`, but never a side below what can be painted."""
    width, height = reduced_size(pixels.shape[1], pixels.shape[0], max_side_px)
    if (height, width) == pixels.shape[:2]:
        return pixels
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.ascontiguousarray(np.asarray(small))


def reduced_size(width_px: int, height_px: int, max_side_px: int) -> tuple[int, int]:
    """Width and height of what `reduced` makes."""
    scale = min(1.0, max(max_side_px / max(width_px, height_px), MIN_SIDE_PX / min(width_px, height_px)))
    return max(MIN_SIDE_PX, round(width_px * scale)), max(MIN_SIDE_PX, round(height_px * scale))


def _area(pixels: Pixels) -> int:
    return int(pixels.shape[0] * pixels.shape[1])
