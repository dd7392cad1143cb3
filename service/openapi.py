"""The API as an OpenAPI 3.1 document. A test sends what it allows and forbids, and holds every answer to it."""

from typing import Any

from registry.style_entries import MAX_PICTURES
from service.openapi_schemas import MODEL, PHOTO, PROBLEM, STYLE, STYLE_PAGE, SUGGESTIONS, file, text
from service.orders import MOST_SIDE_PX, OUTPUT_FORMATS
from service.settings import ServiceSettings
from stylenet.dials import DIAL_NAMES, Dials
from stylenet.pictures import MIN_SIDE_PX

_MEANINGS = {
    400: "The body cannot be read: no form, or no picture, or a broken one",
    401: "A token is needed, and none that is known was sent",
    403: "The token's scopes do not reach, the library is read-only, or a page of another site asks",
    404: "There is nothing of that name",
    405: "Another method works here; Allow says which",
    408: "The body did not arrive in time",
    409: "It exists already",
    413: "More bytes or pixels than the limit",
    415: "A body, or a picture, of a kind that is not understood",
    422: "A field is missing, unknown, of the wrong kind or out of range; `field` names it",
    429: "As much work is waiting as can be done in reasonable time",
    503: "Not ready, or going away",
    504: "The picture was not ready by the deadline",
}
_RETRY = {"Retry-After": {"description": "Seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    405: {"Allow": {"schema": {"type": "string"}}},
    429: _RETRY,
    503: _RETRY,
}
_ANY_V1 = (401, 403, 503)
_UPLOAD = (400, 408, 413, 415, 422, 429)


def openapi_document(settings: ServiceSettings) -> dict[str, Any]:
    """The whole document, for a service with these settings."""
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Pentimento",
            "version": "1",
            "description": "Photographs in, paintings out, at exactly their own size. Errors are RFC 9457 problems.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": _paths(),
        "components": {
            "schemas": {"Problem": PROBLEM, "Style": STYLE, "Model": MODEL},
            "responses": {str(status): _problem(status) for status in _MEANINGS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    if settings.tokens is not None:
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["security"] = [{"token": []}] if path.startswith("/v1/") else []
    return document


def _paths() -> dict[str, Any]:
    return {
        "/v1/stylize": {"post": _stylize()},
        "/v1/photos": {"post": _keep_photo()},
        "/v1/photos/{photo}/styles": {"get": _suggest()},
        "/v1/styles": {"get": _list_styles(), "post": _add_style()},
        "/v1/styles/{style}": {
            "get": _operation("show_style", "One style", {"200": _json(_ref("Style"))}, (404, *_ANY_V1), [_STYLE]),
            "delete": _operation(
                "remove_style", "Remove one style", {"204": {"description": "It is gone"}}, (404, *_ANY_V1), [_STYLE]
            ),
        },
        "/v1/styles/{style}/thumbnail": {"get": _thumbnail()},
        "/v1/model": {
            "get": _operation(
                "model", "Which model paints, and within which limits", {"200": _json(_ref("Model"))}, _ANY_V1
            )
        },
        "/v1/model/refresh": {
            "post": _operation(
                "refresh", "A hint that an alias has moved; it is looked up", {"202": _json(_state("looking"))}, _ANY_V1
            )
        },
        "/livez": {"get": _operation("livez", "The process answers", {"200": _json(_state("alive"))}, ())},
        "/readyz": {"get": _operation("readyz", "A model is loaded and warm", {"200": _json(_state("ready"))}, (503,))},
        "/metrics": {
            "get": _operation(
                "prometheus",
                "Prometheus' text format",
                {"200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
                (),
            )
        },
    }


def _stylize() -> dict[str, Any]:
    dials = Dials()
    fields = {
        "image": file("The photograph: PNG, JPEG, WebP, TIFF or BMP"),
        "photo": text("In place of image: the name that POST /v1/photos gave", pattern="^[0-9a-f]{32}$"),
        "style": text("A style by id or name, or a mixture: a:0.6,b:0.4", examples=["night-swirls"]),
        "style_image": file("In place of style: a style picture of your own"),
        "mask": file("Where to paint: white everywhere, black nowhere; as large as the photograph"),
        **{
            name: {"type": "number", "minimum": 0, "maximum": 1, "default": getattr(dials, name)} for name in DIAL_NAMES
        },
        "keep_color": {"type": "boolean", "default": dials.keep_color},
        "format": {"type": "string", "enum": list(OUTPUT_FORMATS), "default": "png"},
        "max_side": {
            "type": "integer",
            "minimum": MIN_SIDE_PX,
            "maximum": MOST_SIDE_PX,
            "description": "Make the photograph smaller first, to this longer side",
        },
    }
    painted = {
        "description": "The painting, at exactly the photograph's size",
        "headers": {
            "X-Model-Version": {"required": True, "schema": {"type": "string"}},
            "X-Model-Digest": {"required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
            "Server-Timing": {"required": True, "schema": {"type": "string"}},
        },
        "content": {f"image/{name}": {"schema": {"type": "string", "format": "binary"}} for name in OUTPUT_FORMATS},
    }
    operation = _operation(
        "stylize",
        "One photograph in one style, or in a mixture of several",
        {"200": painted},
        (404, *_UPLOAD, 504, *_ANY_V1),
        [_KEY],
    )
    either = [
        {"oneOf": [{"required": ["image"]}, {"required": ["photo"]}]},
        {"oneOf": [{"required": ["style"]}, {"required": ["style_image"]}]},
    ]
    return operation | {"requestBody": _form(fields, allOf=either)}


def _keep_photo() -> dict[str, Any]:
    operation = _operation(
        "keep_photo",
        "Keep a photograph for a while, to paint it several times",
        {"201": _json(PHOTO)},
        (*_UPLOAD, *_ANY_V1),
    )
    return operation | {"requestBody": _form({"image": file("The photograph")}, required=["image"])}


def _suggest() -> dict[str, Any]:
    name = {"name": "photo", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return _operation(
        "suggest_styles",
        "Styles that suit a kept photograph",
        {"200": _json(SUGGESTIONS)},
        (404, 422, *_ANY_V1),
        [name, _limit(6)],
    )


def _list_styles() -> dict[str, Any]:
    def query(name: str, meaning: str) -> dict[str, Any]:
        return {"name": name, "in": "query", "description": meaning, "schema": {"type": "string", "maxLength": 200}}

    parameters = [
        query("query", "Words that name, title, author, note or tags hold"),
        query("tag", "Only styles with this tag"),
        query("after", "`next` of the page before"),
        _limit(50),
    ]
    answers = {"200": _json(STYLE_PAGE), "304": {"description": "If-None-Match names what there is"}}
    return _operation("list_styles", "The library, a page at a time", answers, (422, *_ANY_V1), parameters)


def _add_style() -> dict[str, Any]:
    fields = {
        "name": text("Small letters, digits and hyphens", pattern="^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"),
        "picture": {"type": "array", "items": file("A picture"), "minItems": 1, "maxItems": MAX_PICTURES},
        "title": text("For people", maxLength=200),
        "tags": text("Comma-separated"),
    }
    operation = _operation(
        "add_style", "A new style of one or several pictures", {"201": _json(_ref("Style"))}, (409, *_UPLOAD, *_ANY_V1)
    )
    return operation | {"requestBody": _form(fields, required=["name", "picture"])}


def _thumbnail() -> dict[str, Any]:
    answers = {
        "200": {
            "description": "A small picture",
            "content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}},
        },
        "304": {"description": "If-None-Match names what there is"},
    }
    return _operation("thumbnail", "A small picture of one style", answers, (404, *_ANY_V1), [_STYLE])


_STYLE = {"name": "style", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_KEY = {
    "name": "X-Request-Key",
    "in": "header",
    "description": "Requests of one key are painted by the same version while a challenger runs",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:@-]{1,128}$"},
}


def _operation(
    name: str,
    summary: str,
    answers: dict[str, Any],
    problems: tuple[int, ...],
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    refused = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(problems)}
    operation = {"operationId": name, "summary": summary, "responses": answers | refused}
    return operation | ({"parameters": parameters} if parameters else {})


def _form(fields: dict[str, Any], **rest: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": fields, "additionalProperties": False, **rest}
    kinds = ("multipart/form-data", "application/x-www-form-urlencoded")  # the latter cannot hold a file
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds[: 2 if "photo" in fields else 1]}}


def _limit(default: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": 200, "default": default}
    return {"name": "limit", "in": "query", "schema": schema}


def _problem(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {"description": _MEANINGS[status], "headers": _HEADERS.get(status, {}), "content": content}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "As asked", "content": {"application/json": {"schema": schema}}}


def _state(word: str) -> dict[str, Any]:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": word}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
