"""Which photograph meets which painting: a seeded choice, opened, measured, and fixed by a digest."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.datasets import Source, find_pictures
from evaluation.errors import DataError
from evaluation.settings import EvaluationSettings
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import read_picture, resize_short_side

MAX_PIXELS = 128 * 2**20  # museum scans are far larger than what the service accepts, and are shrunk at once
MAX_BYTES = 256 * 2**20
MAX_ASPECT = 4.0  # a scroll painting of 1:10 would take ten times the memory of its neighbours


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One picture of the manifest.

    Args:
        source: the file and what is known of it.
        sha256: of the file's bytes.
        pixels: uint8 (H, W, 3) at the judged size.
    """

    source: Source
    sha256: str
    pixels: Pixels

    @property
    def name(self) -> str:
        """How reports call it."""
        return self.source.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What is judged: every photograph with every painting, photograph by photograph.

    Args:
        photographs: in judged order.
        paintings: in judged order.
        skipped: (file, reason) of every file that was tried and could not be used.
        digest: sha256 over the judged files, their order and size: the same digest, the same task.
    """

    photographs: tuple[Picture, ...]
    paintings: tuple[Picture, ...]
    skipped: tuple[tuple[str, str], ...]
    digest: str

    def pairs(self) -> list[tuple[int, int]]:
        """(photograph, painting) by their places, photograph by photograph."""
        return [(i, j) for i in range(len(self.photographs)) for j in range(len(self.paintings))]

    def as_dict(self) -> dict[str, Any]:
        """What `manifest.json` holds."""
        return {
            "digest": self.digest,
            "photographs": [_entry(picture) | {"building": picture.source.building} for picture in self.photographs],
            "paintings": [_entry(picture) | {"movement": picture.source.group} for picture in self.paintings],
            "skipped": [list(entry) for entry in self.skipped],
        }


def make_manifest(data: Path | Sequence[Path], settings: EvaluationSettings) -> Manifest:
    """Choose, open and digest the pictures of a judgement.

    The choice depends on the seed and the names alone. Photographs alternate between buildings and others where the
    data says which is which, paintings walk round their movements, so that a small choice still has its slices. A
    file that cannot be used is written down, and the next in line takes its place.

    Raises:
        DataError: no layout fits, or no photograph or no painting can be read.
    """
    pool = find_pictures(data)
    skipped: list[tuple[str, str]] = []
    photographs = _open_first(
        _in_turn(pool.photographs, settings.seed, lambda source: str(source.building)),
        settings.contents,
        settings,
        skipped,
    )
    paintings = _open_first(
        _in_turn(pool.paintings, settings.seed, lambda source: source.group), settings.styles, settings, skipped
    )
    for role, found in (("photograph", photographs), ("painting", paintings)):
        if not found:
            raise DataError(f"no {role} could be read; the first reason: {skipped[0][0]}: {skipped[0][1]}")
    key = json.dumps(
        {
            "short_side_px": settings.short_side_px,
            "photographs": [picture.sha256 for picture in photographs],
            "paintings": [picture.sha256 for picture in paintings],
        }
    )
    return Manifest(
        photographs=tuple(photographs),
        paintings=tuple(paintings),
        skipped=tuple(skipped),
        digest=hashlib.sha256(key.encode()).hexdigest(),
    )


def _in_turn(sources: Iterable[Source], seed: int, group_of: Any) -> list[Source]:
    """A seeded order that takes one of each group in turn; it does not depend on the order on disk."""
    groups: dict[str, list[Source]] = {}
    for source in sorted(sources, key=lambda source: _draw(seed, source.name)):
        groups.setdefault(group_of(source), []).append(source)
    turns = [(rank, place, source) for place, group in enumerate(groups.values()) for rank, source in enumerate(group)]
    return [source for _, _, source in sorted(turns, key=lambda turn: turn[:2])]


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _open_first(
    sources: list[Source], wanted: int, settings: EvaluationSettings, skipped: list[tuple[str, str]]
) -> list[Picture]:
    """The first `wanted` that can be opened. The same picture twice (by its bytes) counts once."""
    opened: list[Picture] = []
    seen: dict[str, str] = {}
    for source in sources:
        if len(opened) == wanted:
            break
        try:
            picture = _open(source, settings.short_side_px)
        except (PictureError, OSError) as error:
            skipped.append((source.name, str(error)))
            continue
        if picture.sha256 in seen:
            skipped.append((source.name, f"the same file as {seen[picture.sha256]}"))
            continue
        seen[picture.sha256] = source.name
        opened.append(picture)
    return opened


def _open(source: Source, short_side_px: int) -> Picture:
    blob = source.path.read_bytes()
    pixels = read_picture(blob, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
    return Picture(
        source=source,
        sha256=hashlib.sha256(blob).hexdigest(),
        pixels=resize_short_side(_crop_scroll(pixels), short_side_px),
    )


def _crop_scroll(pixels: Pixels) -> Pixels:
    """The middle of a picture longer than 4:1; any other unchanged."""
    height, width = pixels.shape[:2]
    longest = int(min(height, width) * MAX_ASPECT)
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    return pixels[top : top + min(height, longest), left : left + min(width, longest)]


def _entry(picture: Picture) -> dict[str, Any]:
    height, width = picture.pixels.shape[:2]
    return {"name": picture.name, "sha256": picture.sha256, "width_px": width, "height_px": height}
