"""Pairs that INT8 is calibrated on and checked with: real pictures from two folders, or the embedded sample."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime.errors import QuantisationRefused
from runtime.quantising import Pair
from samples import PAINTINGS, PHOTOGRAPHS, painting, photograph
from stylenet.images import Pixels
from stylenet.pictures import SUFFIXES, read_picture, resize_short_side

PAIRS = 16  # half for calibration, half for the check
SIDE_PX = 160


def read_pairs(photos: Path | None, paintings: Path | None) -> tuple[list[Pair], list[Pair]]:
    """Pairs for calibration, and others for the check; the same ones every time.

    Args:
        photos, paintings: folders, read with everything below them; the embedded sample where None.

    Raises:
        QuantisationRefused: fewer than two pictures in one of them.
    """
    contents = _of_folder(photos) if photos else [photograph(name) for name in PHOTOGRAPHS]
    styles = _of_folder(paintings) if paintings else [painting(one.name, short_side_px=256) for one in PAINTINGS]
    count = min(PAIRS, 2 * min(len(contents), len(styles)))
    pairs = [
        Pair(
            resize_short_side(contents[i % len(contents)], SIDE_PX), resize_short_side(styles[i % len(styles)], SIDE_PX)
        )
        for i in range(count)
    ]
    return pairs[0::2], pairs[1::2]


def _of_folder(folder: Path) -> Sequence[Pixels]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(paths) < 2:
        raise QuantisationRefused(f"{folder} holds {len(paths)} pictures; INT8 is calibrated on 2 or more of each kind")
    chosen = np.random.default_rng(0).choice(len(paths), size=min(PAIRS, len(paths)), replace=False)
    return [read_picture(paths[place]) for place in chosen]
