"""How one picture is painted: decode, wait, encode the style, stylise, encode; within the queue and the deadline.

Decoding and encoding run in threads of their own, beside the engine's lane, so the engine never waits for a PNG. A job
is a task that nobody cancels: at the deadline (or when the client has gone) its ticket is abandoned, the client gets
its answer, and the job ends by itself at the next stage, giving its permit back only then.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import UploadFile

from registry.styles import Style, StyleLibrary
from service.admission import Permit, PixelQueue
from service.errors import DeadlinePassed, UnusablePicture
from service.forms import StylizeOrder, peek_pixels
from service.lane import Abandoned, EngineLane, Ticket
from service.metrics import Metrics
from service.problems import as_refusal
from service.resident import ModelHolder, Resident
from service.settings import ServiceSettings
from stylenet.codes import StyleCode
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture

T = TypeVar("T")
log = logging.getLogger("pentimento.service")


@dataclass(slots=True)
class Stages:
    """How long each stage took, in seconds, in the order in which they happened."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Time the body as `stage`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = time.perf_counter() - begun

    def server_timing(self) -> str:
        """The Server-Timing header: milliseconds, as the standard says."""
        return ", ".join(f"{stage};dur={seconds * 1000:.1f}" for stage, seconds in self.seconds.items())


@dataclass(frozen=True, slots=True)
class Painted:
    """One finished picture and who made it."""

    blob: bytes
    media_type: str
    model: Resident
    stages: Stages


