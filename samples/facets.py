"""Pictures made of pieces: cells, the seams between them, and rows of tiles that follow a shape."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure

from samples.scene import Array, Sheet, full

Labels = NDArray[np.int64]
contours: Callable[..., list[Array]] = measure.find_contours  # scikit-image does not say what it returns


def cells(sheet: Sheet, points: Array, *, flatten: float = 1.0) -> Labels:
    """(H, W) labels: which of `points` (S, 2) is nearest."""
    press = np.array([1, flatten], np.float32)
    grid = np.stack([full(sheet, sheet.x), full(sheet, sheet.y)], -1) * press
    return np.asarray(cKDTree(points * press).query(grid.reshape(-1, 2))[1].reshape(sheet.height_px, sheet.width_px))


def from_seams(labels: Labels) -> Array:
    """(H, W) field: distance to the nearest change of label, as a fraction of the height."""
    change = np.zeros(labels.shape, bool)
    change[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    change[1:, :] |= labels[1:, :] != labels[:-1, :]
    return np.asarray(ndimage.distance_transform_edt(~change) / labels.shape[0], np.float32)


def renumbered(*labels: Labels) -> Labels:
    """Pieces of all given divisions at once, numbered 0..K-1."""
    key = labels[0].astype(np.int64)
    for more in labels[1:]:
        key = key * (int(more.max()) + 1) + more
    return np.unique(key, return_inverse=True)[1].reshape(key.shape)


def tile_rows(region: NDArray[np.bool_], tile: float) -> tuple[Array, Array]:
    """Where tiles go when a mosaicist follows the outline of a region inwards, row by row.

    Args:
        region: (H, W), True inside.
        tile: side of a tile, a fraction of the height.

    Returns:
        Centres (S, 2) and directions (S,) in radians.
    """
    height = region.shape[0]
    # A border of "outside" would start rows along the edge of the picture, so the region is continued beyond it.
    depth = ndimage.distance_transform_edt(np.pad(region, 1, mode="edge"))[1:-1, 1:-1] / height
    depth = ndimage.gaussian_filter(depth, tile * height * 0.12)
    centres: list[Array] = []
    directions: list[Array] = []
    for level in np.arange(0.5, depth.max() / tile + 0.4) * tile:
        for contour in contours(depth, level):
            path = contour[:, ::-1] / height
            along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
            count = int(along[-1] / tile)
            if count < 1:
                continue
            places = (np.arange(count) + 0.5) * along[-1] / count
            centre = np.stack([np.interp(places, along, path[:, k]) for k in (0, 1)], -1)
            before = np.stack([np.interp(places - tile / 2, along, path[:, k]) for k in (0, 1)], -1)
            after = np.stack([np.interp(places + tile / 2, along, path[:, k]) for k in (0, 1)], -1)
            heading = after - before
            centres.append(centre.astype(np.float32))
            directions.append(np.arctan2(heading[:, 1], heading[:, 0]).astype(np.float32))
    if not centres:
        return np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
    return np.concatenate(centres), np.concatenate(directions)
