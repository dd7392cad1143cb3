"""The contact sheet: all paintings of a job at a glance, small, with their names."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from batch.tasks import SHEET_STEM
from stylenet.pictures import write_picture

COLUMNS, ROWS = 6, 8
_CELL_PX, _LINE_PX, _GAP_PX = 192, 18, 8
_NAME_LETTERS = 30
_PAPER, _INK = (250, 250, 248), (60, 60, 60)


def write_sheets(out: Path, names: Sequence[str]) -> list[Path]:
    """Write as many sheets as the paintings fill, contact-sheet-1.jpg and on; remove those of an earlier, longer job.

    Args:
        out: the output folder.
        names: of the paintings, in the order to show them.
    """
    step = COLUMNS * ROWS
    sheets = []
    for number, start in enumerate(range(0, len(names), step), start=1):
        path = out / f"{SHEET_STEM}-{number}.jpg"
        write_picture(np.asarray(_sheet(out, names[start : start + step])), path, quality=88)
        sheets.append(path)
    for leftover in out.glob(f"{SHEET_STEM}-*.jpg"):
        if leftover not in sheets:
            leftover.unlink()
    return sheets


def _sheet(out: Path, names: Sequence[str]) -> Image.Image:
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    width, height = _CELL_PX + _GAP_PX, _CELL_PX + _LINE_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * width + _GAP_PX, rows * height + _GAP_PX), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, name in enumerate(names):
        row, column = divmod(place, columns)
        left, top = _GAP_PX + column * width, _GAP_PX + row * height
        with Image.open(out / name) as picture:
            picture.draft("RGB", (2 * _CELL_PX, 2 * _CELL_PX))
            small = picture.convert("RGB")
        small.thumbnail((_CELL_PX, _CELL_PX))
        sheet.paste(small, (left + (_CELL_PX - small.width) // 2, top + (_CELL_PX - small.height) // 2))
        shown = name if len(name) <= _NAME_LETTERS else "…" + name[1 - _NAME_LETTERS :]
        draw.text((left, top + _CELL_PX + 3), shown, fill=_INK)
    return sheet
