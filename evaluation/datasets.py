"""Where pictures come from: each folder's layout is recognised, and its pictures become photographs and paintings.

index.csv                                columns path, split, kind: the rows of split `test` are taken
photographs/ and paintings/<Movement>/   the embedded sample's own layout; movements optional
BSDS500                                  images/ beside boundaries/ (pictures) or groundTruth/ (.mat): photographs
COCO                                     val2017/, test2017/, train2017/: photographs
WikiArt (ArtGAN)                         <Style>/<artist>_<title>-<year>.jpg, CSV splits: paintings
Hugging Face                             *.parquet with a column `image`: paintings where there is a column `style`
any other folder                         its role is the one that is missing; of two, photographs come first
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.artgan_layout import is_artgan, list_artgan
from evaluation.errors import DataError
from evaluation.parquet_layout import list_parquet, parquet_files
from evaluation.picture_names import repair_name
from evaluation.sources import TEST_SPLITS, UNSORTED, Listing, Source, pictures_below
from stylenet.pictures import SUFFIXES

__all__ = ["UNSORTED", "Pool", "Source", "find_pictures", "list_folder"]

PHOTO_FOLDERS = ("coco-sample", "photos-classic", "bsds500")
PAINTING_FOLDERS = ("wikiart-sample", "paintings-classic")
_COCO = re.compile(r"(train|val|test|unlabeled)20\d\d")


@dataclass(frozen=True, slots=True)
class Pool:
    """All that a data set offers for judging."""

    photographs: tuple[Source, ...]
    paintings: tuple[Source, ...]


def find_pictures(data: Path | Sequence[Path]) -> Pool:
    """List what may be judged of one or more folders, without opening any picture.

    Where a data set has splits, `test` is taken, else `val`, else what there is.

    Raises:
        DataError: a folder is missing, its role cannot be told, or one of the two roles stays empty.
    """
    folders = [data] if isinstance(data, Path) else list(data)
    listings = _give_roles([list_folder(folder).judged() for folder in folders], folders)
    pool = Pool(
        tuple(source for each in listings for source in each.photographs),
        tuple(source for each in listings for source in each.paintings),
    )
    where = ", ".join(str(folder) for folder in folders)
    for role, sources in (("photographs", pool.photographs), ("paintings", pool.paintings)):
        if not sources:
            raise DataError(f"no {role} in {where}; pictures end in {', '.join(SUFFIXES)}")
    return pool


def list_folder(folder: Path) -> Listing:
    """What one folder holds, of every split.

    Raises:
        DataError: not a folder, or a list or table in it that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give a folder of pictures")
    if (folder / "index.csv").is_file():
        return _list_index(folder)
    if (folder / "photographs").is_dir() and (folder / "paintings").is_dir():
        return _list_sample(folder)
    if parquet_files(folder):
        return list_parquet(folder)
    if (bsds := _bsds_root(folder)) is not None:
        return _list_bsds(bsds)
    if any(_COCO.fullmatch(child.name) for child in folder.iterdir() if child.is_dir()):
        return _list_coco(folder)
    return list_artgan(folder) if is_artgan(folder) else _list_plain(folder)


def _give_roles(listings: list[Listing], folders: list[Path]) -> list[Listing]:
    """A plain folder takes the role that nobody else has; two of them are photographs and paintings, in this order."""
    plain = [k for k, listing in enumerate(listings) if listing.plain or not listing.sources()]
    has_photographs = any(listing.photographs for listing in listings)
    has_paintings = any(listing.paintings for listing in listings)
    roles = {
        (2, False, False): ["photographs", "paintings"],
        (1, False, True): ["photographs"],
        (1, True, False): ["paintings"],
    }.get((len(plain), has_photographs, has_paintings), [])
    if len(roles) != len(plain):
        raise DataError(
            f"{folders[plain[0]]} does not say whether it holds photographs or paintings; give two folders, "
            "photographs first and paintings second (docs/JUDGING.md lists the layouts)"
        )
    named = dict(zip(plain, roles, strict=True))
    return [_as_role(listing, named[k]) if k in named else listing for k, listing in enumerate(listings)]


