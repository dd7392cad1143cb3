"""Where pictures come from: folders in any of three layouts become photographs and paintings.

a folder with index.csv                      columns path, split, kind: the rows of split `test` are taken
a folder with photographs/ and paintings/    paintings/<Movement>/<artist>_<title>-<year>.png; movements optional
two plain folders                            the first holds photographs, the second paintings (WikiArt's layout fits)
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import DataError
from stylenet.pictures import SUFFIXES

TEST_SPLIT = "test"
PHOTO_FOLDERS = ("coco-sample", "photos-classic", "bsds500")
PAINTING_FOLDERS = ("wikiart-sample", "paintings-classic")
UNSORTED = "unsorted"
"""The movement of a painting whose folder names none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One picture file and what its data set says about it; not yet opened.

    Args:
        path: the file.
        name: how reports call it, unique within its role: the path below the data set's folder.
        group: a painting's movement, or `unsorted`; empty for a photograph.
        building: whether a photograph shows architecture; None where the data set does not say.
    """

    path: Path
    name: str
    group: str = ""
    building: bool | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """All that a data set offers."""

    photographs: tuple[Source, ...]
    paintings: tuple[Source, ...]


def find_pictures(data: Path | Sequence[Path]) -> Pool:
    """List the photographs and paintings of one or more folders, without opening any.

    Raises:
        DataError: a folder is missing, no layout fits, or one of the two roles stays empty.
    """
    folders = [data] if isinstance(data, Path) else list(data)
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; give a folder of pictures")
    plain = [folder for folder in folders if _layout(folder) is None]
    if plain and (len(plain) != 2 or len(folders) != 2):
        raise DataError(
            f"{plain[0]} has neither index.csv nor photographs/ and paintings/; give two folders, "
            "photographs first and paintings second"
        )
    pools = [_two_plain(*plain)] if plain else [_read(folder) for folder in folders]
    pool = Pool(
        tuple(source for each in pools for source in each.photographs),
        tuple(source for each in pools for source in each.paintings),
    )
    where = ", ".join(str(folder) for folder in folders)
    for role, sources in (("photographs", pool.photographs), ("paintings", pool.paintings)):
        if not sources:
            raise DataError(f"no {role} in {where}; pictures end in {', '.join(SUFFIXES)}")
    return pool


def _layout(folder: Path) -> str | None:
    if (folder / "index.csv").is_file():
        return "index"
    if (folder / "photographs").is_dir() and (folder / "paintings").is_dir():
        return "sample"
    return None


def _read(folder: Path) -> Pool:
    return (
        _read_index(folder) if _layout(folder) == "index" else _two_plain(folder / "photographs", folder / "paintings")
    )


def _two_plain(photographs: Path, paintings: Path) -> Pool:
    return Pool(
        tuple(
            Source(path=path, name=_name(path, photographs), building=_flag(path)) for path in _pictures(photographs)
        ),
        tuple(
            Source(path=path, name=_name(path, paintings), group=_group(path, paintings))
            for path in _pictures(paintings)
        ),
    )


def _pictures(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(path for path in found if not path.name.startswith("."))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _group(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else UNSORTED


def _flag(path: Path) -> bool | None:
    """A photograph in a folder called building/ or other/ says what it shows; any other says nothing."""
    return {"building": True, "buildings": True, "other": False}.get(path.parent.name.lower())


def _read_index(folder: Path) -> Pool:
    index = folder / "index.csv"
    photographs, paintings = [], []
    try:
        with open(index, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{index} cannot be read ({error}); it must be UTF-8 CSV with path, split, kind") from error
    for row in rows:
        name, kind = row.get("path") or "", row.get("kind")
        if row.get("split") != TEST_SPLIT or Path(name).suffix.lower() not in SUFFIXES:
            continue
        top = name.split("/")[0]
        if kind == "photo" and top in PHOTO_FOLDERS:
            flag = {"True": True, "False": False}.get(row.get("building") or "")
            photographs.append(Source(path=folder / name, name=name, building=flag))
        elif kind == "painting" and top in PAINTING_FOLDERS:
            paintings.append(Source(path=folder / name, name=name, group=row.get("style") or UNSORTED))
    return Pool(tuple(photographs), tuple(paintings))
