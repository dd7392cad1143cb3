"""The page's files: everything in `service/page`, each under its own name, `/` being index.html."""

import hashlib
import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = Path(__file__).with_name("page")
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}  # whatever this machine's table says


def page_routes() -> list[Route]:
    """One route for each file that is there now; their bytes are read once."""
    routes = []
    for path in sorted(_FOLDER.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            endpoint = _endpoint(path)
            paths = ["/", f"/{path.name}"] if path.name == "index.html" else [f"/{path.name}"]
            routes += [Route(address, endpoint, methods=["GET"]) for address in paths]
    return routes


def _endpoint(path: Path):  # type: ignore[no-untyped-def]  # an endpoint, whose name is its metric label
    blob = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    tag = f'"{hashlib.sha256(blob).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}

    async def page(request: Request) -> Response:
        if unchanged(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(blob, media_type=kind, headers=headers)

    return page


def unchanged(request: Request, tag: str) -> bool:
    """Whether the client has what the tag names already (RFC 9110, 13.1.2: weak comparison, or any)."""
    given = [entry.strip().removeprefix("W/") for entry in request.headers.get("if-none-match", "").split(",")]
    return tag in given or "*" in given
