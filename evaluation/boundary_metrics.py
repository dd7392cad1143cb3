"""How much of what people drew as boundaries a picture still shows: recall against BSDS500's human boundary maps.

Arbelaez et al. 2011 match machine boundaries to human ones within a small distance; so do we, one way only: what a
painting adds is its strokes, and those are judged elsewhere. The unedited photograph's own recall is the ceiling.
Letters: N batch, H height, W width, K boundary pixels.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.content_metrics import Views, views_of
from evaluation.errors import DataError

HOW = (
    "share of the human boundary pixels (weighted by how many people drew them) within 0.75 % of the diagonal of a "
    "Canny edge; only where the data has boundary maps"
)


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """What people drew on one photograph, whatever size it is judged at.

    Args:
        rows: (K,) 0..1, from the top edge to the bottom edge.
        columns: (K,) 0..1, from left to right.
        weights: (K,) 0..1: the share of people who drew it.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    weights: NDArray[np.float64]

    @staticmethod
    def from_map(drawn: NDArray[np.float64]) -> "Boundaries":
        """From a map (H, W), 0..1: the share of people who drew a boundary through each pixel."""
        rows, columns = np.nonzero(drawn > 0)
        height, width = drawn.shape
        return Boundaries((rows + 0.5) / height, (columns + 0.5) / width, drawn[rows, columns].astype(np.float64))

    def places(self, height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where they lie in a picture of that size."""
        rows = np.minimum((self.rows * height).astype(np.intp), height - 1)
        columns = np.minimum((self.columns * width).astype(np.intp), width - 1)
        return rows, columns


def boundary_recall(image: Tensor | Views, boundaries: Boundaries) -> Tensor:
    """The weighted share of human boundaries that lie near a Canny edge of the picture.

    Args:
        image: (N, 3, H, W), -1..1, or views of it.
        boundaries: of the photograph that the pictures were painted from.

    Returns:
        (N,) 0..1; NaN where nobody drew anything.
    """
    near = views_of(image).near_outlines
    rows, columns = boundaries.places(*near.shape[1:])
    total = boundaries.weights.sum()
    scores = [float(boundaries.weights[each[rows, columns]].sum() / total) if total > 0 else np.nan for each in near]
    return torch.tensor(scores, dtype=torch.float32)


def read_boundaries(path: Path) -> Boundaries:
    """A boundary map: a grey picture (white: everybody drew it), or BSDS500's own .mat with one map a person.

    Raises:
        DataError: no boundary map that we can read.
    """
    try:
        drawn = _read_mat(path) if path.suffix.lower() == ".mat" else _read_grey(path)
    except Exception as error:  # scipy's and Pillow's readers raise nearly anything on broken files
        raise DataError(f"{path} is no boundary map ({error}); use a grey picture or BSDS500's .mat") from error
    return Boundaries.from_map(drawn)


def _read_grey(path: Path) -> NDArray[np.float64]:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), dtype=np.float64) / 255.0


def _read_mat(path: Path) -> NDArray[np.float64]:
    from scipy.io import loadmat

    people = loadmat(path)["groundTruth"].ravel()
    maps = [np.asarray(person["Boundaries"][0, 0], dtype=np.float64) for person in people]
    return np.mean(maps, axis=0)
