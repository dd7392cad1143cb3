"""Going away politely: finish what was accepted, refuse what is new, and be gone within the grace period."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.errors import Draining

log = logging.getLogger("pentimento.service")
_LAST_WORDS_S = 2.0  # of the grace period, for giving the model back after the last answer


class Drain:
    """Whether this replica still takes requests, and how many it is answering.

    Everything here runs on the event loop's thread.

    Args:
        grace_s: how long after SIGTERM the process may live.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self.in_flight = 0
        self.begun = False
        self._last_resort: threading.Timer | None = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One request, from its arrival until its answer has been sent."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def refuse_if_begun(self) -> None:
        """Raise Draining if this replica is going away."""
        if self.begun:
            raise Draining("this replica is going away; try again, another one answers", retry_after_s=1)

    def on_sigterm(self) -> None:
        """Take SIGTERM from whoever handled it (the web server), and pass it on when everything is answered.

        Call it on the event loop of the main thread.
        """
        then = signal.getsignal(signal.SIGTERM)
        loop = asyncio.get_running_loop()

        def pass_on() -> None:
            if callable(then):
                then(signal.SIGTERM, None)

        tasks: set[asyncio.Task[None]] = set()

        def begin() -> None:
            if self.begun:
                pass_on()  # told twice: somebody is in a hurry
                return
            tasks.add(loop.create_task(self.finish(pass_on), name="drain"))

        loop.add_signal_handler(signal.SIGTERM, begin)

    async def finish(self, then: Callable[[], None]) -> None:
        """Refuse what is new, wait for what was accepted, then call `then`.

        Unless `close` follows in time, the process is ended by force.
        """
        self.begun = True
        log.info("draining: %d requests to finish", self.in_flight)
        self._last_resort = threading.Timer(self._grace_s, self._give_up)
        self._last_resort.daemon = True
        self._last_resort.start()
        end_s = asyncio.get_running_loop().time() + self._grace_s - _LAST_WORDS_S
        while self.in_flight and asyncio.get_running_loop().time() < end_s:
            await asyncio.sleep(0.02)
        then()

    def close(self) -> None:
        """Everything is given back: nothing needs to be ended by force any more."""
        if self._last_resort is not None:
            self._last_resort.cancel()

    def _give_up(self) -> None:
        log.error("the grace period of %g s is over with %d requests unfinished", self._grace_s, self.in_flight)
        os._exit(1)  # a thread that paints cannot be stopped in any other way
