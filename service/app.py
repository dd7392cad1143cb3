"""The BentoML shell: `python -m bentoml serve service.app:PentimentoService`.

BentoML runs the workers, packs the Bento and calls the life-cycle hooks. HTTP is ours: `FrontDoor` stands before its
routing and parsing, which fetch addresses given in file fields, read any body whole, and label metrics with raw paths.
No route of the framework is reachable from outside.

Everything heavy is imported in the worker only: the supervising process also imports this module.
"""

import os
import signal
from typing import TYPE_CHECKING

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from service.lifeline import DIE_WITH_PARENT, die_with_parent

if TYPE_CHECKING:
    from service.front import Front


class Room:
    """What is behind the front door: nothing until the worker has opened."""

    application: "Front | None" = None


class FrontDoor:
    """ASGI middleware that leads every request to our own application; BentoML keeps the life cycle."""

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self._framework = app
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._framework(scope, receive, send)
        elif scope["type"] == "http" and self._room.application is not None:
            await self._room.application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})


room = Room()


@bentoml.service(
    name="pentimento",
    workers=1,  # one engine per process; more replicas, not more workers: each would load its own model
    traffic={"timeout": 3600},  # our own deadline comes first; the framework's would drop a running thread's permit
    metrics={"enabled": False},  # its labels are raw paths, without bound; /metrics is ours
    endpoints={"livez": "/livez", "readyz": "/readyz"},
)
class PentimentoService:
    """Photographs in, paintings out."""

    def __init__(self) -> None:
        if os.environ.get(DIE_WITH_PARENT):
            die_with_parent(signal.SIGTERM)
        from service.logs import configure_logging
        from service.metrics import Metrics
        from service.pauses import set_aside
        from service.routes import application
        from service.settings import ServiceSettings
        from service.studio import Studio
        from service.traces import tracing_from_env

        settings = ServiceSettings.from_env()
        configure_logging(settings.log_format)
        metrics = Metrics()
        self.tracing = tracing_from_env()
        self.studio: Studio = Studio(settings, metrics, after_swap=set_aside)
        self.application: Front = application(self.studio, metrics, self.tracing)

    @bentoml.on_startup
    async def open(self) -> None:
        """Answer from now on, with 503 until the model is warm."""
        self.studio.start()
        self.studio.drain.on_sigterm()
        room.application = self.application

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Finish what was accepted, then give everything back."""
        await self.studio.close()
        self.tracing.close()


PentimentoService.add_asgi_middleware(FrontDoor, room=room)  # type: ignore[attr-defined]  # a bentoml Service by now
