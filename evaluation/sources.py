"""One picture of a data set before it is opened, and what a folder was found to hold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.errors import DataError
from stylenet.pictures import SUFFIXES

TEST_SPLITS = ("test", "val", "validation")
"""What is judged where a data set has splits, in this order."""
UNSORTED = "unsorted"
"""The movement of a painting whose folder names none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One picture and what its data set says about it; not yet opened.

    Args:
        path: the file.
        name: how reports call it, unique within its role: the (repaired) path below the data set's folder.
        group: a painting's movement, or `unsorted`; empty for a photograph.
        building: whether a photograph shows architecture; None where the data set does not say.
        split: train, val, test ...; empty where the data set has none.
        boundaries: the file with what people drew as the photograph's boundaries, where there is one.
        row: (row group, place in it) where the file is a parquet table.
    """

    path: Path
    name: str
    group: str = ""
    building: bool | None = None
    split: str = ""
    boundaries: Path | None = None
    row: tuple[int, int] | None = None

    def read_bytes(self) -> bytes:
        """The picture's file, or its cell of the table.

        Raises:
            DataError: the cell holds no picture.
            OSError: the file cannot be read.
        """
        if self.row is None:
            return self.path.read_bytes()
        from evaluation.parquet_layout import read_cell

        return read_cell(self.path, *self.row)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What one folder holds, of every split.

    Args:
        layout: what the folder was recognised as, in words.
        photographs, paintings: by role.
        plain: pictures of a folder that does not say which role they have.
        notes: what did not fit: listed files that are missing, files that no list names, repaired names.
        strict: only the split `test` may be judged, even where it is empty.
    """

    layout: str
    photographs: tuple[Source, ...] = ()
    paintings: tuple[Source, ...] = ()
    plain: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    strict: bool = False

    def sources(self) -> tuple[Source, ...]:
        """Everything, in one list."""
        return (*self.photographs, *self.paintings, *self.plain)

    def judged(self) -> "Listing":
        """The same without what may not be judged: pictures of a training split, where there is another one."""
        return replace(
            self,
            photographs=_judged_split(self.photographs, strict=self.strict),
            paintings=_judged_split(self.paintings, strict=self.strict),
        )


def _judged_split(sources: tuple[Source, ...], *, strict: bool) -> tuple[Source, ...]:
    splits = {source.split for source in sources}
    wanted = "test" if strict else next((split for split in TEST_SPLITS if split in splits), None)
    return sources if wanted is None else tuple(source for source in sources if source.split == wanted)


def pictures_below(folder: Path) -> list[Path]:
    """Every picture file below a folder, sorted; hidden files are left out."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give a folder of pictures")
    return sorted(path for path in files_below(folder) if path.suffix.lower() in SUFFIXES)


def files_below(folder: Path) -> Iterable[Path]:
    """Every file below a folder that is not hidden."""
    return (path for path in folder.rglob("*") if not path.name.startswith(".") and path.is_file())
