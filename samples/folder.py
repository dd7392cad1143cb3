"""The sample as a folder on disk, laid out like the data sets that it stands in for."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from samples.paintings import PAINTINGS, painting
from samples.photographs import PHOTOGRAPHS, photograph
from samples.scene import Pixels


def write_sample(folder: Path, *, short_side_px: int = 512) -> None:
    """Write every photograph and painting below `folder`; files already there are left alone.

    Photographs go to `photographs/<name>.png` at their own size, paintings to WikiArt's layout,
    `paintings/<Movement>/pentimento_<title>-2026.png`.
    A file appears whole or not at all: an interrupted run, or two
    at once, leave nothing half-written under its final name.

    Args:
        folder: made if missing.
        short_side_px: of the paintings, 16 to 4096.

    Raises:
        SampleError: a photograph is missing from the installed libraries, or the size is out of range.
    """
    for name in PHOTOGRAPHS:
        _write_once(folder / "photographs" / f"{name}.png", partial(photograph, name))
    for work in PAINTINGS:
        path = folder / "paintings" / work.movement / work.file_name
        _write_once(path, partial(painting, work.name, short_side_px=short_side_px))


def _write_once(path: Path, make: Callable[[], Pixels]) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        Image.fromarray(make()).save(aside, format="PNG")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
