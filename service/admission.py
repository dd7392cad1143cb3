"""Who may come in: a bounded queue measured in pixels, because 2048x2048 is 64 times the work of 256x256.

Two doors. The first counts requests from their first byte, so that slow uploads cannot pile up. The second counts
pixels, from the picture's header until the work on it has really ended: a request that was answered 504 keeps its
permit as long as a thread still paints for it, so the bound holds when things go slowly, which is when it matters.

Saying no must be cheap, or saying it is what overloads: while one more picture like the last would not fit, the first
door refuses without reading a body.

Everything here runs on the event loop's thread; there is no lock because nothing awaits between reading and writing.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import QueueFull

LONGEST_RETRY_S = 60


class Permit:
    """The right to have so many pixels in work. Given back once, however often `release` is called."""

    def __init__(self, queue: "PixelQueue", pixels: int) -> None:
        self.pixels = pixels
        self._queue = queue
        self._since_s = time.monotonic()
        self._held = True

    def release(self, *, worked: bool = True) -> None:
        """Give it back. `worked` says whether the pixels were painted, and so whether their time counts as speed."""
        if self._held:
            self._held = False
            self._queue._take_back(self.pixels, time.monotonic() - self._since_s if worked else None)


class PixelQueue:
    """How much may be in work, and how much is.

    Args:
        capacity_pixels: most pixels admitted at a time. One picture alone is always admitted, however large.
        capacity_requests: most requests from first byte to last.
    """

    def __init__(self, *, capacity_pixels: int, capacity_requests: int) -> None:
        self.capacity_pixels = capacity_pixels
        self.capacity_requests = capacity_requests
        self.pixels = 0
        self.admitted = 0
        self.requests = 0
        self._likely_pixels = 0  # of a newcomer whose picture nobody has seen yet: as many as the last one's
        self._pixels_per_s = 1e6  # a guess until something was painted; then a running mean of what was seen

    @contextmanager
    def visit(self) -> Iterator[None]:
        """One request, from its first byte to its answer.

        Raises:
            QueueFull: too many requests, or so many pixels that a picture like the last one would not be admitted.
        """
        if self.requests >= self.capacity_requests:
            raise self._full(f"{self.requests} requests are being served, which is the most")
        if self.pixels and self.pixels + max(1, self._likely_pixels) > self.capacity_pixels:
            raise self._full(f"{self.pixels:,} pixels are waiting, which is the most")
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1

    def admit(self, pixels: int) -> Permit:
        """Count `pixels` as in work until the permit is released.

        Raises:
            QueueFull: they do not fit beside what is already in work.
        """
        # At most a quarter: a huge picture that was refused must not keep out small ones until nearly all is painted.
        self._likely_pixels = min(pixels, self.capacity_pixels // 4)
        if self.pixels and self.pixels + pixels > self.capacity_pixels:
            raise self._full(
                f"{self.pixels:,} pixels are waiting and {pixels:,} more would pass {self.capacity_pixels:,}"
            )
        self.pixels += pixels
        self.admitted += 1
        return Permit(self, pixels)

    def retry_after_s(self) -> int:
        """When what is in work now should be done, in whole seconds, 1 to 60."""
        return max(1, min(LONGEST_RETRY_S, math.ceil(self.pixels / self._pixels_per_s)))

    def _take_back(self, pixels: int, seconds: float | None) -> None:
        ahead = self.pixels  # what was in work with it, itself included: all of that took these seconds
        self.pixels -= pixels
        self.admitted -= 1
        if seconds and pixels:
            self._pixels_per_s += 0.2 * (ahead / seconds - self._pixels_per_s)

    def _full(self, why: str) -> QueueFull:
        seconds = self.retry_after_s()
        return QueueFull(f"the service is busy: {why}; try again in {seconds} s", retry_after_s=seconds)
