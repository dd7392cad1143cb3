"""What a style is, what may be written into one, and what is made of its pictures: digest and thumbnail."""

import hashlib
import io
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from PIL import Image

from registry.errors import InvalidStyle
from stylenet.images import Pixels, check_pixels
from stylenet.pictures import read_picture

Picture = Pixels | bytes | str | os.PathLike[str]
MAX_PICTURES = 16
MAX_TAGS = 32
THUMBNAIL_SIDE_PX = 256
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_ID = re.compile(r"[0-9a-f]{16}")
_MOST_CHARACTERS = {"title": 200, "author": 200, "licence": 200, "note": 2000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """One style of the library.

    Args:
        id: 16 hex digits that follow from the pictures: the same pictures have the same id in every library.
        name: unique, for people and commands: "woodblock-wave".
        pictures: (width, height) in pixels of each picture that it is made of.
        builtin: whether it came with Pentimento.
    """

    id: str
    name: str
    title: str
    tags: tuple[str, ...]
    author: str
    licence: str
    note: str
    builtin: bool
    pictures: tuple[tuple[int, int], ...]
    created_at: datetime


def check_entry(name: str, tags: Sequence[str], texts: Mapping[str, str]) -> None:
    """Raise InvalidStyle unless the name, the tags and the texts can be kept."""
    _check_slug("style name", name)
    if _ID.fullmatch(name):
        raise InvalidStyle(f"style name {name!r} looks like an id; add a word to it, for example 'style-{name[:4]}'")
    if len(tags) > MAX_TAGS:
        raise InvalidStyle(f"style {name!r} has {len(tags)} tags; at most {MAX_TAGS}")
    for tag in tags:
        _check_slug("tag", tag)
    for key, text in texts.items():
        most = _MOST_CHARACTERS[key]
        if len(text) > most:
            raise InvalidStyle(f"style {name!r}: {key} has {len(text)} characters; at most {most}")
        if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in text):
            raise InvalidStyle(f"style {name!r}: {key} holds control characters; write plain text")


def decode(name: str, pictures: Sequence[Picture]) -> tuple[list[Pixels], list[str]]:
    """The pictures as pixels, and the sha256 of each one's pixels: the same picture in another file format is the same.

    Raises:
        InvalidStyle: none, too many, or the same one twice.
        PictureError: one that cannot be read.
    """
    if not 1 <= len(pictures) <= MAX_PICTURES:
        raise InvalidStyle(f"style {name!r} has {len(pictures)} pictures; give 1 to {MAX_PICTURES}")
    decoded = [picture if isinstance(picture, np.ndarray) else read_picture(picture) for picture in pictures]
    for pixels in decoded:
        check_pixels(pixels)
    digests = [_pixel_digest(pixels) for pixels in decoded]
    if len(set(digests)) < len(digests):
        raise InvalidStyle(f"style {name!r} holds the same picture twice; give each one once")
    return decoded, digests


def content_digest(pixel_digests: Sequence[str]) -> str:
    """sha256 that names a set of pictures, whatever their order."""
    return hashlib.sha256("\n".join(sorted(pixel_digests)).encode()).hexdigest()


def thumbnail(pixels: Pixels) -> bytes:
    """A WebP, its longer side at most 256 px."""
    small = Image.fromarray(pixels)
    small.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="WEBP", quality=85, method=4)
    return buffer.getvalue()


def slug(text: str) -> str:
    """Any words as a name or tag: "Stained Glass" becomes "stained-glass"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-") or "style"


def folded(text: str) -> str:
    """Text as search compares it: no accents, no capitals. "Dürer" and "durer" are the same word."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def _check_slug(what: str, text: str) -> None:
    if not _SLUG.fullmatch(text):
        raise InvalidStyle(
            f"{what} {text!r} cannot be used; write small letters, digits and hyphens, for example {slug(text)!r}"
        )


def _pixel_digest(pixels: Pixels) -> str:
    height, width = pixels.shape[:2]
    return hashlib.sha256(f"{width}x{height}:".encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
