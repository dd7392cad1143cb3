"""The red trees: colour set free of nature, broad strokes, bare outlines."""

import numpy as np

from samples.scene import Array, Point, Sheet, below, full, lay, lines, noise, palette, polygon, ramp, ridge
from samples.strokes import Brush, Canvas, blurred, cover, pick_out
from samples.surface import lit, woven


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1905)
    reference, flow = composition(sheet)
    canvas = Canvas(sheet, sheet.filled("#efe3c8"))
    broad = Brush(
        width=0.060, length=0.20, bristles=14, value_jitter=0.05, hue_jitter=0.045, taper=0.15, ragged=0.5, wobble=0.2
    )
    cover(canvas, reference, flow, broad, rng, spacing=0.75)
    middle = Brush(width=0.034, length=0.10, bristles=9, value_jitter=0.06, hue_jitter=0.05, taper=0.2, ragged=0.45)
    cover(canvas, reference, flow, middle, rng, spacing=1.0)
    wrong = np.clip(4 * np.abs(blurred(canvas.colour(), 0.008) - reference).mean(-1) - 0.3, 0, 1)
    pick_out(canvas, reference, wrong, rng, angle=0.9, size=0.016)
    homes = (np.abs(sheet.x - 0.68) < 0.25) * (sheet.y > 0.50) * (sheet.y < 0.71)
    pick_out(canvas, reference, full(sheet, homes.astype(np.float32)), rng, angle=1.4, size=0.010)
    contours(canvas, rng)
    return woven(lit(canvas.colour(), canvas.height(), depth=0.8), sheet, strength=0.025)


TRUNKS: tuple[tuple[Point, ...], ...] = (
    ((0.10, 1.02), (0.14, 0.72), (0.12, 0.45), (0.20, 0.20), (0.19, -0.02)),
    ((0.34, 1.02), (0.31, 0.75), (0.36, 0.48), (0.33, 0.22), (0.39, -0.02)),
    ((1.12, 1.02), (1.09, 0.78), (1.14, 0.50), (1.06, 0.25), (1.10, -0.02)),
)
BRANCHES: tuple[tuple[Point, ...], ...] = (
    ((0.13, 0.50), (0.04, 0.30), (-0.02, 0.22)), ((0.34, 0.42), (0.47, 0.26), (0.60, 0.20)),
    ((0.16, 0.32), (0.26, 0.16), (0.27, 0.0)),
    ((1.12, 0.44), (0.98, 0.28), (0.88, 0.22)), ((1.08, 0.34), (1.20, 0.22), (1.28, 0.18)),
)  # fmt: skip
ROAD: tuple[Point, ...] = ((0.46, 1.02), (0.60, 0.80), (0.63, 0.68), (0.69, 0.68), (0.80, 0.80), (0.96, 1.02))


