"""The style library over HTTP: list, show, thumbnails; and, where it is allowed, add and remove."""

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.style_entries import MAX_PICTURES, Style
from service import forms
from service.errors import BadField, Forbidden
from service.problems import as_refusal
from service.requests import refuse_other_sites
from service.studio import Studio
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import read_picture

_ADD_FIELDS = ("name", "picture", "tags")


class StyleRoutes:
    """`/v1/styles` and what is below it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._library = studio.library

    async def list_styles(self, request: Request) -> Response:
        """Every style."""
        styles = await self._studio.in_thread(self._library.list)
        return JSONResponse({"styles": [_described(style) for style in styles]}, headers={"Cache-Control": "no-cache"})

    async def show_style(self, request: Request) -> Response:
        """One style."""
        name = request.path_params["style"]
        return JSONResponse(_described(await self._studio.in_thread(lambda: self._library.get(name))))

    async def thumbnail(self, request: Request) -> Response:
        """A small picture of one style."""
        name = request.path_params["style"]
        blob = await self._studio.in_thread(lambda: self._library.thumbnail(name))
        tag = f'"{hashlib.sha256(blob).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(blob, media_type="image/webp", headers=headers)

    async def add_style(self, request: Request) -> Response:
        """A new style from one or more pictures: form fields name, picture (repeatable), tags (comma-separated)."""
        self._refuse_unless_writable(request)
        settings = self._studio.settings
        with self._studio.queue.visit():
            async with forms.received_form(
                request, max_bytes=settings.max_bytes, timeout_s=settings.upload_timeout_s
            ) as form:
                forms.check_fields(form, _ADD_FIELDS, repeatable=("picture",))
                name = forms.text_field(form, "name")
                if name is None:
                    raise BadField("name is missing; send the new style's name as the field 'name'", field="name")
                uploads = forms.file_fields(form, "picture")
                if not 1 <= len(uploads) <= MAX_PICTURES:
                    raise BadField(
                        f"{len(uploads)} pictures; send 1 to {MAX_PICTURES} files named 'picture'", field="picture"
                    )
                tags = [tag.strip() for tag in (forms.text_field(form, "tags") or "").split(",") if tag.strip()]
                permit = self._studio.queue.admit(
                    await self._studio.in_thread(
                        lambda: sum(forms.peek_pixels(upload, settings.max_pixels) for upload in uploads)
                    )
                )
                try:
                    style = await self._studio.in_thread(
                        lambda: self._library.add(name, self._pictures(uploads), tags=tags)
                    )
                finally:
                    permit.release(worked=False)
        return JSONResponse(_described(style), status_code=201, headers={"Location": f"/v1/styles/{style.id}"})

    async def remove_style(self, request: Request) -> Response:
        """Remove one style."""
        self._refuse_unless_writable(request)
        name = request.path_params["style"]
        await self._studio.in_thread(lambda: self._library.remove(name))
        return Response(status_code=204)

    def _pictures(self, uploads: list[Any]) -> list[Pixels]:
        pictures = []
        for upload in uploads:
            upload.file.seek(0)
            try:
                pictures.append(read_picture(upload.file.read(), max_pixels=self._studio.settings.max_pixels))
            except PictureError as error:
                raise as_refusal(error, field="picture") or error from error
        return pictures

    def _refuse_unless_writable(self, request: Request) -> None:
        refuse_other_sites(request)
        if not self._studio.settings.styles_writable:
            raise Forbidden(
                "the style library is read-only here; `pentimento styles` changes it, or start the service with "
                "PENTIMENTO_STYLES_WRITABLE=1"
            )


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
