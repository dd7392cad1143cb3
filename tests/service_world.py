"""What the service's tests share: the real application without the server, and an engine that a test can hold up."""

import asyncio
import contextlib
import io
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from prometheus_client import CollectorRegistry

from runtime.engine import Engine
from service.front import Front
from service.metrics import Metrics
from service.routes import application
from service.settings import ServiceSettings
from service.studio import Studio
from service.traces import Tracing
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels

SIDE_PX = 64
PIXELS = SIDE_PX * SIDE_PX


class GatedEngine:
    """A real engine that begins to paint only when it is let, so that a test can look in the meantime."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.precision, self.package = engine.name, engine.precision, engine.package
        self.device = engine.device
        self.encode_style, self.close = engine.encode_style, engine.close
        self._engine = engine
        self.reached, self.let, self.painted = threading.Event(), threading.Event(), 0
        self.batches: list[int] = []

    def stylize(
        self, pixels: Pixels, code: StyleCode, dials: Dials | None = None, *, mask: NDArray[np.float32] | None = None
    ) -> Pixels:
        self.reached.set()
        assert self.let.wait(30)
        self.painted += 1
        return self._engine.stylize(pixels, code, dials, mask=mask)

    def stylize_batch(
        self, pixels: Sequence[Pixels], codes: Sequence[StyleCode], dials: Sequence[Dials] | None = None
    ) -> list[Pixels]:
        self.batches.append(len(pixels))
        return self._engine.stylize_batch(pixels, codes, dials)


def gate(studio: Studio) -> GatedEngine:
    """Put a gate before the studio's engine."""
    resident = studio.models.resident()
    gated = GatedEngine(resident.engine)
    studio.models.champion.current = replace(resident, engine=gated)
    return gated


@contextlib.asynccontextmanager
async def opened(
    settings: ServiceSettings, *, wait: bool = True, tracing: Tracing | None = None
) -> AsyncIterator[tuple[Studio, httpx.AsyncClient, Front]]:
    """A studio and a client of its application."""
    metrics = Metrics(CollectorRegistry())
    studio = Studio(settings, metrics)
    front = application(studio, metrics, tracing)
    studio.start()
    try:
        while wait and studio.models.state == "loading":
            await asyncio.sleep(0.02)
        transport = httpx.ASGITransport(front, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield studio, client, front
    finally:
        await studio.close()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


def picture(side_px: int) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "BMP")
    return buffer.getvalue()


async def stylize(client: httpx.AsyncClient, image: bytes, key: str | None = None, **fields: str) -> httpx.Response:
    headers = {} if key is None else {"X-Request-Key": key}
    files = {"image": ("x", image)}
    return await client.post("/v1/stylize", files=files, data={"style": "waves", **fields}, headers=headers)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)
