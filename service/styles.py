"""The style library over HTTP: list, show, thumbnails; and, where it is allowed, add and remove."""

import hashlib
import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.style_entries import MAX_PICTURES, Style
from service import forms
from service.errors import BadField, Forbidden, NotFound
from service.pages import unchanged
from service.requests import refuse_other_sites
from service.studio import Studio
from stylenet.images import Pixels

_ADD_FIELDS = ("name", "picture", "tags", "title")
_PAGE, _MOST_IN_PAGE, _SUGGESTED = 50, 200, 6
_LONGEST_TEXT = 200
_SUGGEST_SIDE_PX = 512


class StyleRoutes:
    """`/v1/styles` and what is below it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._library = studio.library

    async def list_styles(self, request: Request) -> Response:
        """Styles by name, a page at a time: query, tag, limit, after."""
        query, tag, after = (_text(request, name) for name in ("query", "tag", "after"))
        limit = _limit(request, _PAGE)

        def read() -> tuple[list[Style], int]:
            # One more than asked for tells whether there is another page.
            return list(self._library.list(query, tag, limit + 1, after)), self._library.count(query, tag)

        styles, total = await self._studio.in_thread(read)
        following = styles[limit - 1].name if len(styles) > limit else None
        shown = [_described(style) for style in styles[:limit]]
        blob = json.dumps({"styles": shown, "next": following, "total": total}, ensure_ascii=False).encode()
        headers = {"Cache-Control": "no-cache", "ETag": f'"{hashlib.sha256(blob).hexdigest()[:32]}"'}
        if unchanged(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(blob, media_type="application/json", headers=headers)

    async def suggest_styles(self, request: Request) -> Response:
        """Styles of the library that suit a photograph that was sent before."""
        photo, limit = request.path_params["photo"], _limit(request, _SUGGESTED)

        def suggest() -> Any:
            return self._library.suggest(self._studio.photos.get(photo, _SUGGEST_SIDE_PX), limit)

        advice = await self._studio.in_thread(suggest)
        styles = [
            {
                **_described(entry.style),
                "fit": entry.fit.fit,
                "poor": entry.fit.poor,
                "reasons": list(entry.fit.reasons),
            }
            for entry in advice
        ]
        return JSONResponse({"styles": styles}, headers={"Cache-Control": "no-store"})

    async def show_style(self, request: Request) -> Response:
        """One style."""
        name = _style_name(request)
        return JSONResponse(_described(await self._studio.in_thread(lambda: self._library.get(name))))

    async def thumbnail(self, request: Request) -> Response:
        """A small picture of one style."""
        name = _style_name(request)
        blob = await self._studio.in_thread(lambda: self._library.thumbnail(name))
        tag = f'"{hashlib.sha256(blob).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
        if unchanged(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(blob, media_type="image/webp", headers=headers)

    async def add_style(self, request: Request) -> Response:
        """A new style: form fields name, picture (one or more), title, tags (comma-separated)."""
        self._refuse_unless_writable(request)
        settings = self._studio.settings
        with self._studio.queue.visit():
            async with forms.received_form(request, settings) as form:
                forms.check_fields(form, _ADD_FIELDS, repeatable=("picture",))
                name = forms.text_field(form, "name")
                if name is None:
                    raise BadField("name is missing; send the new style's name as the field 'name'", field="name")
                uploads = forms.file_fields(form, "picture")
                if not 1 <= len(uploads) <= MAX_PICTURES:
                    raise BadField(
                        f"{len(uploads)} pictures; send 1 to {MAX_PICTURES} files named 'picture'", field="picture"
                    )
                title = forms.text_field(form, "title") or ""
                tags = [tag.strip() for tag in (forms.text_field(form, "tags") or "").split(",") if tag.strip()]
                permit = self._studio.queue.admit(
                    await self._studio.in_thread(
                        lambda: sum(forms.peek_pixels(upload, settings.max_pixels) for upload in uploads)
                    )
                )
                try:
                    style = await self._studio.in_thread(
                        lambda: self._library.add(name, self._pictures(uploads), tags=tags, title=title)
                    )
                finally:
                    permit.release(worked=False)
        return JSONResponse(_described(style), status_code=201, headers={"Location": f"/v1/styles/{style.id}"})

    async def remove_style(self, request: Request) -> Response:
        """Remove one style."""
        self._refuse_unless_writable(request)
        name = _style_name(request)
        await self._studio.in_thread(lambda: self._library.remove(name))
        return Response(status_code=204)

    def _pictures(self, uploads: list[UploadFile]) -> list[Pixels]:
        return [self._studio.decoder.picture("picture", upload)[0] for upload in uploads]

    def _refuse_unless_writable(self, request: Request) -> None:
        refuse_other_sites(request)
        if not self._studio.settings.styles_writable:
            raise Forbidden(
                "the style library is read-only here; `pentimento styles` changes it, or start the service with "
                "PENTIMENTO_STYLES_WRITABLE=1"
            )


def _style_name(request: Request) -> str:
    name = str(request.path_params["style"])
    if not forms.is_plain(name):
        raise NotFound("there is no style of such a name; GET /v1/styles lists them", field="style")
    return name


def _text(request: Request, name: str) -> str | None:
    text = request.query_params.get(name, "").strip()
    if len(text) > _LONGEST_TEXT or not forms.is_plain(text):
        raise BadField(f"{name} must be at most {_LONGEST_TEXT} characters, none of control", field=name)
    return text or None


def _limit(request: Request, default: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MOST_IN_PAGE):
        raise BadField(f"limit={text[:40]!r} is out of range; use 1 to {_MOST_IN_PAGE}", field="limit")
    return int(text)


def _described(style: Style) -> dict[str, Any]:
    return {
        "id": style.id,
        "name": style.name,
        "title": style.title,
        "author": style.author,
        "licence": style.licence,
        "tags": list(style.tags),
        "builtin": style.builtin,
        "pictures": len(style.pictures),
        "thumbnail": f"/v1/styles/{style.id}/thumbnail",
    }
