"""From a request's body to an order, with the limits checked while the bytes come in and before anything is decoded.

Only files are accepted as files: a URL in a file field is text, and text there is refused, so the service never fetches
anything for anybody.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast, get_args

from PIL import Image
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from service.errors import BadField, BodyTooLarge, BrokenForm, UnsupportedBody, UploadTooSlow
from stylenet.dials import DIAL_NAMES, Dials
from stylenet.pictures import FORMATS, PictureFormat

OUTPUT_FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
STYLIZE_FILES = ("image", "style_image", "mask")
STYLIZE_FIELDS = (*STYLIZE_FILES, "style", *DIAL_NAMES, "keep_color", "format")
_LONGEST_TEXT_BYTES = 4096
_MOST_PARTS = 32
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class StylizeOrder:
    """What one client asks to be painted. Files are still undecoded, on disk where they are large.

    Args:
        image: the photograph.
        style: a style of the library by id or name; None where `style_image` is given.
        style_image: a style picture of the client's own.
        mask: where to paint; everywhere where None.
        dials: checked.
        picture_format: how the answer is encoded.
    """

    image: UploadFile
    style: str | None
    style_image: UploadFile | None
    mask: UploadFile | None
    dials: Dials
    picture_format: PictureFormat


@asynccontextmanager
async def received_form(request: Request, *, max_bytes: int, timeout_s: float) -> AsyncIterator[FormData]:
    """The request's multipart form, whose temporary files go away at the end.

    Raises:
        UnsupportedBody: not multipart/form-data.
        BodyTooLarge: more than `max_bytes`, by its own word or by count, whichever comes first.
        UploadTooSlow: not all there after `timeout_s`.
        BrokenForm: not the form that its header announces.
    """
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind != "multipart/form-data":
        raise UnsupportedBody(f"the body is {kind[:80] or 'of no stated type'!r}; send it as multipart/form-data")
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit():
        raise BrokenForm("Content-Length is not a number; let your HTTP client set it")
    if int(announced) > max_bytes:
        raise _too_large(max_bytes)
    counted = Request(request.scope, _counted(request, max_bytes))
    try:
        async with asyncio.timeout(timeout_s):
            form = await counted.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS, max_part_size=_LONGEST_TEXT_BYTES)
    except TimeoutError as error:
        raise UploadTooSlow(f"the body did not arrive within {timeout_s:g} s; send a smaller file") from error
    except (MultiPartException, HTTPException) as error:
        why = error.message if isinstance(error, MultiPartException) else str(error.detail)
        raise BrokenForm(
            f"the multipart form cannot be read ({why.rstrip('.')}); let your HTTP client build it"
        ) from error
    try:
        yield form
    finally:
        await form.close()


def stylize_order(form: FormData) -> StylizeOrder:
    """Check every field and give them their types.

    Raises:
        BadField: a field is missing, unknown, given twice, of the wrong kind or out of range.
        DialError: a dial is out of range.
    """
    check_fields(form, STYLIZE_FIELDS)
    image = file_field(form, "image")
    if image is None:
        raise BadField("image is missing; send the photograph as the file field 'image'", field="image")
    style, style_image = text_field(form, "style"), file_field(form, "style_image")
    if (style is None) == (style_image is None):
        problem = "both style and style_image are given" if style else "no style is given"
        raise BadField(
            f"{problem}; send either style=NAME (GET /v1/styles lists them) or the file style_image", field="style"
        )
    picture_format = text_field(form, "format") or "png"
    if picture_format not in OUTPUT_FORMATS:
        raise BadField(
            f"format={picture_format[:40]!r} cannot be sent; use one of {', '.join(OUTPUT_FORMATS)}", field="format"
        )
    return StylizeOrder(image, style, style_image, file_field(form, "mask"), _dials(form), picture_format)


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
    """The text of that name, None where it is not sent or empty; a file in its place is refused."""
    value = form.get(name)
    if isinstance(value, UploadFile):
        raise BadField(f"{name} is a file; send it as text", field=name)
    return value.strip() or None if value is not None else None


def peek_pixels(upload: UploadFile, max_pixels: int) -> int:
    """How many pixels a picture's header announces; 0 if none or too many, which decoding then refuses exactly."""
    try:
        with Image.open(upload.file, formats=list(FORMATS)) as picture:
            pixels = picture.width * picture.height
    except Exception:  # a header of hostile bytes raises nearly anything
        return 0
    finally:
        upload.file.seek(0)
    return pixels if pixels <= max_pixels else 0


def _dials(form: FormData) -> Dials:
    given: dict[str, float | bool] = {}
    for name in DIAL_NAMES:
        text = text_field(form, name)
        if text is not None:
            given[name] = _number(name, text)
    keep_color = text_field(form, "keep_color")
    if keep_color is not None:
        if keep_color.lower() not in _WORDS:
            raise BadField(f"keep_color={keep_color[:40]!r} is no yes or no; use true or false", field="keep_color")
        given["keep_color"] = _WORDS[keep_color.lower()]
    return Dials(**given)  # type: ignore[arg-type]  # the names are the dials' own


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadField(
            f"{name}={text[:40]!r} is no number; use one from 0 to 1, for example {name}=0.8", field=name
        ) from error


def _counted(request: Request, max_bytes: int) -> Receive:
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > max_bytes:
            raise _too_large(max_bytes)
        return message

    return receive


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body has more than {max_bytes:,} bytes; send a smaller picture, or the same as JPEG")
