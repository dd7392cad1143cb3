"""What is answered where. Every endpoint's function name is its metric label."""

import json
import time
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, Router

from service import forms
from service.front import Front
from service.metrics import Metrics
from service.requests import departure, refuse_other_sites
from service.studio import Studio
from service.styles import StyleRoutes
from stylenet.dials import DIAL_NAMES, Dials
from stylenet.pictures import FORMATS, MIN_SIDE_PX

_PAGE_FOLDER = Path(__file__).with_name("page")
_PAGE_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js", "/icon.svg": "icon.svg"}


def application(studio: Studio, metrics: Metrics) -> Front:
    """The whole HTTP side of one studio, as an ASGI application."""
    painting = PaintingRoutes(studio)
    styles = StyleRoutes(studio)
    telling = TellingRoutes(studio, metrics)
    routes = [
        *(Route(path, page, methods=["GET"]) for path in _PAGE_FILES),
        Route("/livez", telling.livez, methods=["GET"]),
        Route("/readyz", telling.readyz, methods=["GET"]),
        Route("/metrics", telling.prometheus, methods=["GET"]),
        Route("/v1/model", telling.model, methods=["GET"]),
        Route("/v1/stylize", painting.stylize, methods=["POST"]),
        Route("/v1/styles", styles.list_styles, methods=["GET"]),
        Route("/v1/styles", styles.add_style, methods=["POST"]),
        Route("/v1/styles/{style}", styles.show_style, methods=["GET"]),
        Route("/v1/styles/{style}", styles.remove_style, methods=["DELETE"]),
        Route("/v1/styles/{style}/thumbnail", styles.thumbnail, methods=["GET"]),
    ]
    return Front(Router(routes, redirect_slashes=False), metrics)


async def page(request: Request) -> Response:
    """The page and its two companions."""
    name = _PAGE_FILES[request.url.path]
    return FileResponse(_PAGE_FOLDER / name, headers={"Cache-Control": "no-cache"})


class PaintingRoutes:
    """`POST /v1/stylize`."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def stylize(self, request: Request) -> Response:
        """One photograph in one style."""
        settings = self._studio.settings
        deadline_s = time.monotonic() + settings.deadline_s
        refuse_other_sites(request)
        self._studio.models.resident()  # nobody uploads to a service that cannot paint
        with self._studio.queue.visit():
            async with forms.received_form(
                request, max_bytes=settings.max_bytes, timeout_s=settings.upload_timeout_s
            ) as form:
                order = forms.stylize_order(form)
                async with departure(request) as gone:
                    painted = await self._studio.paint(order, deadline_s=deadline_s, gone=gone)
        return Response(
            painted.blob,
            media_type=painted.media_type,
            headers={
                "X-Model-Version": painted.model.version,
                "X-Model-Digest": painted.model.digest,
                "Server-Timing": painted.stages.server_timing(),
                "Cache-Control": "no-store",
            },
        )


class TellingRoutes:
    """Probes, metrics, and what is being served."""

    def __init__(self, studio: Studio, metrics: Metrics) -> None:
        self._studio = studio
        self._metrics = metrics

    async def livez(self, request: Request) -> Response:
        """200 as long as the process answers; a missing model is no reason to restart it."""
        return JSONResponse({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        """200 when a model is loaded and warm, otherwise 503 with the reason."""
        return JSONResponse({"status": "ready", "model": self._studio.models.resident().version})

    async def prometheus(self, request: Request) -> Response:
        """Prometheus' text format."""
        queue = self._studio.queue
        self._metrics.queue_pixels.set(queue.pixels)
        self._metrics.in_progress.set(queue.requests)
        blob = await self._studio.in_thread(self._metrics.exposition)
        return Response(blob, headers={"Content-Type": self._metrics.content_type})

    async def model(self, request: Request) -> Response:
        """Which model paints, on what, and within which limits."""
        settings, models = self._studio.settings, self._studio.models
        body: dict[str, Any] = {
            "state": models.state,
            "reference": settings.model,
            "limits": {
                "max_bytes": settings.max_bytes,
                "max_pixels": settings.max_pixels,
                "min_side_px": MIN_SIDE_PX,
                "deadline_s": settings.deadline_s,
                "formats_in": [name.lower() for name in FORMATS],
                "formats_out": list(forms.OUTPUT_FORMATS),
            },
            "dials": {name: {"from": 0, "to": 1, "default": getattr(Dials(), name)} for name in DIAL_NAMES}
            | {"keep_color": {"default": Dials().keep_color}},
            "styles_writable": settings.styles_writable,
        }
        if models.state != "ready":
            body["reason"] = models.reason
        else:
            resident = models.resident()
            manifest = resident.engine.package.manifest
            body |= {
                "name": manifest.name,
                "version": resident.version,
                "digest": resident.digest,
                "variant": manifest.variant,
                "engine": {"name": resident.engine.name, "precision": resident.engine.precision},
                "since": resident.since.isoformat(timespec="seconds"),
            }
        return Response(json.dumps(body, ensure_ascii=False), media_type="application/json")
