"""Requests of like size that wait for the engine are painted together, where the engine gains by that.

Nobody waits for a batch to fill: whoever's turn comes takes along those that are waiting already. On a processor a
batch takes as long as its pictures one by one (docs/SERVICE.md), so there the most is one unless told otherwise.
"""

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from typing import Any

from service.easel import Canvas, Easel, Job
from service.lane import EngineLane
from service.metrics import Metrics
from service.models import ModelHolder

PAYS = {"cuda": 8, "cpu": 1}
"""How many pictures at once, by where the engine paints."""


class Batcher:
    """Brings jobs to the easel, several at once where they are alike.

    Args:
        lane: where engines are used.
        easel: paints.
        models: whose champion says what pays.
        most: pictures in one batch; 1 paints one after the other; by default as many as pay.
    """

    def __init__(
        self, lane: EngineLane, easel: Easel, metrics: Metrics, models: ModelHolder, *, most: int | None
    ) -> None:
        self._lane = lane
        self._easel = easel
        self._metrics = metrics
        self._models = models
        self._told = most
        self._waiting: deque[tuple[Job, Future[Canvas]]] = deque()
        self._lock = threading.Lock()

    @property
    def most(self) -> int:
        """Pictures in one batch, now; the next champion may paint elsewhere.

        Raises:
            NotReady: there is no model (yet).
        """
        return self._told or PAYS[self._models.resident().engine.device]

    async def paint(self, job: Job) -> Canvas:
        """What becomes of one job.

        Raises:
            Whatever `Easel.paint` raises for it.
        """
        if self.most == 1:
            self._metrics.batch_size.observe(1)
            return await self._lane.run(lambda: self._easel.paint(job))
        future: Future[Canvas] = Future()
        with self._lock:
            self._waiting.append((job, future))
        # One turn for each job; a job that was taken along leaves its own turn to whoever waits then, or to nobody.
        painted = asyncio.wrap_future(future)
        turn: asyncio.Future[Any] = asyncio.ensure_future(self._lane.run(self._turn))
        await asyncio.wait([turn, painted], return_when=asyncio.FIRST_COMPLETED)
        if not painted.done():
            await turn  # raises what kept it from being taken: a lane that is closed, say
        return await painted

    def _turn(self) -> None:
        taken = self._take()
        if not taken:
            return
        self._metrics.batch_size.observe(len(taken))
        try:
            outcomes = self._easel.paint_together([job for job, _ in taken])
        except Exception as error:  # whatever it is, everybody who was taken along has to hear of it
            outcomes = [error] * len(taken)
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _take(self) -> list[tuple[Job, "Future[Canvas]"]]:
        """Whoever waited longest, and those like it, in their order."""
        with self._lock:
            if not self._waiting:
                return []
            first = self._waiting[0][0].likeness
            alike = [entry for entry in self._waiting if entry[0].likeness == first][: self.most]
            if first is None:
                alike = alike[:1]
            for entry in alike:
                self._waiting.remove(entry)
            return alike
