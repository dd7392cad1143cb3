"""Night over the village: long strokes that wind around every star."""

import numpy as np

from samples.scene import Array, Point, Sheet, away, below, full, lay, noise, palette, polygon, ramp, ridge
from samples.strokes import Brush, Canvas, cover, missing_detail, pick_out
from samples.surface import lit, varnished, woven

MOON: Point = (1.04, 0.17)
STARS: tuple[tuple[float, float, float], ...] = (
    (0.13, 0.12, 0.030), (0.36, 0.07, 0.022), (0.45, 0.33, 0.026), (0.62, 0.13, 0.024), (0.80, 0.09, 0.019),
    (0.86, 0.38, 0.028), (1.15, 0.43, 0.020), (0.20, 0.42, 0.021),
)  # fmt: skip
VORTICES: tuple[tuple[float, float, float, float], ...] = (  # x, y, reach, sense
    (0.56, 0.27, 0.17, 1.0),
    (0.79, 0.33, 0.11, -1.0),
    (0.28, 0.25, 0.12, -1.0),
)

CYPRESSES = ((0.17, 0.13, 0.085), (0.285, 0.45, 0.05))  # x, top, half width


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1889)
    reference = composition(sheet)
    flow = wind(sheet)
    canvas = Canvas(sheet, reference * 0.6)
    cover(canvas, reference, flow, Brush(width=0.034, length=0.17, bristles=6, wobble=0.06, value_jitter=0.10), rng)
    ribbon = Brush(width=0.017, length=0.12, bristles=4, wobble=0.05, value_jitter=0.15, hue_jitter=0.035, taper=0.8)
    cover(canvas, reference, flow, ribbon, rng, spacing=1.15)
    fine = Brush(width=0.010, length=0.045, bristles=3, wobble=0.05, value_jitter=0.08)
    cover(canvas, reference, flow, fine, rng, spacing=0.9, keep=missing_detail(canvas, reference, strength=4))
    pick_out(canvas, reference, houses(sheet), rng, angle=1.5, size=0.0065)
    drawing(canvas, rng)
    return varnished(woven(lit(canvas.colour(), canvas.height(), depth=1.2), sheet), sheet)


def hills(sheet: Sheet) -> tuple[Array, Array]:
    far = ridge(sheet, 12, base=0.60, height=0.09, cell=0.5, octaves=3) - 0.10 * np.exp(
        -(((sheet.x - 1.05) / 0.25) ** 2)
    )
    near = ridge(sheet, 15, base=0.76, height=0.06, cell=0.45, octaves=3)
    return far, near


def composition(sheet: Sheet) -> Array:
    bands = noise(sheet, 2, cell=0.09, stretch=3.0, octaves=3)
    picture = full(
        sheet, ramp(sheet.y + 0.10 * bands, [(0, "#132a6b"), (0.25, "#24509e"), (0.45, "#4f86bd"), (0.62, "#a8c9b8")])
    )
    for x, y, reach, _ in VORTICES:
        around = away(sheet, (x, y))
        swirl = np.exp(-((around / reach) ** 2)) * (0.5 + 0.5 * np.cos(around * 130))
        lay(picture, 0.75 * swirl, "#d9e6d0")
    for x, y, size in STARS:
        halo(picture, sheet, (x, y), size)
    halo(picture, sheet, MOON, 0.062)
    crescent = below(away(sheet, MOON) - 0.058) * (1 - below(away(sheet, (MOON[0] - 0.034, MOON[1] - 0.012)) - 0.05))
    lay(picture, crescent, "#f08c1e")
    far, near = hills(sheet)
    lay(
        picture,
        below(far - sheet.y),
        full(sheet, ramp(sheet.y - far, [(0, "#3a63a0"), (0.05, "#27477f"), (0.2, "#1c3560")])),
    )
    village(picture, sheet)
    field = ramp(
        noise(sheet, 19, cell=0.06, stretch=2.5) + 0 * near, [(-0.7, "#122b3a"), (0, "#23513f"), (0.7, "#5d8048")]
    )
    lay(picture, below(near - sheet.y), field)
    cypress(picture, sheet)
    return picture


def halo(picture: Array, sheet: Sheet, centre: Point, size: float) -> None:
    around = away(sheet, centre)
    rings = 0.72 + 0.28 * np.cos(around / size * 5.2)
    lay(picture, np.exp(-((around / (2.5 * size)) ** 2)) * rings * 0.95, "#f3d762")
    lay(picture, below(around - 0.75 * size, 0.012), "#fff3b8")


