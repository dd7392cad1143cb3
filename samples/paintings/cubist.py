"""Guitar, bottle and glass: one table seen from many places at once, in ochre, slate and umber."""

import numpy as np
from scipy import ndimage

from samples.facets import Labels, from_seams, renumbered
from samples.scene import Array, Sheet, away, below, curve, full, lay, lines, noise, polygon, ramp
from samples.strokes import Brush, Canvas, cover, missing_detail
from samples.surface import grained, lit

CUTS = 24


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1911)
    planes, slopes = facets(sheet, rng)
    count = int(planes.max()) + 1
    shown = shifted(still_life(sheet), planes, rng.normal(0, 0.022, (count, 2)))
    reference = shaded(sheet, shown, planes, rng)
    turn = rng.uniform(-0.5, 0.5, count) + rng.integers(0, 2, count) * np.pi / 2
    flow = turn[planes].astype(np.float32)
    canvas = Canvas(sheet, reference)
    dry = Brush(
        width=0.016,
        length=0.022,
        bristles=7,
        value_jitter=0.02,
        bristle_jitter=0.03,
        hue_jitter=0.01,
        taper=0.1,
        ragged=0.3,
        wobble=0.1,
    )
    cover(canvas, reference, flow, dry, rng, spacing=0.85)
    small = Brush(
        width=0.0075,
        length=0.014,
        bristles=4,
        value_jitter=0.02,
        bristle_jitter=0.025,
        hue_jitter=0.008,
        taper=0.1,
        wobble=0.1,
    )
    cover(canvas, reference, flow, small, rng, spacing=1.0, keep=missing_detail(canvas, reference, strength=9))
    picture = lit(canvas.colour(), canvas.height(), depth=0.55)
    edge = from_seams(planes)
    lay(picture, 0.80 * below(edge - 0.0020, 0.003) * np.clip(0.85 + slopes, 0.25, 1), "#1d1712")
    drawn = shifted(1 - outlines(sheet)[..., None], planes, rng.normal(0, 0.012, (count, 2)))[..., 0]
    lay(picture, 0.9 * (1 - drawn), "#15100d")
    return grained(picture, sheet, 5, strength=0.035)


def facets(sheet: Sheet, rng: np.random.Generator) -> tuple[Labels, Array]:
    """Straight cuts and two arcs divide the picture; and a field that makes each seam fade in and out."""
    sides: list[Labels] = []
    for k in range(CUTS):
        angle = rng.choice([0.35, 0.95, 1.2, 1.9, 2.2, 2.8]) + rng.normal(0, 0.13)
        centre = rng.uniform(0.12, 0.88, 2) * np.array([sheet.aspect, 1])
        side = np.sin(angle) * (sheet.x - centre[0]) - np.cos(angle) * (sheet.y - centre[1]) > 0
        # A cut stops at another, so that planes do not all become splinters.
        if k > 5:
            stop = sides[rng.integers(0, k)] > 0
            side = side & (stop if rng.random() < 0.5 else ~stop)
        sides.append(side.astype(np.int64))
    for centre, radius in (((0.40, 0.62), 0.27), ((0.82, 0.34), 0.22)):
        half = (sheet.y - centre[1]) > 0.4 * (sheet.x - centre[0])
        sides.append(((away(sheet, centre) < radius) & half).astype(np.int64))
    planes = renumbered(*sides)
    small = np.bincount(planes.ravel()) < 0.0008 * planes.size
    if small.any():  # splinters join whatever lies next to them
        nearest = ndimage.distance_transform_edt(small[planes], return_distances=False, return_indices=True)
        planes = renumbered(planes[tuple(nearest)])
    return planes, 0.9 * noise(sheet, 6, cell=0.2, octaves=2)


def shifted(picture: Array, planes: Labels, moves: Array) -> Array:
    """Each plane looks at the scene from a place of its own."""
    h, w = planes.shape
    moves_px = np.rint(moves * h).astype(int)
    rows = np.clip(np.arange(h)[:, None] + moves_px[planes, 1], 0, h - 1)
    columns = np.clip(np.arange(w)[None, :] + moves_px[planes, 0], 0, w - 1)
    return np.asarray(picture[rows, columns])


