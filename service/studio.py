"""How one picture is painted: decode, wait, encode the style, stylise, encode; within the queue and the deadline.

Decoding and encoding run in threads of their own, beside the engine's lane, so the engine never waits for a PNG, and
look-ups in another, so that nobody waits behind pictures to hear a no. A job is a task that nobody cancels: at the
deadline (or when the client has gone) its ticket is abandoned, the client gets its answer, and the job ends by itself
at the next stage, giving its permit back only then.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from registry.styles import StyleLibrary
from service.admission import Permit, PixelQueue
from service.batching import Batcher
from service.codes import StyleCodes, WeightedStyle
from service.decoding import Decoded, Decoder
from service.drain import Drain
from service.easel import Easel, Job
from service.errors import DeadlinePassed
from service.follower import Follower, Outcome
from service.lane import Abandoned, EncoderInLane, EngineLane, Ticket, give_way
from service.metrics import Metrics
from service.models import ModelHolder
from service.orders import StylizeOrder
from service.photos import PhotoShelf
from service.resident import Resident
from service.settings import ServiceSettings
from service.stages import Stages
from stylenet.pictures import encode_picture

T = TypeVar("T")
log = logging.getLogger("pentimento.service")


@dataclass(frozen=True, slots=True)
class Painted:
    """One finished picture and who made it."""

    blob: bytes
    media_type: str
    model: Resident
    stages: Stages
    size_px: tuple[int, int]


class Studio:
    """Paints orders with the resident models.

    Owns threads: `start` on the event loop, `close` at the end.

    Args:
        after_swap: called whenever another model paints.
    """

    def __init__(
        self, settings: ServiceSettings, metrics: Metrics, *, after_swap: Callable[[], None] = lambda: None
    ) -> None:
        self.settings = settings
        self._after_swap = after_swap
        self.metrics = metrics
        self.queue = PixelQueue(capacity_pixels=settings.queue_pixels, capacity_requests=settings.queue_requests)
        self.drain = Drain(settings.drain_s)
        self.library = StyleLibrary.from_settings(settings.registry)
        self.photos = PhotoShelf(capacity_pixels=settings.photo_pixels, keep_s=settings.photo_keep_s)
        self.decoder = Decoder(self.photos, settings.max_pixels)
        self._lane = EngineLane()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures", initializer=give_way)
        self._desk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closing = False
        self.models = ModelHolder(settings, self._lane, tell=self._after_change)
        codes = StyleCodes(self.library, metrics, size=settings.style_cache_size)
        self._easel = Easel(self.models, codes, metrics)
        self._batcher = Batcher(self._lane, self._easel, metrics, self.models, most=settings.max_batch)
        metrics.queue_capacity_pixels.set(settings.queue_pixels)
        metrics.ready.set(0)

    def start(self) -> None:
        """Begin to fill an empty style library and to load the model. Returns at once."""
        self.models.start(before=self._seed if self.settings.seed_styles else None)

    async def close(self) -> None:
        """Let running jobs end, then give back the engines, the library and the threads."""
        self._closing = True
        if self._jobs:
            await asyncio.wait(self._jobs)
        await self.models.close()
        self._lane.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._desk.shutdown(wait=True, cancel_futures=True)
        self.library.close()
        self.drain.close()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do blocking work that needs no engine (files, databases, pictures) beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def at_desk(self, work: Callable[[], T]) -> T:
        """The same for what is quick and somebody waits for: never behind the decoding of pictures."""
        return await asyncio.get_running_loop().run_in_executor(self._desk, work)

    async def paint(
        self, order: StylizeOrder, *, key: str | None, deadline_s: float, gone: "asyncio.Task[None]"
    ) -> Painted:
        """Paint one order.

        Args:
            order: checked fields, undecoded files.
            key: requests of one key are painted by one model; the photograph's name where None.
            deadline_s: on the clock of `time.monotonic`.
            gone: done when the client has gone.

        Raises:
            Refusal: nothing was painted; says why.
            UnknownStyle: no such style.
            Abandoned: the client has gone.
        """
        self.models.resident()
        styles, pixels = await self.at_desk(lambda: self._look_up(order))  # unknown: refused before any work
        permit = self.queue.admit(pixels)
        ticket = Ticket()
        job = self._begin(self._work(order, styles, key, permit, ticket))
        await asyncio.wait({job, gone}, timeout=deadline_s - time.monotonic(), return_when=asyncio.FIRST_COMPLETED)
        if job.done():
            return job.result()
        ticket.abandon()
        if gone.done():
            raise Abandoned
        raise DeadlinePassed(
            f"the picture was not ready within {self.settings.deadline_s:g} s; send a smaller one, or try again later"
        )

    def _look_up(self, order: StylizeOrder) -> tuple[list[WeightedStyle], int]:
        styles = [WeightedStyle(self.library.get(share.style), share.weight) for share in order.styles]
        return styles, self.decoder.announced_pixels(order)

    async def _work(
        self, order: StylizeOrder, styles: list[WeightedStyle], key: str | None, permit: Permit, ticket: Ticket
    ) -> Painted:
        stages, painted = Stages(), False
        try:
            with stages.timing("decode"):
                decoded = await self.in_thread(lambda: self._decode(order, ticket))
            stages.begin("wait")
            job = Job(decoded, styles, order.dials, key or decoded.photo_key, ticket, stages)
            canvas = await self._batcher.paint(job)
            painted = True
            ticket.check()
            with stages.timing("encode"):
                blob = await self.in_thread(lambda: encode_picture(canvas.pixels, order.picture_format))
        finally:
            permit.release(worked=painted)
        for stage, seconds in stages.seconds.items():
            self.metrics.stage_seconds.labels(stage).observe(seconds)
        if canvas.role == "champion":
            self._shadow(job)
        height, width = canvas.pixels.shape[:2]
        return Painted(blob, f"image/{order.picture_format}", canvas.model, stages, (width, height))

    def _decode(self, order: StylizeOrder, ticket: Ticket) -> Decoded:
        ticket.check()
        return self.decoder.order(order)

    def _shadow(self, job: Job) -> None:
        """Have the challenger paint it too, while nobody else waits: measured, and thrown away."""
        rival = self.models.rival()
        idle = self.queue.admitted == 0 and not self._closing and not self.drain.begun
        if rival is None or self.settings.challenger_mode != "shadow" or not idle:
            return
        if self.models.falls_to(rival, job.key):
            again = Job(job.decoded, job.styles, job.dials, job.key)
            self._begin(self._lane.run(lambda: self._easel.shadow(again, rival)))

    def _begin(self, work: Any) -> "asyncio.Task[Any]":
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._forget)
        return job

    def _forget(self, job: "asyncio.Task[Any]") -> None:
        self._jobs.discard(job)
        if not job.cancelled():
            job.exception()  # an abandoned job's end is nobody's news: without this asyncio would log it

    async def _seed(self) -> None:
        try:
            await self.in_thread(self.library.seed_builtin)
        except Exception:  # whatever it is: a library that cannot be filled can still be served
            log.exception("the style library could not be filled")

    def _after_change(self, follower: Follower, outcome: Outcome) -> None:
        self.metrics.tell_change(follower, outcome)
        if outcome == "swapped" and follower.current is not None:
            self._after_swap()
            self._begin(self._refresh_codes(follower, follower.current))

    async def _refresh_codes(self, follower: Follower, model: Resident) -> None:
        """Encode the library's styles for a new model, between the requests, so that nobody waits for it later."""
        refresh = getattr(self.library, "refresh_codes", None)
        if refresh is None:
            return
        encoder = EncoderInLane(model.engine, self._lane)

        def should_stop() -> bool:
            return self._closing or self.drain.begun or follower.current is not model

        try:
            await asyncio.to_thread(lambda: refresh(encoder, should_stop=should_stop))
        except Exception:  # the codes are only a cache: without them the first request of a style encodes it
            log.exception("the style codes of %s could not be made in advance", model.version)