def _as_role(listing: Listing, role: str) -> Listing:
    if role == "paintings":
        return Listing(layout=listing.layout, paintings=listing.plain)
    photographs = tuple(
        Source(path=source.path, name=source.name, building=_shows_building(source.path)) for source in listing.plain
    )
    return Listing(layout=listing.layout, photographs=photographs)


def _list_plain(folder: Path) -> Listing:
    sources = tuple(
        Source(path=path, name=_name(path, folder), group=_group(path, folder)) for path in pictures_below(folder)
    )
    return Listing(layout="a plain folder", plain=sources)


def _list_sample(folder: Path) -> Listing:
    photographs, paintings = _list_plain(folder / "photographs"), _list_plain(folder / "paintings")
    return Listing(
        layout="photographs/ and paintings/",
        photographs=_as_role(photographs, "photographs").photographs,
        paintings=paintings.plain,
    )


def _bsds_root(folder: Path) -> Path | None:
    """Where images/ and the human boundaries lie: here, or in BSDS500's own data/."""
    for root in (folder, folder / "data", folder / "BSDS500" / "data"):
        if (root / "images").is_dir() and ((root / "boundaries").is_dir() or (root / "groundTruth").is_dir()):
            return root
    return None


def _list_bsds(root: Path) -> Listing:
    images = root / "images"
    photographs = []
    for path in pictures_below(images):
        top = path.relative_to(images).parts[0]
        split = top if top in (*TEST_SPLITS, "train") else ""
        photographs.append(
            Source(path=path, name=_name(path, images), split=split, boundaries=_boundaries(root, path, images))
        )
    with_map = sum(source.boundaries is not None for source in photographs)
    return Listing(
        layout="BSDS500 with human boundaries",
        photographs=tuple(photographs),
        notes=() if with_map == len(photographs) else (f"{len(photographs) - with_map} have no boundary map",),
    )


def _boundaries(root: Path, path: Path, images: Path) -> Path | None:
    """The boundary map of images/test/a.jpg: boundaries/test/a.png, or groundTruth/test/a.mat."""
    below = path.relative_to(images)
    candidates = (root / "boundaries" / below.with_suffix(".png"), root / "groundTruth" / below.with_suffix(".mat"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _list_coco(folder: Path) -> Listing:
    photographs = []
    for child in sorted(folder.iterdir()):
        match = _COCO.fullmatch(child.name)
        if match is not None:
            photographs += [Source(path=p, name=_name(p, folder), split=match[1]) for p in pictures_below(child)]
    return Listing(layout="COCO", photographs=tuple(photographs))


def _name(path: Path, folder: Path) -> str:
    return repair_name(path.relative_to(folder).as_posix())


def _group(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).parts
    return repair_name(parts[0]) if len(parts) > 1 else UNSORTED


def _shows_building(path: Path) -> bool | None:
    """A photograph in a folder called building/ or other/ says what it shows; any other says nothing."""
    return {"building": True, "buildings": True, "other": False}.get(path.parent.name.lower())


def _list_index(folder: Path) -> Listing:
    index = folder / "index.csv"
    photographs, paintings = [], []
    try:
        with open(index, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{index} cannot be read ({error}); it must be UTF-8 CSV with path, split, kind") from error
    for row in rows:
        name, kind, split = row.get("path") or "", row.get("kind"), row.get("split") or ""
        if Path(name).suffix.lower() not in SUFFIXES:
            continue
        top, path = name.split("/")[0], folder / name
        if kind == "photo" and top in PHOTO_FOLDERS:
            flag = {"True": True, "False": False}.get(row.get("building") or "")
            drawn = _boundaries(folder / top, path, folder / top / "images") if "/images/" in name else None
            photographs.append(Source(path=path, name=name, building=flag, split=split, boundaries=drawn))
        elif kind == "painting" and top in PAINTING_FOLDERS:
            paintings.append(Source(path=path, name=name, group=row.get("style") or UNSORTED, split=split))
    return Listing(
        layout="a folder with index.csv", photographs=tuple(photographs), paintings=tuple(paintings), strict=True
    )
