"""What the service knows about one request, and what it asks of it: no other site, and somebody who still waits."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from service.errors import BadField, Forbidden
from service.stages import Stages

_KEY = "pentimento"
_REQUEST_KEY = re.compile(r"[A-Za-z0-9._:@-]{1,128}")


@dataclass(slots=True)
class Facts:
    """What is known about one request by the time that it is answered: for the log and the traces.

    Args:
        request_id: the client's own, or one of ours.
        stages: of the picture that it painted.
        version: that painted it.
        pixels: of the picture.
        holder: whose token it carries.
        refusal: the code of the problem that it got.
    """

    request_id: str
    stages: Stages = field(default_factory=Stages)
    version: str | None = None
    pixels: int | None = None
    holder: str | None = None
    refusal: str | None = None


def remember(scope: Scope, facts: Facts) -> None:
    """Hang the facts on the request."""
    scope[_KEY] = facts


def facts_of(request: Request) -> Facts:
    """The request's facts."""
    return cast(Facts, request.scope[_KEY])


def request_key(request: Request) -> str | None:
    """What decides between champion and challenger: the client's X-Request-Key, or the token's holder.

    Raises:
        BadField: a key that is none.
    """
    given = request.headers.get("x-request-key")
    if given is None:
        return facts_of(request).holder
    if not _REQUEST_KEY.fullmatch(given):
        raise BadField("X-Request-Key must be 1 to 128 letters, digits or . _ : @ -; for example a user's number")
    return given


def refuse_other_sites(request: Request) -> None:
    """Refuse a form that a page of another site posts with somebody's browser: no CORS headers would not stop that.

    Raises:
        Forbidden: the Origin is not this host.
    """
    origin = request.headers.get("origin")
    if origin is not None and _host_of(origin) != request.headers.get("host"):
        raise Forbidden(f"pages of {origin[:80]} may not use this service; call it from your server, without Origin")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # "http://[": no address at all
        return None


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
