"""What is sent: a small, realistic mix. A shot is one kind of request, with its share of the traffic and its check."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadtests import checks
from loadtests.checks import Answer
from loadtests.pictures import photograph_jpeg

PREVIEW_PX, FULL_PX = (192, 144), (384, 256)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One kind of request.

    Args:
        name: its line in the report.
        endpoint: its promise in the SLO file; several shots may share one.
        weight: its share of the traffic, relative to the others'.
        check: None, or what is wrong with an answer.
    """

    name: str
    endpoint: str
    weight: float
    method: str
    path: str
    body: bytes | None = None
    content_type: str = ""
    check: Callable[[Answer], str | None]


def smoke_mix(style_ids: Sequence[str]) -> list[Shot]:
    """Previews and larger pictures in styles of the library, some reading, and one bad request in ten.

    Args:
        style_ids: of the library under test; up to three are used.
    """
    shots = []
    styles = list(style_ids)[:3]
    for style in styles:
        shots.append(_stylize(f"preview in {style}", PREVIEW_PX, style, "jpeg", weight=5 / len(styles)))
        shots.append(_stylize(f"picture in {style}", FULL_PX, style, "png", weight=2 / len(styles)))
    shots += [
        Shot(name="styles", endpoint="styles", weight=1, method="GET", path="/v1/styles", check=checks.wrong_styles),
        Shot(name="model", endpoint="model", weight=1, method="GET", path="/v1/model", check=checks.wrong_model),
    ]
    jpeg = photograph_jpeg(*PREVIEW_PX)
    bad: list[tuple[str, dict[str, str], dict[str, bytes], tuple[int, ...]]] = [
        ("bad: text as picture", {"style": styles[0]}, {"image": b"this is no picture\n"}, (400,)),
        ("bad: truncated JPEG", {"style": styles[0]}, {"image": jpeg[: len(jpeg) // 2]}, (400,)),
        ("bad: dial out of range", {"style": styles[0], "strength": "1.5"}, {"image": jpeg}, (422,)),
        ("bad: unknown style", {"style": "no-such-style-anywhere"}, {"image": jpeg}, (404,)),
        ("bad: address as picture", {"style": styles[0], "image": "http://127.0.0.1:9/x.png"}, {}, (422,)),
    ]
    for name, fields, files, statuses in bad:
        shots.append(_form(name, "bad input", fields, files, weight=1 / len(bad), check=_refusal(statuses)))
    return shots


def _stylize(name: str, size_px: tuple[int, int], style: str, picture_format: str, *, weight: float) -> Shot:
    sent = photograph_jpeg(*size_px)

    def check(answer: Answer) -> str | None:
        return checks.wrong_picture(answer, size_px=size_px, picture_format=picture_format, sent=sent)

    fields = {"style": style, "format": picture_format}
    return _form(name, "stylize", fields, {"image": sent}, weight=weight, check=check)


def _refusal(statuses: tuple[int, ...]) -> Callable[[Answer], str | None]:
    return lambda answer: checks.wrong_refusal(answer, statuses=statuses)


def _form(
    name: str,
    endpoint: str,
    fields: dict[str, str],
    files: dict[str, bytes],
    *,
    weight: float,
    check: Callable[[Answer], str | None],
) -> Shot:
    body, content_type = multipart(fields, files)
    return Shot(
        name=name,
        endpoint=endpoint,
        weight=weight,
        method="POST",
        path="/v1/stylize",
        body=body,
        content_type=content_type,
        check=check,
    )


def multipart(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, str]:
    """(body, content type) of a multipart form; built once per shot, so that the generator has time to send."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, blob in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.jpg"\r\n'
        parts.append(head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + blob + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
