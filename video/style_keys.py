"""Which style when: the first holds from the start, the last to the end; between two keys, codes interpolate.

On the command line a key is `STYLE` or `STYLE@SECONDS`; in a CSV file a line with `seconds` and `style`.
"""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stylenet.codes import StyleCode, mix
from video.errors import StyleKeysError


@dataclass(frozen=True, slots=True)
class StyleKey:
    """At `second` of the film, the picture is wholly in `style`."""

    second: float
    style: str


def parse_keys(words: Sequence[str]) -> tuple[StyleKey, ...]:
    """Keys from the command line: one style for the whole film, or several with their times.

    Raises:
        StyleKeysError: several styles without times, times that are no times, or twice the same.
    """
    if len(words) == 1 and "@" not in words[0]:
        return (StyleKey(0.0, words[0]),)
    keys = []
    for word in words:
        style, at, second = word.rpartition("@")
        if not at:
            raise StyleKeysError(f"--style {word} does not say when; with several styles write {word}@SECONDS")
        keys.append(StyleKey(_second(second, f"--style {word}"), style))
    return _ordered(keys)


def read_keys(path: Path) -> tuple[StyleKey, ...]:
    """Keys from a CSV file with the columns `seconds` and `style`.

    Raises:
        StyleKeysError: unreadable, a column missing, no lines, or a line that cannot be used.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StyleKeysError(f"{path}: cannot be read as CSV ({error}); write lines of seconds,style") from error
    if not rows or not {"seconds", "style"} <= set(rows[0]):
        raise StyleKeysError(f"{path}: expected the columns seconds,style and at least one line below them")
    keys = []
    for line, row in enumerate(rows, start=2):
        if not (row["style"] or "").strip():
            raise StyleKeysError(f"{path}, line {line}: no style; write a picture's path or a library name")
        keys.append(StyleKey(_second(row["seconds"] or "", f"{path}, line {line}"), row["style"].strip()))
    return _ordered(keys)


class StyleTrack:
    """The style code of every moment.

    Args:
        keys: in order.
        code_of: a style's code by its name; asked once for each.
    """

    def __init__(self, keys: Sequence[StyleKey], code_of: Callable[[str], StyleCode]) -> None:
        known: dict[str, StyleCode] = {}
        for key in keys:
            if key.style not in known:
                known[key.style] = code_of(key.style)
        self._keys = [(key.second, known[key.style]) for key in keys]

    def at(self, second: float) -> StyleCode:
        """The code at a moment; the very same object wherever nothing changes."""
        earlier = [entry for entry in self._keys if entry[0] <= second]
        later = [entry for entry in self._keys if entry[0] > second]
        if not earlier or not later:
            return earlier[-1][1] if earlier else later[0][1]
        (start, one), (end, other) = earlier[-1], later[0]
        if one is other or second == start:
            return one
        share = (second - start) / (end - start)
        return mix([one, other], [1 - share, share])

    def as_bytes(self) -> bytes:
        """All that decides the codes: for comparing two orders."""
        return b"".join(f"{second!r}:".encode() + code.to_bytes() for second, code in self._keys)


def _second(text: str, where: str) -> float:
    try:
        second = float(text)
    except ValueError:
        second = math.nan
    if not math.isfinite(second) or second < 0:
        raise StyleKeysError(f"{where}: {text!r} is no time; write seconds from the start, for example 12.5")
    return second


def _ordered(keys: Sequence[StyleKey]) -> tuple[StyleKey, ...]:
    ordered = tuple(sorted(keys, key=lambda key: key.second))
    for one, other in pairwise(ordered):
        if one.second == other.second:
            raise StyleKeysError(f"{one.style} and {other.style} are both at {one.second:g} s; move one of them")
    return ordered
