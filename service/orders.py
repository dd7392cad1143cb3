"""From the fields of `POST /v1/stylize` to an order: every value checked and typed, every file still undecoded."""

import math
from dataclasses import dataclass
from typing import get_args

from starlette.datastructures import FormData, UploadFile

from service.errors import BadField
from service.forms import check_fields, file_field, text_field
from stylenet.dials import DIAL_NAMES, Dials
from stylenet.pictures import MAX_PIXELS, MIN_SIDE_PX, PictureFormat

OUTPUT_FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
MOST_STYLES = 8
MOST_SIDE_PX = int(MAX_PIXELS**0.5)
STYLIZE_FIELDS = ("image", "photo", "style", "style_image", "mask", *DIAL_NAMES, "keep_color", "format", "max_side")
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class StyleShare:
    """One style of a mixture, by id or name, and its weight beside the others'."""

    style: str
    weight: float


@dataclass(frozen=True, slots=True)
class StylizeOrder:
    """What one client asks to be painted. Files are still undecoded, on disk where they are large.

    Args:
        image: the photograph as a file; None where `photo` names one.
        photo: a photograph that was sent before.
        styles: styles of the library, mixed by weight; empty where `style_image` is given.
        style_image: a style picture of the client's own.
        mask: where to paint; everywhere where None.
        dials: checked.
        picture_format: how the answer is encoded.
        max_side_px: the photograph is made smaller first, to this longer side; None paints it as it is.
    """

    image: UploadFile | None
    photo: str | None
    styles: tuple[StyleShare, ...]
    style_image: UploadFile | None
    mask: UploadFile | None
    dials: Dials
    picture_format: PictureFormat
    max_side_px: int | None


def stylize_order(form: FormData) -> StylizeOrder:
    """Check every field and give them their types.

    Raises:
        BadField: a field is missing, unknown, given twice, of the wrong kind or out of range.
        DialError: a dial is out of range.
    """
    check_fields(form, STYLIZE_FIELDS)
    image, photo = file_field(form, "image"), text_field(form, "photo")
    if (image is None) == (photo is None):
        problem = "both image and photo are given" if photo else "image is missing"
        raise BadField(
            f"{problem}; send the photograph as the file 'image', or the name of one sent before as 'photo'",
            field="image",
        )
    style, style_image = text_field(form, "style"), file_field(form, "style_image")
    if (style is None) == (style_image is None):
        problem = "both style and style_image are given" if style else "no style is given"
        raise BadField(
            f"{problem}; send either style=NAME (GET /v1/styles lists them) or the file style_image", field="style"
        )
    return StylizeOrder(
        image=image,
        photo=photo,
        styles=() if style is None else style_shares(style),
        style_image=style_image,
        mask=file_field(form, "mask"),
        dials=_dials(form),
        picture_format=_picture_format(form),
        max_side_px=_max_side_px(form),
    )


def style_shares(text: str) -> tuple[StyleShare, ...]:
    """Read "waves", or a mixture: "waves:0.6,night-swirls:0.4". Only the weights' ratio counts; without one it is 1.

    Raises:
        BadField: no style, more than 8, one twice, or a weight that is none.
    """
    shares = []
    for entry in text.split(","):
        name, colon, weight = (part.strip() for part in entry.partition(":"))
        if not name:
            raise BadField(f"style={text[:80]!r} names no style somewhere; write style=a:0.6,b:0.4", field="style")
        shares.append(StyleShare(name, _weight(name, weight) if colon else 1.0))
    if len(shares) > MOST_STYLES:
        raise BadField(f"style mixes {len(shares)} styles; mix at most {MOST_STYLES}", field="style")
    names = [share.style for share in shares]
    if len(set(names)) < len(names):
        raise BadField("style names the same style twice; give it once, with the sum of its weights", field="style")
    if not any(share.weight for share in shares):
        raise BadField("every weight of style is 0; give at least one style more than that", field="style")
    return tuple(share for share in shares if share.weight)


def _weight(name: str, text: str) -> float:
    weight = _number("style", text)
    if not 0 <= weight <= 1000:
        raise BadField(f"style: the weight of {name[:40]!r} is {text[:40]}; use a number from 0 to 1000", field="style")
    return weight


def _picture_format(form: FormData) -> PictureFormat:
    given = text_field(form, "format") or "png"
    for known in OUTPUT_FORMATS:
        if given == known:
            return known
    raise BadField(f"format={given[:40]!r} cannot be sent; use one of {', '.join(OUTPUT_FORMATS)}", field="format")


def _max_side_px(form: FormData) -> int | None:
    text = text_field(form, "max_side")
    if text is None:
        return None
    side = _number("max_side", text)
    if not MIN_SIDE_PX <= side <= MOST_SIDE_PX or side != int(side):
        raise BadField(
            f"max_side={text[:40]} is out of range; use a whole number from {MIN_SIDE_PX} to {MOST_SIDE_PX}",
            field="max_side",
        )
    return int(side)


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
    """A number as everybody writes it: Python would also take "1_0" and digits of other scripts."""
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadField(
            f"{name}={text[:40]!r} is no number; use one as in {name}={_EXAMPLES.get(name, '0.8')}", field=name
        )
    return number


_EXAMPLES = {"style": "a:0.6,b:0.4", "max_side": "512"}
