"""What endpoints that do something ask of a request: that no other site sent it, and that somebody still waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.requests import Request

from service.errors import Forbidden


def refuse_other_sites(request: Request) -> None:
    """Refuse a form that a page of another site posts with somebody's browser: no CORS headers would not stop that.

    Raises:
        Forbidden: the Origin is not this host.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden(f"pages of {origin[:80]} may not use this service; call it from your server, without Origin")


@asynccontextmanager
async def departure(request: Request) -> AsyncIterator["asyncio.Task[None]"]:
    """A task that is done when the client has gone. The body must have been read."""

    async def leaves() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task = asyncio.get_running_loop().create_task(leaves())
    try:
        yield task
    finally:
        task.cancel()
