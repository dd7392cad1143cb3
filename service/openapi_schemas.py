"""The shapes that the OpenAPI document speaks of."""

from typing import Any

from stylenet.dials import DIAL_NAMES


def text(description: str, **rest: Any) -> dict[str, Any]:
    """A text field."""
    return {"type": "string", "description": description, **rest}


def file(description: str) -> dict[str, Any]:
    """A file field: the bytes themselves; addresses are not fetched."""
    return {"type": "string", "format": "binary", "description": description}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_TEXT, _WHOLE, _FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
_NUMBER = {"type": "number"}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_STYLE_FIELDS = {
    "id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    "name": _TEXT,
    "title": _TEXT,
    "author": _TEXT,
    "licence": _TEXT,
    "tags": {"type": "array", "items": _TEXT},
    "builtin": _FLAG,
    "pictures": {"type": "integer", "minimum": 1},
    "thumbnail": _TEXT,
}
PROBLEM = _object(
    {
        "type": {"type": "string", "pattern": "^urn:pentimento:problem:"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "instance": {"type": "string", "pattern": "^urn:pentimento:request:"},
        "field": _TEXT,
    },
    optional=("field",),
)
STYLE = _object(_STYLE_FIELDS)
STYLE_PAGE = _object(
    {
        "styles": {"type": "array", "items": {"$ref": "#/components/schemas/Style"}},
        "next": {"type": ["string", "null"]},
        "total": _WHOLE,
    }
)
SUGGESTIONS = _object(
    {
        "styles": {
            "type": "array",
            "items": _object(
                _STYLE_FIELDS | {"fit": _NUMBER, "poor": _FLAG, "reasons": {"type": "array", "items": _TEXT}}
            ),
        }
    }
)
PHOTO = _object(
    {
        "photo": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "width": {"type": "integer", "minimum": 1},
        "height": {"type": "integer", "minimum": 1},
        "kept_s": _WHOLE,
    }
)
_STANDING = {
    "refused": _object({"version": _TEXT, "digest": _DIGEST, "reason": _TEXT, "at": _TEXT}),
    "unreachable": _TEXT,
    "spare": _TEXT,
}
_ABOUT = {
    "name": _TEXT,
    "version": _TEXT,
    "digest": _DIGEST,
    "variant": _TEXT,
    "engine": _object({"name": _TEXT, "precision": _TEXT}),
    "since": _TEXT,
}
_LIMITS = {
    **dict.fromkeys(("max_bytes", "max_pixels", "min_side_px", "max_styles"), _WHOLE),
    "deadline_s": _NUMBER,
    "formats_in": {"type": "array", "items": _TEXT},
    "formats_out": {"type": "array", "items": _TEXT},
}
_DIAL = _object({"from": _NUMBER, "to": _NUMBER, "default": _NUMBER})
_CHALLENGER = {"reference": _TEXT, "share": _NUMBER, "mode": {"enum": ["share", "shadow"]}}
_SOMETIMES = {**_STANDING, **_ABOUT, "reason": _TEXT}
MODEL = _object(
    {
        "state": {"enum": ["loading", "ready", "failed"]},
        "reference": _TEXT,
        "limits": _object(_LIMITS),
        "dials": _object({**dict.fromkeys(DIAL_NAMES, _DIAL), "keep_color": _object({"default": _FLAG})}),
        "styles_writable": _FLAG,
        **_SOMETIMES,
        "challenger": _object({**_CHALLENGER, **_STANDING, **_ABOUT}, optional=(*_STANDING, *_ABOUT)),
    },
    optional=(*_SOMETIMES, "challenger"),
)
