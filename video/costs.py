"""What a frame costs, step by step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STEPS = ("decode", "flow", "paint", "blend", "encode")


@dataclass(slots=True)
class Costs:
    """Seconds by step, added up."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time of the block to `step`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] += time.perf_counter() - started

    def per_frame_ms(self, frames: int) -> dict[str, float]:
        """Milliseconds a frame by step; nothing at all where no frame was painted."""
        if frames == 0:
            return {}
        return {step: round(1000 * seconds / frames, 1) for step, seconds in self.seconds.items()}
