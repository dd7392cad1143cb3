"""A realistic mixture: previews and larger pictures in styles of the library and of one's own, some reading, uploads
that are taken back, and a share of bad input.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from loadtests import checks
from loadtests.checks import Answer
from loadtests.pictures import painting_jpeg, photograph_jpeg
from loadtests.shots import Shot, multipart
from loadtests.slo import Mix

PHOTO_PX, PREVIEW_SIDE_PX, PREVIEW_PX = (640, 480), 256, (256, 192)
PICTURE_PX, LARGE_PX = (384, 256), (1024, 768)
_MOST_STYLES = 3
_BOUNDARY = "pentimento-load-test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What the mixture is made for.

    Args:
        styles: names or ids, of the library under test; the first three are used.
        may_upload: whether the library may be changed over HTTP.
        run_id: begins the name of every style that this run uploads, so that what is left over can be found.
        worker: so that no two processes upload the same picture.
    """

    styles: Sequence[str]
    may_upload: bool
    run_id: str
    worker: int = 0


def shots_of(mix: Mix, scene: Scene) -> list[Shot]:
    """Every kind of request with a weight above 0; uploads only where the library may be changed."""
    styles = list(scene.styles)[:_MOST_STYLES]
    kinds: list[tuple[float, list[Shot]]] = [
        (mix.preview, [_preview(style) for style in styles]),
        (mix.picture, [_picture(style) for style in styles] + _mixtures(styles)),
        (mix.large, [_large(styles[0])]),
        (mix.own_style, [_own_style()]),
        (mix.kept_photo, [_kept_photo(styles[-1])]),
        (mix.upload if scene.may_upload else 0, [_upload(scene)]),
        (mix.styles, [_get("styles", "styles", "/v1/styles", checks.wrong_styles)]),
        (mix.thumbnail, [_get("thumbnail", "styles", f"/v1/styles/{styles[0]}/thumbnail", checks.wrong_thumbnail)]),
        (mix.model, [_get("model", "model", "/v1/model", checks.wrong_model)]),
        (mix.bad_input, _bad_input(styles[0])),
    ]
    return [replace(shot, weight=weight / len(shots)) for weight, shots in kinds if weight for shot in shots]


def _preview(style: str) -> Shot:
    fields = {"style": style, "format": "jpeg", "max_side": str(PREVIEW_SIDE_PX)}
    return _stylize(f"preview in {style}", fields, PHOTO_PX, PREVIEW_PX)


def _picture(style: str) -> Shot:
    return _stylize(f"picture in {style}", {"style": style, "format": "png"}, PICTURE_PX, PICTURE_PX)


def _mixtures(styles: list[str]) -> list[Shot]:
    if len(styles) < 2:
        return []
    fields = {"style": f"{styles[0]}:0.6,{styles[1]}:0.4", "format": "png", "strength": "0.8"}
    return [_stylize("picture in a mixture", fields, PICTURE_PX, PICTURE_PX)]


def _large(style: str) -> Shot:
    return _stylize(f"large picture in {style}", {"style": style, "format": "jpeg"}, LARGE_PX, LARGE_PX)


def _own_style() -> Shot:
    files = {"style_image": painting_jpeg(256, 256)}
    return _stylize("picture in one's own style", {"format": "webp"}, PICTURE_PX, PICTURE_PX, files)


def _stylize(
    name: str,
    fields: dict[str, str],
    sent_px: tuple[int, int],
    size_px: tuple[int, int],
    files: dict[str, bytes] | None = None,
) -> Shot:
    photo = photograph_jpeg(*sent_px)
    return replace(_painting(name, fields, {"image": photo, **(files or {})}, photo, size_px), pixels=_pixels(sent_px))