def composition(sheet: Sheet) -> tuple[Array, Array]:
    """The colours, and the direction of the brush in each field of colour."""
    picture = full(
        sheet,
        ramp(
            sheet.y + 0.08 * noise(sheet, 3, cell=0.2, stretch=2),
            [(0, "#1f9e9b"), (0.2, "#6cc7a0"), (0.36, "#f6d365"), (0.5, "#f79a55")],
        ),
    )
    flow = full(sheet, 0.25 + 0.5 * noise(sheet, 5, cell=0.5, octaves=1))
    mountain = (
        0.43 - 0.24 * np.exp(-(((sheet.x - 0.72) / 0.17) ** 2)) - 0.10 * np.exp(-(((sheet.x - 1.05) / 0.12) ** 2))
    )
    facet = np.sin((sheet.x - 0.72) * 26 + noise(sheet, 9, cell=0.2) * 3)
    lay(
        picture,
        below(mountain - sheet.y),
        full(sheet, ramp(facet, [(-1, "#3b2f8f"), (-0.1, "#5a4fc0"), (0.2, "#e0559a"), (1, "#f08bb0")])),
    )
    flow = np.where(mountain < sheet.y, np.where(sheet.x < 0.72, -0.95, 0.95), flow)
    bands = (
        (11, 0.50, 0.05, "#2d7d46", 0.1), (12, 0.58, 0.05, "#f2c230", -0.25), (13, 0.66, 0.04, "#35a7a0", 0.2),
        (14, 0.74, 0.04, "#ef6f3c", -0.15), (15, 0.86, 0.04, "#3f9b4b", 0.35),
    )  # fmt: skip
    for seed, base, height, shade, angle in bands:
        edge = ridge(sheet, seed, base=base, height=height, cell=0.5, octaves=2)
        lay(picture, below(edge - sheet.y), shade)
        flow = np.where(edge < sheet.y, angle, flow)
    lay(picture, polygon(sheet, ROAD), "#f3a6b8")
    flow = np.where(polygon(sheet, ROAD) > 0.5, 1.2, flow)
    cottage(picture, sheet, (0.82, 0.60), 1.1, "#fff6e0", "#d92f2f")
    cottage(picture, sheet, (0.53, 0.59), 0.85, "#f5d0a0", "#2b3f9e")
    bark = ramp(noise(sheet, 21, cell=0.07), [(-0.5, "#8e1f3c"), (0.0, "#d9302c"), (0.5, "#f2662d")])
    lay(picture, lines(sheet, *TRUNKS, width=0.062), bark)
    lay(picture, lines(sheet, *BRANCHES, width=0.040), "#d9302c")
    flow = np.where(lines(sheet, *TRUNKS, width=0.07) > 0.5, 1.55, flow)
    leaves = np.clip((noise(sheet, 31, cell=0.12) - 0.15 - 1.4 * (sheet.y - 0.12)) * 9, 0, 1) * (
        np.abs(sheet.x - 0.68) > 0.16
    )
    green = ramp(noise(sheet, 33, cell=0.05), [(-0.5, "#0e5a50"), (0.1, "#2b8a3e"), (0.4, "#a8c83a"), (0.9, "#f5e04a")])
    lay(picture, leaves, green)
    return picture, flow.astype(np.float32)


def cottage(picture: Array, sheet: Sheet, at: Point, size: float, wall: str, roof: str) -> None:
    (x, y), s = at, 0.08 * size
    lay(
        picture,
        polygon(sheet, [(x - s, y - 0.2 * s), (x + s, y - 0.2 * s), (x + s, y + 0.9 * s), (x - s, y + 0.9 * s)]),
        wall,
    )
    lay(
        picture,
        polygon(
            sheet,
            [
                (x - 1.3 * s, y - 0.1 * s),
                (x - 0.6 * s, y - 1.1 * s),
                (x + 0.6 * s, y - 1.1 * s),
                (x + 1.3 * s, y - 0.1 * s),
            ],
        ),
        roof,
    )
    lay(picture, lines(sheet, [(x - 0.4 * s, y + 0.25 * s), (x - 0.4 * s, y + 0.6 * s)], width=0.3 * s), "#2b6fb0")
    lay(picture, lines(sheet, [(x + 0.45 * s, y + 0.2 * s), (x + 0.45 * s, y + 0.9 * s)], width=0.3 * s), "#1d5b4a")


def contours(canvas: Canvas, rng: np.random.Generator) -> None:
    """Loose dark drawing with the brush, beside the shapes rather than on them."""
    inks = palette("#15205c", "#4a1034", "#0f3b4a")
    for path in (*TRUNKS, *BRANCHES):
        for side in (-1, 1):
            reach = 0.035 if path in TRUNKS else 0.023
            dense = np.stack(
                [np.interp(np.linspace(0, len(path) - 1, 26), range(len(path)), [p[k] for p in path]) for k in (0, 1)],
                -1,
            )
            dense[:, 0] += side * reach + rng.normal(0, 0.003, 26)
            heading = np.gradient(dense, axis=0)
            for point, (dx, dy) in zip(dense, heading, strict=True):
                if rng.random() < 0.8:
                    flow = np.full((canvas.sheet.height_px, canvas.sheet.width_px), np.arctan2(dy, dx), np.float32)
                    brush = Brush(width=0.010 if path in TRUNKS else 0.0065, length=0.05, bristles=4, wobble=0.08)
                    canvas.stroke(point[None].astype(np.float32), inks[rng.integers(3)][None], flow, brush, rng)
