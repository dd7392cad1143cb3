"""Every error becomes application/problem+json (RFC 9457): what was wrong, and what would have been right."""

import http
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from registry.errors import DuplicateStyle, InvalidStyle, StoreError, UnknownStyle
from service.errors import (
    BadField,
    BodyTooLarge,
    Conflict,
    NotFound,
    NotReady,
    Refusal,
    UnreadableUpload,
    UnsupportedBody,
    UnusablePicture,
)
from stylenet.errors import (
    DialError,
    PictureError,
    PictureTooLarge,
    PictureTooSmall,
    UnreadablePicture,
    UnsupportedPicture,
)

CONTENT_TYPE = "application/problem+json"


def as_refusal(error: Exception, *, field: str | None = None) -> Refusal | None:
    """What a lower layer's error means to a client; None where it is not the client's doing."""
    # Decoding bytes calls them "the picture"; the form has up to three.
    text = f"{field}{str(error).removeprefix('the picture')}" if field else str(error)
    match error:
        case Refusal():
            return error
        case UnreadablePicture():
            return UnreadableUpload(text, field=field)
        case PictureTooLarge():
            return BodyTooLarge(text, field=field)
        case PictureTooSmall():
            return UnusablePicture(text, field=field)
        case UnsupportedPicture():
            return UnsupportedBody(text, field=field)
        case DialError():
            return BadField(str(error), field=str(error).split("=", 1)[0])
        case PictureError():
            return BadField(text, field=field)
        case UnknownStyle():
            return NotFound(str(error), field="style")
        case DuplicateStyle():
            return Conflict(str(error), field="name")
        case InvalidStyle():
            return BadField(str(error), field=field)
        case StoreError():
            return NotReady("the style library cannot be reached; try again soon", retry_after_s=5)
    return None


def problem(refusal: Refusal, *, request_id: str) -> Response:
    """The answer to a request that cannot be served."""
    headers = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.challenge is not None:
        headers["WWW-Authenticate"] = refusal.challenge
    return _response(
        refusal.status,
        refusal.code,
        refusal.detail,
        request_id=request_id,
        field=refusal.field,
        headers=headers,
    )


def crashed(request_id: str) -> Response:
    """The answer to a fault of ours: nothing of what happened is told, only where to look."""
    detail = f"the service failed; it is not your request's fault. Its log knows more under {request_id}"
    return _response(500, "internal", detail, request_id=request_id)


def lost(scope: Scope, error: HTTPException, *, allowed: str, request_id: str) -> Response:
    """The router's own refusals, no such path and wrong method, in the same form."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        detail = f"{scope['method'][:20]} does not work here; use {allowed}"
        return _response(405, "method-not-allowed", detail, request_id=request_id, headers={"Allow": allowed})
    if error.status_code == 404:
        detail = f"there is nothing at {scope['path'][:200]!r}; POST /v1/stylize paints pictures, / is the page"
        return _response(404, "not-found", detail, request_id=request_id, headers=headers)
    return _response(error.status_code, "http", str(error.detail), request_id=request_id, headers=headers)


def _response(
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str,
    field: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:pentimento:problem:{code}",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": f"urn:pentimento:request:{request_id}",
    }
    if field:
        body["field"] = field
    blob = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(
        blob, status_code=status, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store", **(headers or {})}
    )
