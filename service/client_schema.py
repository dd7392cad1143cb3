"""What BentoML's own Python client reads at /schema.json before its first call, in BentoML's form.

    with bentoml.SyncHTTPClient("http://127.0.0.1:3000") as client:
        painting = client.stylize(image=Path("photo.jpg"), style="night-swirls", strength=0.8)  # a PIL image

The client sends any text as JSON, quotation marks and all; `service.forms.text_field` takes both.
"""

from typing import Any

from stylenet.dials import DIAL_NAMES

_FILE = {"type": "file", "format": "image"}
_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}


def bentoml_schema() -> dict[str, Any]:
    """The two calls that take a photograph."""
    fields: dict[str, Any] = {
        "image": _FILE,
        "style": _TEXT,
        "style_image": _FILE,
        "mask": _FILE,
        "photo": _TEXT,
        **dict.fromkeys(DIAL_NAMES, _NUMBER),
        "keep_color": {"type": "boolean"},
        "format": _TEXT,
        "max_side": {"type": "integer"},
    }
    painting = {"type": "file", "format": "image", "pil": True}
    kept = {"type": "object", "properties": {"photo": _TEXT}}
    return {
        "name": "pentimento",
        "type": "service",
        "routes": [
            _route("stylize", "/v1/stylize", "Paint one photograph; a PIL image comes back.", fields, [], painting),
            _route("keep_photo", "/v1/photos", "Keep a photograph.", {"image": _FILE}, ["image"], kept),
        ],
    }


def _route(
    name: str, route: str, doc: str, fields: dict[str, Any], required: list[str], output: dict[str, Any]
) -> dict[str, Any]:
    given = {"type": "object", "title": name, "properties": fields, "required": required}
    return {"name": name, "route": route, "doc": doc, "batchable": False, "input": given, "output": output}