class Studio:
    """Paints orders with the resident model.

    Owns threads: `start` on the event loop, `close` at the end.
    """

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.queue = PixelQueue(capacity_pixels=settings.queue_pixels, capacity_requests=settings.queue_requests)
        self.library = StyleLibrary.from_settings(settings.registry)
        self._lane = EngineLane()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures")
        self._codes: OrderedDict[tuple[str, str], StyleCode] = OrderedDict()
        self._jobs: set[asyncio.Task[Painted]] = set()
        self.models = ModelHolder(settings, self._lane, on_ready=self._tell_metrics)
        metrics.queue_capacity_pixels.set(settings.queue_pixels)
        metrics.ready.set(0)

    def start(self) -> None:
        """Begin to fill an empty style library and to load the model. Returns at once."""
        self.models.start(before=self._seed if self.settings.seed_styles else None)

    async def close(self) -> None:
        """Let running jobs end, then give back the engine, the library and the threads."""
        if self._jobs:
            await asyncio.wait(self._jobs)
        await self.models.close()
        self._lane.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self.library.close()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do blocking work that needs no engine (files, databases, pictures) beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def paint(self, order: StylizeOrder, *, deadline_s: float, gone: "asyncio.Task[None]") -> Painted:
        """Paint one order.

        Args:
            order: checked fields, undecoded files.
            deadline_s: on the clock of `time.monotonic`.
            gone: done when the client has gone.

        Raises:
            Refusal: nothing was painted; says why.
            UnknownStyle: no such style.
            Abandoned: the client has gone.
        """
        model = self.models.resident()
        # An unknown name is refused before any work.
        style = None if order.style is None else await self.in_thread(lambda: self.library.get(order.style or ""))
        permit = self.queue.admit(await self.in_thread(lambda: self._announced_pixels(order)))
        ticket = Ticket()
        job = asyncio.get_running_loop().create_task(self._work(order, style, model, permit, ticket))
        self._jobs.add(job)
        job.add_done_callback(self._forget)
        await asyncio.wait({job, gone}, timeout=deadline_s - time.monotonic(), return_when=asyncio.FIRST_COMPLETED)
        if job.done():
            return job.result()
        ticket.abandon()
        if gone.done():
            raise Abandoned
        raise DeadlinePassed(
            f"the picture was not ready within {self.settings.deadline_s:g} s; send a smaller one, or try again later"
        )

    async def _work(
        self, order: StylizeOrder, style: Style | None, model: Resident, permit: Permit, ticket: Ticket
    ) -> Painted:
        stages, painted = Stages(), False
        try:
            with stages.timing("decode"):
                photo, style_pixels, style_key, mask = await self.in_thread(lambda: self._decode(order, ticket))
            queued = time.perf_counter()

            def in_lane() -> Pixels:
                stages.seconds["wait"] = time.perf_counter() - queued
                ticket.check()
                with stages.timing("encode_style"):
                    code = self._style_code(model, style, style_pixels, style_key)
                ticket.check()
                with stages.timing("stylize"):
                    return model.engine.stylize(photo, code, order.dials, mask=mask)

            pixels = await self._lane.run(in_lane)
            painted = True
            ticket.check()
            with stages.timing("encode"):
                blob = await self.in_thread(lambda: encode_picture(pixels, order.picture_format))
        finally:
            permit.release(worked=painted)
        for stage, seconds in stages.seconds.items():
            self.metrics.stage_seconds.labels(stage).observe(seconds)
        return Painted(blob, f"image/{order.picture_format}", model, stages)

    def _announced_pixels(self, order: StylizeOrder) -> int:
        files = [upload for upload in (order.image, order.style_image) if upload is not None]
        return sum(peek_pixels(upload, self.settings.max_pixels) for upload in files)

    def _decode(
        self, order: StylizeOrder, ticket: Ticket
    ) -> tuple[Pixels, Pixels | None, str, NDArray[np.float32] | None]:
        ticket.check()
        photo, _ = self._picture("image", order.image)
        style_pixels, style_key = None, ""
        if order.style_image is not None:
            style_pixels, style_key = self._picture("style_image", order.style_image)
        mask = None if order.mask is None else self._mask(order.mask, photo.shape[:2])
        return photo, style_pixels, style_key, mask

    def _picture(self, name: str, upload: UploadFile) -> tuple[Pixels, str]:
        """A file's pixels, and the sha256 of its bytes."""
        upload.file.seek(0)
        blob = upload.file.read()
        try:
            pixels = read_picture(blob, max_pixels=self.settings.max_pixels)
        except PictureError as error:
            raise as_refusal(error, field=name) or error from error
        return pixels, hashlib.sha256(blob).hexdigest()

    def _mask(self, upload: UploadFile, size: tuple[int, ...]) -> NDArray[np.float32]:
        grey = self._picture("mask", upload)[0].mean(axis=2, dtype=np.float32) / np.float32(255)
        if grey.shape != size:
            raise UnusablePicture(
                f"mask: it is {grey.shape[1]}x{grey.shape[0]} and the picture {size[1]}x{size[0]} (upright); "
                "send a mask of exactly the picture's size",
                field="mask",
            )
        return np.ascontiguousarray(np.clip(grey, 0.0, 1.0), dtype=np.float32)

    def _style_code(self, model: Resident, style: Style | None, pixels: Pixels | None, pixels_key: str) -> StyleCode:
        """Only in the lane: may call the engine. Exactly one of `style` and `pixels` is given."""
        key = (model.digest, pixels_key if style is None else style.id)  # both name the pictures' bytes
        if key in self._codes:
            self._codes.move_to_end(key)
            self.metrics.style_codes.labels("memory").inc()
            return self._codes[key]
        self.metrics.style_codes.labels("library" if pixels is None else "engine").inc()
        if pixels is not None:
            code = model.engine.encode_style(pixels)
        else:
            assert style is not None
            code = self.library.code(style, model.engine)
        self._codes[key] = code
        if len(self._codes) > self.settings.style_cache_size:
            self._codes.popitem(last=False)
        return code

    async def _seed(self) -> None:
        try:
            await self.in_thread(self.library.seed_builtin)
        except Exception:  # whatever it is: a library that cannot be filled can still be served
            log.exception("the style library could not be filled")

    def _forget(self, job: "asyncio.Task[Painted]") -> None:
        self._jobs.discard(job)
        if not job.cancelled():
            job.exception()  # an abandoned job's end is nobody's news: without this asyncio would log it

    def _tell_metrics(self, resident: Resident) -> None:
        self.metrics.ready.set(1)
        self.metrics.model.labels(
            resident.version, resident.digest, resident.engine.name, resident.engine.precision
        ).set(1)
