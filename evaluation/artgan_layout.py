"""WikiArt in the ArtGAN layout: `<Style>/<artist>_<title>-<year>.jpg`; CSV splits `path,class` without a header."""

import csv
from pathlib import Path

from evaluation.errors import DataError
from evaluation.picture_names import name_key, repair_name
from evaluation.sources import UNSORTED, Listing, Source, pictures_below

# fmt: off
STYLES = frozenset([
    "Abstract_Expressionism", "Action_painting", "Analytical_Cubism", "Art_Nouveau_Modern", "Baroque",
    "Color_Field_Painting", "Contemporary_Realism", "Cubism", "Early_Renaissance", "Expressionism", "Fauvism",
    "High_Renaissance", "Impressionism", "Mannerism_Late_Renaissance", "Minimalism", "Naive_Art_Primitivism",
    "New_Realism", "Northern_Renaissance", "Pointillism", "Pop_Art", "Post_Impressionism", "Realism", "Rococo",
    "Romanticism", "Symbolism", "Synthetic_Cubism", "Ukiyo_e",
])
# fmt: on
SPLITS = {"train": "train", "val": "val", "test": "test"}


def is_artgan(folder: Path) -> bool:
    """Whether a folder has the CSV splits, or two and more of WikiArt's style folders."""
    return bool(split_files(folder)) or sum(child.name in STYLES and child.is_dir() for child in folder.iterdir()) >= 2


def split_files(folder: Path) -> dict[str, Path]:
    """style_train.csv and style_val.csv in the folder, or in a folder of lists within or beside it; by split."""
    places = [folder, folder / "wikiart_csv", folder.parent / "wikiart_csv"]
    for prefix in ("style_", "wikiart_", ""):
        for place in places:
            found = {
                split: place / f"{prefix}{split}.csv" for split in SPLITS if (place / f"{prefix}{split}.csv").is_file()
            }
            if found:
                return found
    return {}


def list_artgan(folder: Path) -> Listing:
    """Every painting with its style and split; names in the lists and on disk are matched by what they mean.

    Raises:
        DataError: a list that cannot be read.
    """
    listed = {split: _read_list(path) for split, path in split_files(folder).items()}
    split_of = {name_key(name): split for split, names in listed.items() for name in names}
    missing = dict(split_of)
    paintings, unlisted, repaired = [], 0, 0
    for path in pictures_below(folder):
        raw = path.relative_to(folder).as_posix()
        name = repair_name(raw)
        repaired += name != raw
        split = split_of.get(name_key(raw), "unlisted" if listed else "")
        unlisted += split == "unlisted"
        missing.pop(name_key(raw), None)
        group = name.split("/")[0] if "/" in name else UNSORTED
        paintings.append(Source(path=path, name=name, group=group, split=split))
    notes = [
        f"{len(missing)} listed files are not on disk, for example {next(iter(missing), '')}" if missing else "",
        f"{unlisted} files are on disk and in no list" if unlisted else "",
        f"{repaired} names were encoded twice or otherwise damaged; reports show them repaired" if repaired else "",
    ]
    return Listing(
        layout="WikiArt in the ArtGAN layout" + (f" with lists ({', '.join(listed)})" if listed else ", without lists"),
        paintings=tuple(paintings),
        notes=tuple(note for note in notes if note),
    )


def _read_list(path: Path) -> list[str]:
    """The first column; the files have no header, and one that has is no harm: it names no picture."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return [row[0] for row in csv.reader(stream) if row and "." in row[0]]
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}); it must be CSV with path,class") from error
