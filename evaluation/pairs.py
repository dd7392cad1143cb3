"""Which photograph meets which painting: a seeded choice, fixed by digests. Pixels are read when they are needed.

Nothing here holds pictures: a manifest is names, sizes and digests, and `Picture.pixels` goes through a small cache, so
that a judgement of 81,444 paintings needs no more memory than one of ten.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from evaluation.boundary_metrics import Boundaries, read_boundaries
from evaluation.datacheck import MAX_BYTES, MAX_PIXELS
from evaluation.datasets import find_pictures
from evaluation.errors import DataError
from evaluation.settings import EvaluationSettings
from evaluation.sources import Source
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import read_picture, resize_short_side

MAX_ASPECT = 4.0  # a scroll painting of 1:10 would take ten times the memory of its neighbours
PICTURES_IN_MEMORY = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One picture of the manifest.

    Args:
        source: the file and what is known of it.
        sha256: of the file's bytes.
        short_side_px: what it is judged at.
        shape: (height, width) at the judged size.
        boundaries_sha256: of the file with its human boundaries; empty where there is none.
    """

    source: Source
    sha256: str
    short_side_px: int
    shape: tuple[int, int]
    boundaries_sha256: str = ""

    @property
    def name(self) -> str:
        """How reports call it."""
        return self.source.name

    @property
    def pixels(self) -> Pixels:
        """uint8 (H, W, 3) at the judged size; not to be written into.

        Raises:
            DataError: the file is no longer what it was when it was chosen.
        """
        return _judged_pixels(self.source, self.sha256, self.short_side_px)

    @property
    def boundaries(self) -> Boundaries | None:
        """What people drew on it, where the data set has that."""
        return None if self.source.boundaries is None else _drawn(self.source.boundaries)


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What is judged.

    Args:
        photographs: in judged order.
        paintings: in judged order.
        skipped: (file, reason) of every file that was tried and could not be used.
        duplicates: how many of these are the same file as another.
        photographs_per_painting: how many photographs each painting meets; 0 is all.
        digest: sha256 over the judged files, their order, size and pairing: the same digest, the same task.
    """

    photographs: tuple[Picture, ...]
    paintings: tuple[Picture, ...]
    skipped: tuple[tuple[str, str], ...]
    duplicates: int = 0
    photographs_per_painting: int = 0
    digest: str

    def pairs(self) -> list[tuple[int, int]]:
        """(photograph, painting) by their places, photograph by photograph.

        Where a painting meets only some photographs, they take turns: each photograph gets about as many paintings.
        """
        m, n = len(self.photographs), len(self.paintings)
        each = min(self.photographs_per_painting or m, m)
        if each == m:
            return [(i, j) for i in range(m) for j in range(n)]
        return sorted(((j * each + k) % m, j) for j in range(n) for k in range(each))

    def as_dict(self) -> dict[str, Any]:
        """What `manifest.json` holds."""
        return {
            "digest": self.digest,
            "photographs_per_painting": self.photographs_per_painting,
            "photographs": [_entry(picture) | {"building": picture.source.building} for picture in self.photographs],
            "paintings": [_entry(picture) | {"movement": picture.source.group} for picture in self.paintings],
            "skipped": [list(entry) for entry in self.skipped],
        }


def make_manifest(
    data: Path | Sequence[Path], settings: EvaluationSettings, *, step: Callable[[str], None] | None = None
) -> Manifest:
    """Choose, open and digest the pictures of a judgement.

    The choice depends on the seed and the names alone. Photographs alternate between buildings and others where the
    data says which is which, paintings walk round their movements, so that a small choice still has its slices. A
    file that cannot be used is written down, and the next in line takes its place.

    Args:
        step: called with each picture's name before it is opened.

    Raises:
        DataError: no layout fits, or no photograph or no painting can be read.
    """
    pool = find_pictures(data)
    skipped: list[tuple[str, str]] = []
    photographs, again = _open_first(
        _in_turn(pool.photographs, settings.seed, lambda source: str(source.building)),
        settings.contents,
        settings,
        skipped,
        step,
    )
    paintings, repeated = _open_first(
        _in_turn(pool.paintings, settings.seed, lambda source: source.group), settings.styles, settings, skipped, step
    )
    for role, found in (("photograph", photographs), ("painting", paintings)):
        if not found:
            raise DataError(f"no {role} could be read; the first reason: {skipped[0][0]}: {skipped[0][1]}")
    key = json.dumps(
        {
            "short_side_px": settings.short_side_px,
            "photographs_per_painting": settings.photographs_per_painting,
            "photographs": [(picture.sha256, picture.boundaries_sha256) for picture in photographs],
            "paintings": [picture.sha256 for picture in paintings],
        }
    )
    return Manifest(
        photographs=tuple(photographs),
        paintings=tuple(paintings),
        skipped=tuple(skipped),
        duplicates=again + repeated,
        photographs_per_painting=settings.photographs_per_painting,
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
    sources: list[Source],
    wanted: int,
    settings: EvaluationSettings,
    skipped: list[tuple[str, str]],
    step: Callable[[str], None] | None,
) -> tuple[list[Picture], int]:
    """The first `wanted` that can be opened, and how many came twice. The same bytes count once."""
    opened: list[Picture] = []
    seen: dict[str, str] = {}
    duplicates = 0
    for source in sources:
        if len(opened) == wanted:
            break
        if step is not None:
            step(f"opening {source.name}")
        try:
            picture = _open(source, settings.short_side_px)
        except (PictureError, DataError, OSError) as error:
            skipped.append((source.name, str(error)))
            continue
        if picture.sha256 in seen:
            skipped.append((source.name, f"the same file as {seen[picture.sha256]}"))
            duplicates += 1
            continue
        seen[picture.sha256] = source.name
        opened.append(picture)
    return opened, duplicates


def _open(source: Source, short_side_px: int) -> Picture:
    blob = source.read_bytes()
    pixels = _at_judged_size(blob, short_side_px)
    drawn = "" if source.boundaries is None else hashlib.sha256(source.boundaries.read_bytes()).hexdigest()
    if source.boundaries is not None:
        read_boundaries(source.boundaries)  # a broken map is a reason to skip the photograph, like a broken picture
    return Picture(
        source=source,
        sha256=hashlib.sha256(blob).hexdigest(),
        short_side_px=short_side_px,
        shape=(pixels.shape[0], pixels.shape[1]),
        boundaries_sha256=drawn,
    )


@lru_cache(maxsize=PICTURES_IN_MEMORY)
def _judged_pixels(source: Source, sha256: str, short_side_px: int) -> Pixels:
    try:
        blob = source.read_bytes()
    except OSError as error:
        raise DataError(f"{source.path} was there and is gone ({error.strerror}); put it back") from error
    if hashlib.sha256(blob).hexdigest() != sha256:
        raise DataError(f"{source.path} changed while it was being judged; evaluate again")
    return _at_judged_size(blob, short_side_px)


@lru_cache(maxsize=PICTURES_IN_MEMORY)
def _drawn(path: Path) -> Boundaries:
    return read_boundaries(path)


def _at_judged_size(blob: bytes, short_side_px: int) -> Pixels:
    pixels = read_picture(blob, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
    return resize_short_side(_crop_scroll(pixels), short_side_px)


def _crop_scroll(pixels: Pixels) -> Pixels:
    """The middle of a picture longer than 4:1; any other unchanged."""
    height, width = pixels.shape[:2]
    longest = int(min(height, width) * MAX_ASPECT)
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    return pixels[top : top + min(height, longest), left : left + min(width, longest)]


def _entry(picture: Picture) -> dict[str, Any]:
    height, width = picture.shape
    entry: dict[str, Any] = {"name": picture.name, "sha256": picture.sha256, "width_px": width, "height_px": height}
    return entry | ({"boundaries_sha256": picture.boundaries_sha256} if picture.boundaries_sha256 else {})
