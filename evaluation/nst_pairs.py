"""Gatys NST on a few pairs: slow, so its pictures are kept by digest."""

from collections.abc import Callable
from pathlib import Path

from evaluation.ledger import digest_of
from evaluation.measuring import Instruments, Scores
from evaluation.nst import paint_nst
from evaluation.pairs import Manifest, Picture
from evaluation.scoring import pair_key
from evaluation.settings import EvaluationSettings
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import read_picture, write_picture

Nst = dict[tuple[int, int], tuple[Pixels, Scores]]
"""Picture and scores by (photograph, painting)."""


def run_nst(
    manifest: Manifest, instruments: Instruments, settings: EvaluationSettings, folder: Path, say: Callable[[str], None]
) -> Nst:
    """Gatys NST on a few pairs, each of another photograph and another painting.

    Args:
        folder: where its pictures are kept.
        say: called before each pair.
    """
    found: Nst = {}
    for i, j in nst_places(manifest, settings.nst_pairs):
        photo, style = manifest.photographs[i], manifest.paintings[j]
        say(f"NST: {photo.name} as {style.name}")
        picture = _painted(photo, style, instruments, settings.nst_steps, folder)
        found[i, j] = (picture, instruments.measure([picture], photo, style))
    return found


def nst_places(manifest: Manifest, count: int) -> list[tuple[int, int]]:
    """The first judged pairs along the diagonal of photographs and paintings."""
    m, n = len(manifest.photographs), len(manifest.paintings)
    judged = set(manifest.pairs())
    diagonal = ((k % m, (k + k // m) % n) for k in range(m * n))
    found: dict[tuple[int, int], None] = {}
    for place in diagonal:
        if len(found) == count:
            break
        if place in judged:
            found[place] = None
    return list(found)


def _painted(photo: Picture, style: Picture, instruments: Instruments, steps: int, folder: Path) -> Pixels:
    path = folder / "nst" / f"{digest_of([pair_key(photo, style), instruments.key, steps])}.png"
    try:
        return read_picture(path)
    except PictureError:  # not there, or not whole: it is painted again
        picture = paint_nst(photo.pixels, style.pixels, instruments.extractor, steps=steps)
        write_picture(picture, path)
        return picture
