"""Answers to requests whose bodies nobody has read: whoever closes a connection over unread bytes resets it, and then
the answer may be lost on its way. A proxy makes 502 of that (seen with nginx, 1 of 5 early refusals; docs/LOAD.md).
"""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

_PATIENCE_S = 2.0


class Body:
    """A request's body as it comes in, and whether some of it is still to come."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self.is_left = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._receive = receive

    async def receive(self) -> Message:
        """The next message."""
        message = await self._receive()
        self.is_left = message["type"] == "http.request" and message.get("more_body", False)
        return message


async def answer_before_reading(response: Response, scope: Scope, body: Body, send: Send) -> None:
    """Send the whole answer at once; then, before the connection may be closed, let what is left of the body come in.

    Nothing of it is kept, and after two seconds nobody waits for the rest.
    """

    async def send_and_stay(message: Message) -> None:
        if message["type"] != "http.response.body" or not body.is_left:
            await send(message)
            return
        await send({**message, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while body.is_left:
                    await body.receive()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    await response(scope, body.receive, send_and_stay)