def shaded(sheet: Sheet, picture: Array, planes: Labels, rng: np.random.Generator) -> Array:
    """Every plane turns from light at one of its edges to dark at the other."""
    count = int(planes.max()) + 1
    angle = rng.uniform(0, 2 * np.pi, count)
    across = sheet.x * np.cos(angle)[planes] + sheet.y * np.sin(angle)[planes]
    low = ndimage.minimum(across, planes, np.arange(count))[planes]
    high = ndimage.maximum(across, planes, np.arange(count))[planes]
    t = (across - low) / (high - low + 1e-6)
    shade = 0.48 + 0.92 * t**1.2
    cast = np.array([[1.06, 1.0, 0.88], [0.86, 0.98, 1.12], [1.14, 0.97, 0.80]])[rng.integers(0, 3, count)][planes]
    return np.asarray(picture * shade[..., None] * cast, np.float32)


def still_life(sheet: Sheet) -> Array:
    picture = full(
        sheet,
        ramp(
            sheet.y + 0.15 * noise(sheet, 2, cell=0.3),
            [(0, "#6f8a94"), (0.3, "#a9a893"), (0.6, "#c9a873"), (1, "#6b4a2e")],
        ),
    )
    table = polygon(sheet, [(0.02, 0.66), (1.23, 0.58), (1.27, 0.92), (0.0, 1.02)])
    lay(
        picture,
        table,
        full(
            sheet,
            ramp(
                np.sin(sheet.y * 120 + 6 * noise(sheet, 3, cell=0.3, stretch=4)) + 0 * sheet.x,
                [(-1, "#8f5a2e"), (1, "#c98f4f")],
            ),
        ),
    )
    paper = polygon(sheet, [(0.74, 0.66), (1.14, 0.60), (1.18, 0.84), (0.80, 0.90)])
    lay(
        picture,
        paper,
        full(
            sheet,
            ramp(np.sign(np.sin((sheet.y + 0.15 * sheet.x) * 230)) + 0 * sheet.x, [(-1, "#e8dfc6"), (1, "#8f8872")]),
        ),
    )
    body = polygon(sheet, guitar())
    lay(
        picture,
        body,
        full(sheet, ramp(away(sheet, (0.36, 0.62)), [(0, "#f4cf86"), (0.2, "#e0a04a"), (0.35, "#b5622a")])),
    )
    lay(picture, polygon(sheet, [(0.46, 0.47), (0.52, 0.52), (0.83, 0.12), (0.79, 0.07)]), "#3a2a20")
    lay(picture, below(away(sheet, (0.43, 0.56)) - 0.072), "#1f1712")
    lay(
        picture,
        polygon(sheet, bottle()),
        full(sheet, ramp(sheet.x + 0 * sheet.y, [(0.86, "#1f4a3a"), (0.93, "#7fc0a0"), (1.03, "#173a30")])),
    )
    lay(picture, polygon(sheet, [(0.875, 0.44), (1.005, 0.44), (1.005, 0.56), (0.875, 0.56)]), "#e6d6ac")
    lay(picture, polygon(sheet, [(0.60, 0.62), (0.74, 0.62), (0.715, 0.78), (0.625, 0.78)]), "#b9c3bd")
    return picture


def guitar() -> list[tuple[float, float]]:
    return curve(
        [
            (0.53, 0.36),
            (0.62, 0.47),
            (0.56, 0.60),
            (0.56, 0.74),
            (0.45, 0.90),
            (0.24, 0.91),
            (0.11, 0.77),
            (0.17, 0.60),
            (0.30, 0.52),
            (0.38, 0.39),
        ],
        closed=True,
    )


def bottle() -> list[tuple[float, float]]:
    return (
        curve([(0.915, 0.12), (0.965, 0.12)], steps=2)
        + curve([(0.965, 0.14), (0.968, 0.26), (1.01, 0.36), (1.015, 0.68)])
        + curve([(0.865, 0.68), (0.87, 0.36), (0.912, 0.26), (0.915, 0.14)])
    )


def outlines(sheet: Sheet) -> Array:
    """The drawing that holds the planes together."""
    strings = [[(0.27 + d, 0.77 + d), (0.80 + d, 0.11 + d)] for d in (-0.012, 0.0, 0.012)]
    bold = lines(sheet, [*guitar(), guitar()[0]], [*bottle(), bottle()[0]], width=0.0055)
    fine = lines(sheet, *strings, [(0.60, 0.62), (0.74, 0.62), (0.715, 0.78), (0.625, 0.78), (0.60, 0.62)], width=0.003)
    hole = below(np.abs(away(sheet, (0.43, 0.56)) - 0.086) - 0.0015, 0.003)
    scroll = lines(sheet, curve([(0.80, 0.12), (0.85, 0.08), (0.84, 0.03), (0.79, 0.04), (0.80, 0.075)]), width=0.006)
    return np.clip(bold + fine + hole + scroll, 0, 1)
