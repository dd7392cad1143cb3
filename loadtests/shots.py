"""One kind of request: what is sent, whose promise it counts for, and what its answer must be."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.checks import Answer


def _nothing() -> bytes:
    return b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One kind of request.

    Args:
        name: its line in the report.
        endpoint: its promise in the SLO file; several shots may share one.
        weight: its share of the traffic, relative to the others'.
        body: called once for each request that is scheduled, before the first is sent.
        check: None, or what is wrong with an answer.
        paints: the format of the painting that is answered; None where none is. Paintings are held against golden ones.
        photo: what was sent to be painted.
        pixels: of that photograph.
        then: what the same client asks next, given a right answer.
    """

    name: str
    endpoint: str
    weight: float
    method: str
    path: str
    body: Callable[[], bytes] = _nothing
    content_type: str = ""
    check: Callable[[Answer], str | None]
    paints: str | None = None
    photo: bytes = b""
    pixels: int = 0
    then: "Callable[[Answer], Shot] | None" = None


def multipart(fields: dict[str, str], files: dict[str, bytes], *, boundary: str = "") -> tuple[bytes, str]:
    """(body, content type) of a multipart form."""
    boundary = boundary or uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, blob in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.jpg"\r\n'
        parts.append(head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + blob + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
