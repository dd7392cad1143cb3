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


def wrong_picture(answer: Answer, *, size_px: tuple[int, int], picture_format: str, sent: bytes) -> str | None:
    """A stylised picture: of the right size and format, whole, painted, and saying which model made it."""
    if answer.status != 200:
        return f"status {answer.status} instead of 200"
    kind = answer.headers.get("content-type", "").split(";", 1)[0]
    if kind != f"image/{picture_format}":
        return f"content type {kind or 'missing'} instead of image/{picture_format}"
    try:
        with Image.open(io.BytesIO(answer.body)) as picture:
            picture.load()
            size, stored, pixels = picture.size, picture.format or "", picture.convert("RGB").tobytes()
    except Exception as error:  # a broken picture raises nearly anything
        return f"200 with a broken picture ({type(error).__name__})"
    if size != size_px:
        return f"size {size[0]}x{size[1]} instead of {size_px[0]}x{size_px[1]}"
    if stored.lower() != picture_format:
        return f"says {kind} but is {stored}"
    with Image.open(io.BytesIO(sent)) as original:
        if original.convert("RGB").tobytes() == pixels:
            return "the picture came back as it was sent, unpainted"
    missing = [name for name in _PICTURE_HEADERS if not answer.headers.get(name)]
    if missing:
        return f"no header {missing[0]}"
    if not _DIGEST.fullmatch(answer.headers["x-model-digest"]):
        return "X-Model-Digest is no sha256"
    return None


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


def _json_object(answer: Answer) -> tuple[dict[str, object], str | None]:
    if answer.status != 200:
        return {}, f"status {answer.status} instead of 200"
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}, "the body is no JSON"
    return (body, None) if isinstance(body, dict) else ({}, "the body is no JSON object")
