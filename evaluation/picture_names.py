"""What a file's name was meant to be: data sets travel through archives that damage names, and lists must still match.

WikiArt's names hold accents that were encoded twice ("cafÃ©" for "café") or written as "#U00e9" by an unpacker, soft
hyphens that nobody sees, no-break spaces, and parentheses.
"""

import re
import unicodedata

_UNZIPPED = re.compile(r"#U([0-9a-fA-F]{4})")
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\ufeff"))
"""Soft hyphen and zero-width characters: two names that differ by them look the same."""
_SPACES = re.compile(r"\s+")
_MOST_ENCODINGS = 3  # more rounds than were ever seen


def repair_name(name: str) -> str:
    """The readable name: bytes that are no UTF-8, "#U00e9" and doubled encodings undone. A sound name is unchanged."""
    text = _undo_surrogates(name)
    text = _UNZIPPED.sub(lambda match: chr(int(match[1], 16)), text)
    for _ in range(_MOST_ENCODINGS):
        once = _undo_encoding(text)
        if once == text:
            break
        text = once
    return text


def name_key(name: str) -> str:
    """What two names share that mean the same file: repaired, composed, without unseen characters, in lower case."""
    text = unicodedata.normalize("NFC", repair_name(name)).translate(_UNSEEN)
    return _SPACES.sub(" ", text).strip().casefold()  # a no-break space is white space too


def parse_title(stem: str) -> tuple[str, str, int | None]:
    """`<artist>_<title>-<year>` -> artist, title, year; what is missing is empty or None."""
    artist, _, rest = repair_name(stem).partition("_")
    match = re.fullmatch(r"(.*?)-(\d{4})(?:\(\d+\))?", rest)  # "-1890(1)" is a second copy of the name
    title, year = (match[1], int(match[2])) if match else (rest, None)
    return artist.replace("-", " "), title.replace("-", " "), year


def _undo_surrogates(name: str) -> str:
    """Bytes that were no UTF-8 on disk (Python shows them as lone surrogates) read as Windows-1252."""
    if name.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in name):
        return name
    return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _undo_encoding(text: str) -> str:
    """UTF-8 that was read as Windows-1252 once, read rightly; anything else unchanged."""
    if text.isascii():
        return text
    try:
        return b"".join(_as_byte(letter) for letter in text).decode("utf-8")
    except UnicodeError:
        return text


def _as_byte(letter: str) -> bytes:
    """Windows-1252, and Latin-1 for the five bytes that Windows leaves open."""
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")
