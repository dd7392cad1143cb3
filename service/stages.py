"""How long each stage of one picture took: for the Server-Timing header, the metrics, the log and the traces."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STAGES = ("decode", "wait", "encode_style", "stylize", "encode")
"""Every stage of a painted picture, in order."""


@dataclass(slots=True)
class Stages:
    """When each stage began and how long it took, in seconds, in the order in which they happened.

    Args:
        seconds: by stage.
        begun_ns: when each stage began, on the clock of `time.time_ns`.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    begun_ns: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Time the body as `stage`."""
        self.begin(stage)
        try:
            yield
        finally:
            self.end(stage)

    def begin(self, stage: str) -> None:
        """From now on, until `end`, it is `stage`: for one that ends in another thread than it began."""
        self.begun_ns[stage] = time.time_ns()
        self.seconds[stage] = -time.perf_counter()

    def end(self, stage: str) -> None:
        """`stage` is over."""
        self.seconds[stage] += time.perf_counter()

    def server_timing(self) -> str:
        """The Server-Timing header: milliseconds, as the standard says."""
        return ", ".join(f"{stage};dur={seconds * 1000:.1f}" for stage, seconds in self.seconds.items())
