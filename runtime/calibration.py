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
    contents = read_some(_below(photos)) if photos else [photograph(name) for name in PHOTOGRAPHS]
    styles = read_some(_below(paintings)) if paintings else [painting(one.name, short_side_px=256) for one in PAINTINGS]
    return make_pairs(contents, styles)


def make_pairs(contents: Sequence[Pixels], styles: Sequence[Pixels]) -> tuple[list[Pair], list[Pair]]:
    """Each photograph in a style, small; every second pair is kept for the check."""
    count = min(PAIRS, 2 * min(len(contents), len(styles)))
    pairs = [
        Pair(
            resize_short_side(contents[i % len(contents)], SIDE_PX), resize_short_side(styles[i % len(styles)], SIDE_PX)
        )
        for i in range(count)
    ]
    return pairs[0::2], pairs[1::2]


def read_some(paths: Sequence[Path]) -> list[Pixels]:
    """As many of these pictures as pairs need, the same ones every time.

    Raises:
        QuantisationRefused: fewer than two paths.
    """
    if len(paths) < 2:
        raise QuantisationRefused(f"{len(paths)} pictures to calibrate INT8 on; it takes 2 or more of each kind")
    chosen = np.random.default_rng(0).choice(len(paths), size=min(PAIRS, len(paths)), replace=False)
    return [read_picture(paths[place]) for place in chosen]


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
