"""What the service says about itself: probes, metrics, the model, and the two documents that describe its API."""

import json
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.client_schema import bentoml_schema
from service.follower import Follower
from service.metrics import Metrics
from service.openapi import openapi_document
from service.orders import MOST_STYLES, OUTPUT_FORMATS
from service.requests import refuse_other_sites
from service.resident import Resident
from service.studio import Studio
from stylenet.dials import DIAL_NAMES, Dials
from stylenet.pictures import FORMATS, MIN_SIDE_PX


class TellingRoutes:
    """`/livez`, `/readyz`, `/metrics`, `/v1/model`, `/openapi.json` and `/schema.json`."""

    def __init__(self, studio: Studio, metrics: Metrics) -> None:
        self._studio = studio
        self._metrics = metrics
        self._openapi = json.dumps(openapi_document(studio.settings), ensure_ascii=False)

    async def livez(self, request: Request) -> Response:
        """200 as long as the process answers; a missing model is no reason to restart it."""
        return JSONResponse({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        """200 when a model is loaded and warm, otherwise 503 with the reason."""
        self._studio.drain.refuse_if_begun()
        return JSONResponse({"status": "ready", "model": self._studio.models.resident().version})

    async def prometheus(self, request: Request) -> Response:
        """Prometheus' text format."""
        queue, metrics = self._studio.queue, self._metrics
        metrics.queue_pixels.set(queue.pixels)
        metrics.in_progress.set(queue.requests)
        metrics.photo_pixels.set(self._studio.photos.pixels)
        metrics.draining.set(self._studio.drain.begun)
        metrics.gpu_memory_bytes.set(_gpu_memory_bytes())
        blob = await self._studio.at_desk(metrics.exposition)
        return Response(blob, headers={"Content-Type": metrics.content_type})

    async def openapi(self, request: Request) -> Response:
        """The API as an OpenAPI document."""
        return Response(self._openapi, media_type="application/json", headers={"Cache-Control": "no-cache"})

    async def schema(self, request: Request) -> Response:
        """What BentoML's own client reads before its first call."""
        return JSONResponse(bentoml_schema(), headers={"Cache-Control": "no-cache"})

    async def refresh(self, request: Request) -> Response:
        """A hint (a webhook's, say) that an alias has moved: it is looked up now instead of at the next poll."""
        refuse_other_sites(request)
        self._studio.models.hint()
        return JSONResponse({"status": "looking"}, status_code=202)

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
                "max_styles": MOST_STYLES,
                "deadline_s": settings.deadline_s,
                "formats_in": [name.lower() for name in FORMATS],
                "formats_out": list(OUTPUT_FORMATS),
            },
            "dials": {name: {"from": 0, "to": 1, "default": getattr(Dials(), name)} for name in DIAL_NAMES}
            | {"keep_color": {"default": Dials().keep_color}},
            "styles_writable": settings.styles_writable,
            **_standing(models.champion),
        }
        if models.state != "ready":
            body["reason"] = models.reason
        else:
            body |= _about(models.resident())
        if models.challenger is not None:
            body["challenger"] = {
                "reference": models.challenger.reference,
                "share": settings.challenger_share,
                "mode": settings.challenger_mode,
                **_standing(models.challenger),
                **(_about(models.challenger.current) if models.challenger.current else {}),
            }
        return Response(json.dumps(body, ensure_ascii=False), media_type="application/json")


def _gpu_memory_bytes() -> int:
    """What this process's torch holds on GPUs; 0 where it uses none. Asking must not wake a driver up."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return sum(torch.cuda.memory_reserved(device) for device in range(torch.cuda.device_count()))


def _about(resident: Resident) -> dict[str, Any]:
    manifest = resident.engine.package.manifest
    return {
        "name": manifest.name,
        "version": resident.version,
        "digest": resident.digest,
        "variant": manifest.variant,
        "engine": {"name": resident.engine.name, "precision": resident.engine.precision},
        "since": resident.since.isoformat(timespec="seconds"),
    }


def _standing(follower: Follower) -> dict[str, Any]:
    """What became of the version that the alias points to, where that is not the one that paints."""
    told: dict[str, Any] = {}
    if follower.refused is not None:
        refused = follower.refused
        told["refused"] = {
            "version": refused.version,
            "digest": refused.digest,
            "reason": refused.reason,
            "at": refused.at.isoformat(timespec="seconds"),
        }
    if follower.current is not None and follower.problem is not None:
        told["unreachable"] = follower.problem
    if follower.spare is not None:
        told["spare"] = follower.spare.version
    return told
