"""Hugging Face's parquet layout: tables with a column `image` of {bytes, path}, and the labels beside it."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.errors import DataError
from evaluation.picture_names import repair_name
from evaluation.sources import UNSORTED, Listing, Source

if TYPE_CHECKING:
    import pyarrow.parquet as pq

IMAGE, STYLE = "image", "style"
OPEN_FILES = 8


def parquet_files(folder: Path) -> list[Path]:
    """The tables of a folder, or of its data/."""
    return sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])


def list_parquet(folder: Path) -> Listing:
    """Every row's picture: a painting where the table has a column `style`, else a photograph. No picture is read.

    Raises:
        DataError: a table that cannot be read, or has no pictures.
    """
    photographs: list[Source] = []
    paintings: list[Source] = []
    for path in parquet_files(folder):
        rows, is_painting = _list_table(path, folder)
        (paintings if is_painting else photographs).extend(rows)
    return Listing(layout="Hugging Face parquet tables", photographs=tuple(photographs), paintings=tuple(paintings))


def read_cell(path: Path, group: int, place: int) -> bytes:
    """The picture of one row.

    Raises:
        DataError: the cell is empty.
    """
    column = _open(path).read_row_group(group, columns=[f"{IMAGE}.bytes"]).column(IMAGE)
    blob = column[place].as_py().get("bytes")
    if not blob:
        raise DataError(f"{path}: row {place} of row group {group} holds no picture bytes; fetch the table again")
    return bytes(blob)


@lru_cache(maxsize=OPEN_FILES)
def _open(path: Path) -> "pq.ParquetFile":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a parquet table ({error}); fetch it again") from error


def _list_table(path: Path, folder: Path) -> tuple[list[Source], bool]:
    table = _open(path)
    if IMAGE not in table.schema_arrow.names:
        raise DataError(f"{path} has no column {IMAGE!r} (has: {', '.join(table.schema_arrow.names)})")
    is_painting = STYLE in table.schema_arrow.names
    labels = _label_names(table.schema_arrow.metadata, STYLE)
    split = path.name.split("-")[0].split(".")[0]
    sources = []
    for group in range(table.num_row_groups):
        columns = table.read_row_group(group, columns=[f"{IMAGE}.path", *([STYLE] if is_painting else [])])
        names = [cell.get("path") if cell else None for cell in columns.column(IMAGE).to_pylist()]
        styles = columns.column(STYLE).to_pylist() if is_painting else [None] * len(names)
        for place, (name, style) in enumerate(zip(names, styles, strict=True)):
            row = f"{path.relative_to(folder).as_posix()}#{group}.{place}"
            label = row if not name else f"{row} {repair_name(name)}"
            movement = _label(style, labels) if is_painting else ""
            sources.append(Source(path=path, name=label, group=movement, split=split, row=(group, place)))
    return sources, is_painting


def _label(value: Any, names: list[str]) -> str:
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return str(value) if value is not None else UNSORTED


def _label_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str]:
    """The words behind a label column's numbers, as the `datasets` library keeps them in the schema."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (ValueError, KeyError, TypeError):
        return []
