"""A request's multipart form, with the limits checked while the bytes come in and before anything is decoded.

Only files are accepted as files: a URL in a file field is text, and text there is refused, so the service never fetches
anything for anybody.
"""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import cast

from PIL import Image
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from service.errors import BadField, BodyTooLarge, BrokenForm, UnsupportedBody, UploadTooSlow
from service.settings import ServiceSettings
from stylenet.pictures import FORMATS

_LONGEST_TEXT_BYTES = 4096
_MOST_PARTS = 32
_LONGEST_URLENCODED_BYTES = 65_536
_KINDS = ("multipart/form-data", "application/x-www-form-urlencoded")  # the latter where no file is sent


@asynccontextmanager
async def received_form(request: Request, settings: ServiceSettings) -> AsyncIterator[FormData]:
    """The request's form, whose temporary files go away at the end.

    Raises:
        UnsupportedBody: no form.
        BodyTooLarge: more bytes than the limit, by its own word or by count, whichever comes first.
        UploadTooSlow: not all there in time, or standing still.
        BrokenForm: not the form that its header announces.
    """
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind not in _KINDS:
        raise UnsupportedBody(f"the body is {kind[:80] or 'of no stated type'!r}; send it as multipart/form-data")
    max_bytes = settings.max_bytes if kind == _KINDS[0] else _LONGEST_URLENCODED_BYTES
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit():
        raise BrokenForm("Content-Length is not a number; let your HTTP client set it")
    if int(announced) > max_bytes:
        raise _too_large(max_bytes)
    counted = Request(request.scope, _counted(request, max_bytes, settings.stall_timeout_s))
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            form = await counted.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS, max_part_size=_LONGEST_TEXT_BYTES)
    except TimeoutError as error:
        raise UploadTooSlow(
            f"the body did not arrive within {settings.upload_timeout_s:g} s; send a smaller file"
        ) from error
    except (MultiPartException, HTTPException) as error:
        why = error.message if isinstance(error, MultiPartException) else str(error.detail)
        raise BrokenForm(
            f"the multipart form cannot be read ({why.rstrip('.')}); let your HTTP client build it"
        ) from error
    try:
        yield form
    finally:
        await form.close()


def check_fields(form: FormData, known: Iterable[str], *, repeatable: Iterable[str] = ()) -> None:
    """Refuse fields that are unknown (most are typing errors) or given twice."""
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in known:
            raise BadField(f"there is no field {name[:40]!r}; there are {', '.join(known)}", field=name[:40])
        if names.count(name) > 1 and name not in repeatable:
            raise BadField(f"{name} is given {names.count(name)} times; send it once", field=name)


def file_field(form: FormData, name: str) -> UploadFile | None:
    """The file of that name, None where it is not sent; text (a URL, say) in its place is refused."""
    values = form.getlist(name)
    if any(not isinstance(value, UploadFile) for value in values):
        raise BadField(f"{name} is text; send the picture itself as a file (addresses are not fetched)", field=name)
    return cast(UploadFile, values[0]) if values else None


def file_fields(form: FormData, name: str) -> list[UploadFile]:
    """Every file of that name; text in the place of one is refused."""
    file_field(form, name)
    return [value for value in form.getlist(name) if isinstance(value, UploadFile)]


def text_field(form: FormData, name: str) -> str | None:
    """The text of that name, None where it is not sent or empty; a file in its place is refused.

    BentoML's client writes every text as JSON, so a text in quotes is what stands between them, and null is nothing.
    """
    value = form.get(name)
    if isinstance(value, UploadFile):
        raise BadField(f"{name} is a file; send it as text", field=name)
    text = (value or "").strip()
    if text.startswith('"'):
        with suppress(ValueError):  # only a quotation mark, then: the text is checked for what it is
            text = str(json.loads(text)).strip()
    if not is_plain(text):
        raise BadField(f"{name} holds control characters; send plain text", field=name)
    return text if text and text != "null" else None


def is_plain(text: str) -> bool:
    """Whether every store can keep the text: no control characters and no halves of characters."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def peek_size(upload: UploadFile, max_pixels: int) -> tuple[int, int]:
    """The width and height that a header announces; (0, 0) if none or too many, which decoding then refuses exactly."""
    try:
        with Image.open(upload.file, formats=list(FORMATS)) as picture:
            size = picture.size
    except Exception:  # a header of hostile bytes raises nearly anything
        return 0, 0
    finally:
        upload.file.seek(0)
    return size if size[0] * size[1] <= max_pixels else (0, 0)


def peek_pixels(upload: UploadFile, max_pixels: int) -> int:
    """How many pixels a header announces; 0 as in `peek_size`."""
    width, height = peek_size(upload, max_pixels)
    return width * height


def _counted(request: Request, max_bytes: int, stall_timeout_s: float) -> Receive:
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        try:
            async with asyncio.timeout(stall_timeout_s):
                message = await request.receive()
        except TimeoutError as error:
            raise UploadTooSlow(f"the body stood still for {stall_timeout_s:g} s; send it again") from error
        seen += len(message.get("body", b""))
        if seen > max_bytes:
            raise _too_large(max_bytes)
        return message

    return receive


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body has more than {max_bytes:,} bytes; send a smaller picture, or the same as JPEG")
