"""What an answer must be. Each check is a pure function: an answer in, None or what is wrong with it out."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PICTURE_HEADERS = ("x-model-version", "x-model-digest", "server-timing", "x-request-id")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: 0 where nothing came back.
        headers: names in lower case.
        body: decoded of any transfer encoding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def wrong_envelope(answer: Answer, picture_format: str) -> str | None:
    """What is said about a stylised picture: its format, and which model made it."""
    if answer.status != 200:
        return f"status {answer.status} instead of 200"
    kind = answer.headers.get("content-type", "").split(";", 1)[0]
    if kind != f"image/{picture_format}":
        return f"content type {kind or 'missing'} instead of image/{picture_format}"
    missing = [name for name in _PICTURE_HEADERS if not answer.headers.get(name)]
    if missing:
        return f"no header {missing[0]}"
    if not _DIGEST.fullmatch(answer.headers["x-model-digest"]):
        return "X-Model-Digest is no sha256"
    return None


def wrong_picture(answer: Answer, *, size_px: tuple[int, int], picture_format: str, sent: bytes) -> str | None:
    """A stylised picture: in its envelope, of the right size and format, whole, and painted."""
    wrong = wrong_envelope(answer, picture_format)
    if wrong:
        return wrong
    try:
        with Image.open(io.BytesIO(answer.body)) as picture:
            picture.load()
            size, stored, pixels = picture.size, picture.format or "", picture.convert("RGB").tobytes()
    except Exception as error:  # a broken picture raises nearly anything
        return f"200 with a broken picture ({type(error).__name__})"
    if size != size_px:
        return f"size {size[0]}x{size[1]} instead of {size_px[0]}x{size_px[1]}"
    if stored.lower() != picture_format:
        return f"says image/{picture_format} but is {stored}"
    with Image.open(io.BytesIO(sent)) as original:
        if original.convert("RGB").tobytes() == pixels:
            return "the picture came back as it was sent, unpainted"
    return None


def wrong_thumbnail(answer: Answer) -> str | None:
    """A small picture of a style."""
    if answer.status != 200:
        return f"status {answer.status} instead of 200"
    try:
        with Image.open(io.BytesIO(answer.body)) as picture:
            picture.load()
    except Exception as error:  # a broken picture raises nearly anything
        return f"200 with a broken picture ({type(error).__name__})"
    return None


def wrong_creation(answer: Answer, key: str) -> str | None:
    """Something was made or kept, and is named under `key`."""
    body, wrong = _json_object(answer, status=201)
    return wrong or (None if body.get(key) else f"201 that does not say {key!r}")


def wrong_removal(answer: Answer) -> str | None:
    """Something was removed."""
    return None if answer.status == 204 else f"status {answer.status} instead of 204"


def shed_after_s(answer: Answer) -> float | None:
    """When a client that was refused for load should come back, in seconds; None where it was not, or was not told."""
    if answer.status not in (429, 503):
        return None
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None  # the service never answers with a date


def wrong_styles(answer: Answer) -> str | None:
    """The style library: at least one style with an id."""
    body, wrong = _json_object(answer)
    if wrong:
        return wrong
    styles = body.get("styles")
    if not isinstance(styles, list) or not styles or not all(isinstance(s, dict) and s.get("id") for s in styles):
        return "no list of styles, each with an id"
    return None


def wrong_model(answer: Answer) -> str | None:
    """What is served: a version and a digest."""
    body, wrong = _json_object(answer)
    if wrong:
        return wrong
    if not body.get("version") or not _DIGEST.fullmatch(str(body.get("digest"))):
        return "no version, or a digest that is no sha256"
    return None


def wrong_refusal(answer: Answer, *, statuses: tuple[int, ...]) -> str | None:
    """The answer to a bad request: one of the expected 4xx, as a problem that says what was wrong."""
    if answer.status not in statuses:
        return f"status {answer.status} instead of {' or '.join(map(str, statuses))}"
    kind = answer.headers.get("content-type", "").split(";", 1)[0]
    if kind != "application/problem+json":
        return f"content type {kind or 'missing'} instead of application/problem+json"
    try:
        detail = json.loads(answer.body).get("detail")
    except (ValueError, AttributeError):
        return "the problem is no JSON object"
    return None if detail else "the problem does not say what was wrong"


def _json_object(answer: Answer, *, status: int = 200) -> tuple[dict[str, object], str | None]:
    if answer.status != status:
        return {}, f"status {answer.status} instead of {status}"
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}, "the body is no JSON"
    return (body, None) if isinstance(body, dict) else ({}, "the body is no JSON object")
