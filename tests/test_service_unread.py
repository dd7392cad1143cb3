"""A refusal reaches whoever is still sending: over a real connection, as the service answers before it reads."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from service.drain import Drain
from service.errors import QueueFull
from service.front import Front
from service.metrics import Metrics


async def refuse(_: Request) -> Response:
    raise QueueFull("busy; try again in 1 s", retry_after_s=1)


@contextmanager
def refusing() -> Iterator[int]:
    """A server that refuses everything unread, and its port."""
    front = Front(Router([Route("/", refuse, methods=["POST"])]), Metrics(CollectorRegistry()), Drain(5))

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await front(scope, receive, send)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize("size", [0, 100_000, 8_000_000])
def test_a_refusal_arrives_however_large_the_body_that_nobody_reads(size):
    with refusing() as port:
        for _ in range(5):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("POST", "/", body=b"x" * size, headers={"Connection": "close"})
            answer = connection.getresponse()
            assert (answer.status, answer.headers["retry-after"]) == (429, "1")
            assert b"busy" in answer.read()
            connection.close()


def test_who_stops_sending_is_not_waited_for_long():
    with refusing() as port, socket.create_connection(("127.0.0.1", port), timeout=30) as sending:
        sending.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nonly this")
        received = b""
        while chunk := sending.recv(65536):  # until the server closes
            received += chunk
    assert received.startswith(b"HTTP/1.1 429")
