"""What is to be painted: a folder with all below it, a glob, a CSV list, or one picture, as tasks."""

import csv
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from batch.errors import ListError, NothingToPaint, TargetConflict
from stylenet.dials import DIAL_NAMES, Dials
from stylenet.errors import DialError
from stylenet.pictures import SUFFIXES

SHEET_STEM = "contact-sheet"
"""Names that begin so, in the output's top folder, are taken by the contact sheet."""
Format = Literal["same", "png", "jpeg", "webp"]
_SUFFIX_OF = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_WRITABLE = (".png", ".jpg", ".jpeg", ".webp")
_COLUMNS = {"picture", "style", "out", "keep_color", *DIAL_NAMES}
_YES_NO = {"": None, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to paint.

    Args:
        source: the photograph.
        name: of the painting, relative to the output folder, with forward slashes.
        style: a picture's path or a library name.
        dials: how.
    """

    source: Path
    name: str
    style: str
    dials: Dials


@dataclass(frozen=True, slots=True)
class Tasks:
    """What was found.

    Args:
        tasks: by name, each name once.
        ignored: files of a folder or glob that are no pictures by their suffix.
    """

    tasks: tuple[Task, ...]
    ignored: int


def find_tasks(source: str, out: Path, *, style: str | None, dials: Dials, picture_format: Format = "same") -> Tasks:
    """Everything that `source` names.

    Args:
        source: a folder (structure kept), a glob such as "shots/**/*.png", a .csv list, or a picture.
        out: the output folder; never searched for pictures.
        style: for every picture for which a list names none.
        dials: likewise.
        picture_format: of the paintings; "same" keeps each picture's own, PNG where it cannot be written.

    Raises:
        NothingToPaint, ListError: see there.
        TargetConflict: two paintings of one name, or the output folder is the input folder.
    """
    path = Path(source)
    ignored = 0
    if path.suffix.lower() == ".csv":
        tasks = list(_listed(path, style, dials))
    else:
        root, found = _found(path, out)
        pictures = [file for file in found if file.suffix.lower() in SUFFIXES or file == path]
        ignored = len(found) - len(pictures)
        if style is None:
            raise ListError(f"no style for {source}; give --style, or a CSV list with a column `style`")
        tasks = [Task(file, file.relative_to(root).as_posix(), style, dials) for file in pictures]
    if not tasks:
        raise NothingToPaint(f"{source}: no pictures there; they end in {', '.join(SUFFIXES)}")
    named = [replace(task, name=_with_suffix(task.name, picture_format)) for task in tasks]
    _refuse_conflicts(named, out)
    return Tasks(tuple(sorted(named, key=lambda task: task.name)), ignored)


def _found(path: Path, out: Path) -> tuple[Path, list[Path]]:
    """(what names are relative to, files) of a folder, a glob or a single file."""
    if path.is_dir():
        return path, list(_walk(path, out.resolve()))
    if path.is_file():
        return path.parent, [path]
    if not glob.has_magic(str(path)):
        raise NothingToPaint(f"{path}: no such folder or file; give a folder, a glob, a .csv list or a picture")
    fixed = []
    for part in path.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    files = (Path(name) for name in glob.glob(str(path), recursive=True))
    return Path(*fixed), [file for file in files if file.is_file() and out.resolve() not in file.resolve().parents]


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    """Files below a folder, without hidden ones and the output; folders behind links are not entered: they may loop."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in folders if Path(parent, name).resolve() != out]
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _listed(path: Path, style: str | None, dials: Dials) -> Iterator[Task]:
    """Tasks of a CSV list: `picture` and, where wanted, `style`, `out` and any dial; empty cells mean the default."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows, columns = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ListError(f"{path}: cannot be read as CSV ({error}); the first line names the columns") from error
    unknown = set(columns) - _COLUMNS
    if "picture" not in columns or unknown:
        wrong = f"unknown column {min(unknown)!r}" if unknown else "no column 'picture'"
        raise ListError(f"{path}: {wrong}; columns are picture, style, out, keep_color, {', '.join(DIAL_NAMES)}")
    for line, row in enumerate(rows, start=2):
        cells = {column: (row[column] or "").strip() for column in columns}
        yield _task_of(cells, path, line, style, dials)


def _task_of(cells: dict[str, str], path: Path, line: int, style: str | None, dials: Dials) -> Task:
    where = f"{path}, line {line}"
    if not cells["picture"]:
        raise ListError(f"{where}: no picture; write its path, relative to the list")
    source = path.parent / cells["picture"]
    wanted = cells.get("style") or style
    if not wanted:
        raise ListError(f"{where}: no style; fill in the column `style`, or give --style for all")
    beside = path.parent / wanted
    inside = PurePosixPath(Path(cells["picture"]).as_posix())
    name = cells.get("out") or (inside.name if inside.is_absolute() or ".." in inside.parts else inside.as_posix())
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ListError(f"{where}: out={name!r} leads out of the output folder; write a path inside it")
    return Task(source, name, str(beside) if beside.is_file() else wanted, _dials_of(cells, where, dials))


def _dials_of(cells: dict[str, str], where: str, dials: Dials) -> Dials:
    keep_color = _YES_NO.get(cells.get("keep_color", "").lower(), "?")
    if keep_color == "?":
        raise ListError(f"{where}: keep_color={cells['keep_color']!r}; write yes or no")
    changes: dict[str, float] = {} if keep_color is None else {"keep_color": bool(keep_color)}
    try:
        changes |= {name: float(cells[name]) for name in DIAL_NAMES if cells.get(name)}
        return replace(dials, **changes)  # type: ignore[arg-type]  # keep_color is the only bool
    except (ValueError, DialError) as error:
        raise ListError(f"{where}: {error}") from error


def _with_suffix(name: str, picture_format: Format) -> str:
    path = PurePosixPath(name)
    if picture_format == "same":
        return name if path.suffix.lower() in _WRITABLE else path.with_suffix(".png").as_posix()
    return path.with_suffix(_SUFFIX_OF[picture_format]).as_posix()


def _refuse_conflicts(tasks: Sequence[Task], out: Path) -> None:
    seen: dict[str, Task] = {}
    for task in tasks:
        twin = seen.setdefault(task.name.lower(), task)  # some file systems do not tell capitals
        if twin is not task:
            raise TargetConflict(
                f"{twin.source} and {task.source} would both become {task.name}; use a list with `out`"
            )
        if task.name.startswith(SHEET_STEM):
            raise TargetConflict(f"{task.source} would become {task.name}, the contact sheet's name; rename it")
        if (out / task.name).resolve() == task.source.resolve():
            raise TargetConflict(f"{task.source} would be overwritten by its painting; choose another output folder")
