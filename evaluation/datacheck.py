"""What a data folder really holds: every picture opened once, its digest taken, what is broken or there twice named.

Pictures stream through one at a time; what stays in memory is one digest and one name for each.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.datasets import list_folder
from evaluation.errors import DataError
from evaluation.picture_names import name_key
from evaluation.sources import Listing, Source
from stylenet.errors import PictureError
from stylenet.pictures import MIN_SIDE_PX, read_picture

MAX_PIXELS = 128 * 2**20  # museum scans are far larger than what the service accepts, and are shrunk at once
MAX_BYTES = 256 * 2**20
Progress = Callable[[int, int, str], None]
"""(pictures done, pictures in all, what is being opened)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One picture as it is on disk; `problem` says why it cannot be used, empty where it can."""

    source: Source
    role: str
    sha256: str
    width_px: int
    height_px: int
    problem: str = ""

    def as_line(self) -> str:
        """One line of the manifest."""
        known: dict[str, Any] = {"name": self.source.name, "role": self.role, "split": self.source.split}
        known |= {"group": self.source.group, "sha256": self.sha256}
        known |= {"width_px": self.width_px, "height_px": self.height_px}
        if self.source.building is not None:
            known["building"] = self.source.building
        if self.source.boundaries is not None:
            known["boundaries"] = self.source.boundaries.name
        if self.problem:
            known["problem"] = self.problem
        return json.dumps(known, ensure_ascii=False) + "\n"


@dataclass(kw_only=True, slots=True)
class DataCheck:
    """What was seen.

    Args:
        layout: what the folder was recognised as.
        pictures: usable pictures by (role, split).
        groups: usable paintings by movement.
        unreadable: (name, reason).
        twice: groups of names with the same bytes within a split, or where there are no splits.
        across_splits: groups of (split, name) with the same bytes in two splits or more: what would be judged after it
            was trained on.
        same_name: groups of paths whose file names mean the same in two folders.
        with_boundaries: photographs with a human boundary map.
        notes: what did not fit.
        digest: sha256 over the digests of all usable pictures, sorted: the same digest, the same pictures.
    """

    layout: str
    pictures: Counter[tuple[str, str]] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    twice: list[tuple[str, ...]] = field(default_factory=list)
    across_splits: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    same_name: list[tuple[str, ...]] = field(default_factory=list)
    with_boundaries: int = 0
    notes: tuple[str, ...] = ()
    digest: str = ""

    @property
    def usable(self) -> int:
        """How many pictures can be judged or trained on."""
        return sum(self.pictures.values())

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        return {
            "layout": self.layout,
            "usable": self.usable,
            "pictures": [
                {"role": role, "split": split, "count": n} for (role, split), n in sorted(self.pictures.items())
            ],
            "groups": dict(sorted(self.groups.items())),
            "with_boundaries": self.with_boundaries,
            "unreadable": [list(each) for each in self.unreadable],
            "same_bytes": [list(each) for each in self.twice],
            "same_bytes_across_splits": [[list(place) for place in each] for each in self.across_splits],
            "same_name": [list(each) for each in self.same_name],
            "notes": list(self.notes),
            "digest": self.digest,
        }


def check_data(folder: Path, *, progress: Progress | None = None, manifest: Path | None = None) -> DataCheck:
    """Open every picture of every split of a folder.

    Args:
        folder: any layout that `evaluation.datasets` recognises.
        progress: called before each picture.
        manifest: where to write one JSON line for each picture (its sha256, size, role, split, what is wrong with it);
            written aside and renamed, so it is whole or not there.

    Raises:
        DataError: not a folder, or one without any picture.
    """
    listing = list_folder(folder)
    if not listing.sources():
        raise DataError(f"{folder} holds no pictures ({listing.layout}); docs/JUDGING.md lists the layouts")
    found = DataCheck(layout=listing.layout, notes=listing.notes)
    seen: dict[str, list[Source]] = {}
    lines = None if manifest is None else manifest.with_name(f".{manifest.name}.partial")
    if lines is not None:
        lines.parent.mkdir(parents=True, exist_ok=True)
    stream = None if lines is None else open(lines, "w", encoding="utf-8")  # noqa: SIM115  # closed below
    try:
        for entry in _entries(listing, progress):
            _take(entry, found, seen)
            if stream is not None:
                stream.write(entry.as_line())
    finally:
        if stream is not None:
            stream.close()
    if lines is not None and manifest is not None:
        lines.replace(manifest)
    _find_twins(found, seen)
    found.same_name = _same_names(listing)
    found.digest = hashlib.sha256("".join(sorted(seen)).encode()).hexdigest()
    return found


def open_entry(source: Source, role: str) -> Entry:
    """Digest and decode one picture; a broken one has its problem in words."""
    try:
        blob = source.read_bytes()
    except (OSError, DataError) as error:
        return Entry(source=source, role=role, sha256="", width_px=0, height_px=0, problem=str(error))
    sha256 = hashlib.sha256(blob).hexdigest()
    try:
        height, width = read_picture(blob, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES, min_side_px=MIN_SIDE_PX).shape[
            :2
        ]
    except PictureError as error:
        return Entry(source=source, role=role, sha256=sha256, width_px=0, height_px=0, problem=str(error))
    return Entry(source=source, role=role, sha256=sha256, width_px=width, height_px=height)


def _entries(listing: Listing, progress: Progress | None) -> Iterator[Entry]:
    total = len(listing.sources())
    roles = (("photograph", listing.photographs), ("painting", listing.paintings), ("picture", listing.plain))
    done = 0
    for role, sources in roles:
        for source in sources:
            if progress is not None:
                progress(done, total, source.name)
            done += 1
            yield open_entry(source, role)


def _take(entry: Entry, found: DataCheck, seen: dict[str, list[Source]]) -> None:
    source = entry.source
    if entry.problem:
        found.unreadable.append((source.name, entry.problem))
        return
    found.pictures[entry.role, source.split] += 1
    if source.group:
        found.groups[source.group] += 1
    found.with_boundaries += source.boundaries is not None
    seen.setdefault(entry.sha256, []).append(source)


def _find_twins(found: DataCheck, seen: dict[str, list[Source]]) -> None:
    for sources in seen.values():
        if len({source.split for source in sources}) > 1:
            found.across_splits.append(tuple((source.split, source.name) for source in sources))
        elif len(sources) > 1:
            found.twice.append(tuple(source.name for source in sources))


def _same_names(listing: Listing) -> list[tuple[str, ...]]:
    """File names that stand in two folders, as 1,349 of WikiArt's do: one painting under two styles."""
    if any(source.row is not None for source in listing.sources()):
        return []
    names: dict[str, list[str]] = {}
    for source in listing.sources():
        names.setdefault(name_key(source.name.rsplit("/", 1)[-1]), []).append(source.name)
    return [tuple(each) for each in names.values() if len(each) > 1]