def village(picture: Array, sheet: Sheet) -> None:
    rng = np.random.default_rng(7)
    for x in np.linspace(0.42, 1.18, 13) + rng.normal(0, 0.014, 13):
        y, w, h = 0.735 + rng.normal(0, 0.016), rng.uniform(0.028, 0.042), rng.uniform(0.03, 0.055)
        wall = rng.choice(["#6f93b8", "#8fb0c4", "#4d6f9e", "#b0a98a"])
        lay(picture, polygon(sheet, [(x - w, y - h), (x + w, y - h), (x + w, y + 0.05), (x - w, y + 0.05)]), str(wall))
        roof = [(x - 1.25 * w, y - h), (x, y - h - 0.035), (x + 1.25 * w, y - h)]
        lay(picture, polygon(sheet, roof), str(rng.choice(["#c4603c", "#1f2c52", "#9a4a44"])))
        if rng.random() < 0.75:
            pane = 0.009
            lay(
                picture,
                polygon(
                    sheet, [(x - pane, y - 0.018), (x + pane, y - 0.018), (x + pane, y + 0.006), (x - pane, y + 0.006)]
                ),
                "#ffd34d",
            )
    lay(picture, polygon(sheet, [(0.79, 0.66), (0.83, 0.66), (0.835, 0.78), (0.785, 0.78)]), "#46658f")
    lay(picture, polygon(sheet, [(0.783, 0.665), (0.81, 0.50), (0.837, 0.665)]), "#1d2c50")


def houses(sheet: Sheet) -> Array:
    """Where the village stands: field of chances, 0 or 1."""
    bare = sheet.filled("#ff00ff")
    village(bare, sheet)
    return np.asarray(np.abs(bare - sheet.filled("#ff00ff")).sum(-1) > 0.02, np.float32)


def drawing(canvas: Canvas, rng: np.random.Generator) -> None:
    """Last strokes: the moon in the round, and dark lines about walls and hills."""
    sheet = canvas.sheet
    ring = (np.arctan2(sheet.y - MOON[1], sheet.x - MOON[0]) + np.pi / 2).astype(np.float32)
    brush = Brush(width=0.013, length=0.036, bristles=4, value_jitter=0.04, wobble=0.05)
    for radius, count, ink in (
        (0.072, 26, "#f6d84f"),
        (0.056, 22, "#ffe98a"),
        (0.040, 18, "#f3a01f"),
        (0.024, 10, "#f7b733"),
        (0.008, 5, "#ffd75a"),
    ):
        turn = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.normal(0, 0.05, count)
        points = np.stack([MOON[0] + radius * np.cos(turn), MOON[1] + radius * np.sin(turn)], -1).astype(np.float32)
        canvas.stroke(points, np.repeat(palette(ink), count, 0), ring, brush, rng)
    far, near = hills(sheet)
    line = Brush(width=0.006, length=0.06, bristles=3, value_jitter=0.03, wobble=0.04)
    for edge, ink in ((far, "#10204a"), (near, "#0e2030")):
        across = np.arange(0.0, sheet.aspect, 0.03)
        down = np.interp(across, sheet.x[0], edge[0])
        free = np.all([np.abs(across - x) > 1.1 * width for x, _, width in CYPRESSES], axis=0)
        across, down = across[free], down[free]
        slope = full(sheet, np.arctan(np.gradient(edge[0]) * sheet.height_px)[None, :])
        canvas.stroke(
            np.stack([across, down], -1).astype(np.float32), np.repeat(palette(ink), len(across), 0), slope, line, rng
        )


def cypress(picture: Array, sheet: Sheet) -> None:
    """Two dark flames that tie the earth to the sky."""
    for x, top, width in CYPRESSES:
        t = np.clip((sheet.y - top) / (1.02 - top), 0, 1)
        lick = 0.012 * np.sin(sheet.y * 30 + x * 30) + 0.01 * noise(sheet, 77, cell=0.05)
        half = width * t**0.7 * (1.2 - 0.5 * t)
        shape = below(np.abs(sheet.x - x - 0.6 * lick) - half - lick * 0.5, 0.008) * below(top - sheet.y)
        tone = ramp(
            np.sin((sheet.x - x) * 130 + sheet.y * 22) + 0 * t, [(-1, "#0c1a1c"), (0.2, "#173a2c"), (1, "#4c5f2a")]
        )
        lay(picture, shape, tone)


def wind(sheet: Sheet) -> Array:
    """The flow: a breeze from left to right, bent around every vortex and star, over rolling hills."""
    east = 1.0 + 0 * sheet.x + 0 * sheet.y
    south = 0.55 * np.sin(sheet.x * 6 + 1.0) * (1 + 0 * sheet.y)
    whirls = [(x, y, 1.25 * reach, 7 * sense) for x, y, reach, sense in VORTICES]
    whirls += [(x, y, 2.2 * size, 6.0) for x, y, size in STARS] + [(*MOON, 0.13, 8.0)]
    for x, y, reach, strength in whirls:
        dx, dy = sheet.x - x, sheet.y - y
        pull = strength * np.exp(-(dx**2 + dy**2) / reach**2) / reach
        east = east - pull * dy
        south = south + pull * dx
    flow = np.arctan2(south, east)
    far, near = hills(sheet)
    for edge, twist in ((far, 0.5), (near, 0.3)):
        slope = np.arctan(np.gradient(edge[0]) * sheet.height_px)[None, :]
        flow = np.where(sheet.y > edge, slope + twist * noise(sheet, 55, cell=0.12, octaves=1), flow)
    upright = np.pi / 2 + 0.3 * np.sin(sheet.y * 30)
    for x, top, width in CYPRESSES:
        inside = (np.abs(sheet.x - x) < width * 0.95) & (sheet.y > top + 0.03)
        flow = np.where(inside, upright, flow)
    return np.asarray(flow, np.float32)