def _painting(
    name: str, fields: dict[str, str], files: dict[str, bytes], photo: bytes, size_px: tuple[int, int]
) -> Shot:
    picture_format = fields["format"]

    def check(answer: Answer) -> str | None:
        return checks.wrong_picture(answer, size_px=size_px, picture_format=picture_format, sent=photo)

    body, content_type = multipart(fields, files)
    return Shot(name=name, endpoint="stylize", weight=1, method="POST", path="/v1/stylize", body=lambda: body,
                content_type=content_type, check=check, paints=picture_format, photo=photo)  # fmt: skip


def _pixels(size_px: tuple[int, int]) -> int:
    return size_px[0] * size_px[1]


def _kept_photo(style: str) -> Shot:
    """As the page does it: the photograph is sent once, and then named."""
    photo = photograph_jpeg(*PHOTO_PX)
    body, content_type = multipart({}, {"image": photo})

    def preview(answer: Answer) -> Shot:
        fields = {"photo": str(json.loads(answer.body)["photo"]), "style": style, "format": "jpeg"}
        fields["max_side"] = str(PREVIEW_SIDE_PX)
        shot = _painting("preview of a kept photograph", fields, {}, photo, PREVIEW_PX)
        return replace(shot, pixels=_pixels(PHOTO_PX))

    return Shot(name="keep a photograph", endpoint="photos", weight=1, method="POST", path="/v1/photos",
                body=lambda: body, content_type=content_type, then=preview, pixels=_pixels(PHOTO_PX),
                check=lambda answer: checks.wrong_creation(answer, "photo"))  # fmt: skip


def _upload(scene: Scene) -> Shot:
    """A new style, which is removed as soon as it is there. Its picture is new too: two equal ones are one style."""
    numbers: Iterator[int] = itertools.count()

    def body() -> bytes:
        number = next(numbers)
        picture = painting_jpeg(96, 96, seed=f"{scene.run_id} {scene.worker} {number}")
        fields = {"name": f"{scene.run_id}-{scene.worker}-{number}", "tags": "load-test"}
        return multipart(fields, {"picture": picture}, boundary=_BOUNDARY)[0]

    def removal(answer: Answer) -> Shot:
        path = f"/v1/styles/{json.loads(answer.body)['id']}"
        return Shot(name="remove the uploaded style", endpoint="style removal", weight=1, method="DELETE", path=path,
                    check=checks.wrong_removal)  # fmt: skip

    return Shot(name="upload a style", endpoint="style upload", weight=1, method="POST", path="/v1/styles", body=body,
                content_type=f"multipart/form-data; boundary={_BOUNDARY}", then=removal,
                check=lambda answer: checks.wrong_creation(answer, "id"))  # fmt: skip


def _bad_input(style: str) -> list[Shot]:
    jpeg = photograph_jpeg(192, 144)
    cases: list[tuple[str, dict[str, str], dict[str, bytes], tuple[int, ...]]] = [
        ("bad: text as picture", {"style": style}, {"image": b"this is no picture\n"}, (400,)),
        ("bad: truncated JPEG", {"style": style}, {"image": jpeg[: len(jpeg) // 2]}, (400,)),
        ("bad: dial out of range", {"style": style, "strength": "1.5"}, {"image": jpeg}, (422,)),
        ("bad: unknown style", {"style": "no-such-style-anywhere"}, {"image": jpeg}, (404,)),
        ("bad: address as picture", {"style": style, "image": "http://127.0.0.1:9/x.png"}, {}, (422,)),
    ]
    return [_refused(name, *multipart(fields, files), statuses) for name, fields, files, statuses in cases]


def _refused(name: str, body: bytes, content_type: str, statuses: tuple[int, ...]) -> Shot:
    return Shot(name=name, endpoint="bad input", weight=1, method="POST", path="/v1/stylize", body=lambda: body,
                content_type=content_type,
                check=lambda answer: checks.wrong_refusal(answer, statuses=statuses))  # fmt: skip


def _get(name: str, endpoint: str, path: str, check: Callable[[Answer], str | None]) -> Shot:
    return Shot(name=name, endpoint=endpoint, weight=1, method="GET", path=path, check=check)
