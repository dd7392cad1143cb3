"""What is answered where. Every endpoint's function name is its metric label."""

import time

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from service import forms
from service.access import Access
from service.errors import BadField
from service.front import Front
from service.metrics import Metrics
from service.orders import stylize_order
from service.pages import page_routes
from service.requests import departure, facts_of, refuse_other_sites, request_key
from service.studio import Studio
from service.styles import StyleRoutes
from service.telling import TellingRoutes
from service.tokens import Tokens
from service.traces import Tracing


def application(studio: Studio, metrics: Metrics, tracing: Tracing | None = None) -> Front:
    """The whole HTTP side of one studio, as an ASGI application.

    Raises:
        ServiceSettingsError: the token file cannot be used.
    """
    painting = PaintingRoutes(studio)
    styles = StyleRoutes(studio)
    telling = TellingRoutes(studio, metrics)
    tokens = Tokens(studio.settings.tokens) if studio.settings.tokens is not None else None
    needs = Access(tokens, studio.drain).needs
    routes = [
        *page_routes(),
        Route("/livez", telling.livez, methods=["GET"]),
        Route("/readyz", telling.readyz, methods=["GET"]),
        Route("/metrics", telling.prometheus, methods=["GET"]),
        Route("/openapi.json", telling.openapi, methods=["GET"]),
        Route("/schema.json", telling.schema, methods=["GET"]),
        Route("/v1/model", needs("read", telling.model), methods=["GET"]),
        Route("/v1/model/refresh", needs("read", telling.refresh), methods=["POST"]),
        Route("/v1/stylize", needs("stylize", painting.stylize), methods=["POST"]),
        Route("/v1/photos", needs("stylize", painting.keep_photo), methods=["POST"]),
        Route("/v1/photos/{photo}/styles", needs("stylize", styles.suggest_styles), methods=["GET"]),
        Route("/v1/styles", needs("read", styles.list_styles), methods=["GET"]),
        Route("/v1/styles", needs("manage-styles", styles.add_style), methods=["POST"]),
        Route("/v1/styles/{style}", needs("read", styles.show_style), methods=["GET"]),
        Route("/v1/styles/{style}", needs("manage-styles", styles.remove_style), methods=["DELETE"]),
        Route("/v1/styles/{style}/thumbnail", needs("read", styles.thumbnail), methods=["GET"]),
    ]
    return Front(Router(routes, redirect_slashes=False), metrics, studio.drain, tracing)


class PaintingRoutes:
    """`POST /v1/stylize` and `POST /v1/photos`."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def stylize(self, request: Request) -> Response:
        """One photograph in one style, or in a mixture of several."""
        settings, facts = self._studio.settings, facts_of(request)
        deadline_s = time.monotonic() + settings.deadline_s
        refuse_other_sites(request)
        key = request_key(request)
        self._studio.models.resident()  # nobody uploads to a service that cannot paint
        with self._studio.queue.visit():
            async with forms.received_form(request, settings) as form:
                order = stylize_order(form)
                async with departure(request) as gone:
                    painted = await self._studio.paint(order, key=key, deadline_s=deadline_s, gone=gone)
        facts.stages, facts.version = painted.stages, painted.model.version
        facts.pixels = painted.size_px[0] * painted.size_px[1]
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

    async def keep_photo(self, request: Request) -> Response:
        """A photograph to be painted several times: it is named, and the name is sent in its place."""
        refuse_other_sites(request)
        studio = self._studio
        with studio.queue.visit():
            async with forms.received_form(request, studio.settings) as form:
                forms.check_fields(form, ("image",))
                upload = forms.file_field(form, "image")
                if upload is None:
                    raise BadField("image is missing; send the photograph as the file 'image'", field="image")
                announced = await studio.at_desk(lambda: forms.peek_pixels(upload, studio.settings.max_pixels))
                permit = studio.queue.admit(announced)
                try:
                    name, (height, width) = await studio.in_thread(lambda: self._keep(upload))
                finally:
                    permit.release(worked=False)
        body = {"photo": name, "width": width, "height": height, "kept_s": round(studio.settings.photo_keep_s)}
        return JSONResponse(body, status_code=201, headers={"Cache-Control": "no-store"})

    def _keep(self, upload: UploadFile) -> tuple[str, tuple[int, int]]:
        pixels, _ = self._studio.decoder.picture("image", upload)
        return self._studio.photos.put(pixels), (pixels.shape[0], pixels.shape[1])
