"""The engine's lane: one thread that alone touches engines, because none is safe for two threads at once."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.images import Pixels

T = TypeVar("T")
_NICENESS = 10  # measured under three times the load: docs/LOAD.md


class Ticket:
    """Whether somebody still waits for the answer. Set from the event loop, read from worker threads."""

    def __init__(self) -> None:
        self.abandoned = False

    def abandon(self) -> None:
        """Nobody waits any more: what has not begun need not begin."""
        self.abandoned = True

    def check(self) -> None:
        """Raise Abandoned if nobody waits any more."""
        if self.abandoned:
            raise Abandoned


class Abandoned(Exception):
    """The work was given up before it was done."""


class EngineLane:
    """A thread of its own for every engine. Work is done in the order in which it came."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine", initializer=give_way)

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in the lane and return what it returns.

        Never cancel the awaiting task to stop the work: a thread does not stop. Abandon its ticket and wait.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def do(self, work: Callable[[], T]) -> T:
        """The same for another thread than the event loop's: wait until `work` is done."""
        return self._thread.submit(work).result()

    def close(self) -> None:
        """Let what runs end, start nothing more."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def give_way() -> None:
    """Let this thread go after whoever answers: a refusal takes no time, if only it gets a processor at once.

    Threads that the engine starts from this one inherit it. On Linux a priority belongs to a thread; elsewhere to the
    whole process, which would gain nothing.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)


class EncoderInLane:
    """An engine for whoever encodes styles beside the requests: each one is encoded in the lane, in its turn."""

    def __init__(self, engine: Engine, lane: EngineLane) -> None:
        self.name, self.precision, self.package = engine.name, engine.precision, engine.package
        self._engine = engine
        self._lane = lane

    def encode_style(self, pixels: Pixels) -> StyleCode:
        """See `Engine.encode_style`."""
        return self._lane.do(lambda: self._engine.encode_style(pixels))
