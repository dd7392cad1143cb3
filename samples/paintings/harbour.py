"""Sunset over the harbour: short loaded strokes, broken colour, thick relief."""

from collections.abc import Callable
from functools import partial

import numpy as np

from samples.scene import Array, Point, Sheet, away, below, full, lay, lines, noise, palette, polygon, ramp, ridge
from samples.strokes import Brush, Canvas, blurred, cover, missing_detail, pick_out, sample, scatter
from samples.surface import lit, varnished, woven

HORIZON = 0.46
SUN: Point = (0.80, 0.30)
BOATS: tuple[tuple[Point, float], ...] = (((0.33, 0.68), 1.1), ((1.02, 0.56), 0.6), ((0.60, 0.515), 0.34))


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1872)
    reference = composition(sheet)
    flow = currents(sheet)
    canvas = Canvas(sheet, reference * 0.75 + np.array([0.16, 0.09, 0.06], np.float32))
    cover(canvas, reference, flow, Brush(width=0.050, length=0.15, bristles=11, hue_jitter=0.035), rng)
    cover(canvas, reference, flow, Brush(width=0.028, length=0.085, bristles=8, hue_jitter=0.04), rng, spacing=0.95)
    fine = Brush(width=0.013, length=0.038, bristles=4, hue_jitter=0.02, wobble=0.1)
    cover(canvas, reference, flow, fine, rng, spacing=0.8, keep=missing_detail(canvas, reference))
    pick_out(canvas, reference, drawn(sheet, quay), rng, angle=1.50, size=0.008)
    for at, size in BOATS:
        shape = drawn(sheet, partial(boat, at=at, size=size))
        waterline = 0.12 * size
        pick_out(canvas, reference, shape * (sheet.y < at[1] - 0.4 * waterline), rng, angle=1.2, size=0.013 * size**0.5)
        hull = shape * (sheet.y > at[1] - 0.36 * waterline) * (sheet.y < at[1] + 0.16 * waterline)
        pick_out(canvas, reference, hull, rng, angle=0.0, size=0.009 * size**0.5)
        mast(canvas, at, size, rng)
    glitter(canvas, rng)
    return varnished(woven(lit(canvas.colour(), canvas.height(), depth=1.2), sheet), sheet)


def composition(sheet: Sheet) -> Array:
    sky = ramp(
        sheet.y + 0.05 * noise(sheet, 3, cell=0.16, stretch=3.2),
        [(0, "#3d5a8c"), (0.14, "#6f83ad"), (0.25, "#c79a9b"), (0.35, "#f0a25c"), (0.46, "#f8c765")],
    )
    picture = full(sheet, sky)
    clouds = np.clip(noise(sheet, 8, cell=0.11, stretch=4.0) * 2.2 - 0.25, 0, 1) * below(sheet.y - 0.40, 0.2)
    lay(picture, clouds * 0.85, ramp(sheet.y + 0 * sheet.x, [(0, "#7d86b5"), (0.2, "#e2917c"), (0.4, "#ffb75e")]))
    glow = np.exp(-((away(sheet, SUN) / 0.20) ** 1.3))
    lay(picture, 0.8 * glow, "#ffc45a")
    sea = ramp(
        sheet.y + 0.03 * noise(sheet, 5, cell=0.05, stretch=5),
        [(0.46, "#e6a46b"), (0.53, "#a98f9c"), (0.66, "#4f7396"), (0.85, "#2a4a72"), (1, "#1c2f55")],
    )
    lay(picture, below(HORIZON - sheet.y), full(sheet, sea))
    for seed, base, height, shade in ((21, 0.435, 0.035, "#8f7fa3"), (25, 0.452, 0.028, "#5d5c86")):
        far = ridge(sheet, seed, base=base, height=height, cell=0.25)
        lay(picture, below(far - sheet.y) * below(sheet.y - HORIZON) * 0.85, shade)
    lay(picture, below(away(sheet, SUN) - 0.052), "#ff5a2b")
    path = np.exp(-(((sheet.x - SUN[0]) / (0.028 + 0.12 * (sheet.y - HORIZON))) ** 2)) * below(HORIZON - sheet.y)
    ripple = np.clip(0.55 + noise(sheet, 31, cell=0.02, stretch=6, octaves=3), 0, 1)
    lay(picture, 0.95 * path * ripple, "#ff8a3c")
    quay(picture, sheet)
    for at, size in BOATS:
        boat(picture, sheet, at=at, size=size)
    return picture


def drawn(sheet: Sheet, draw: Callable[[Array, Sheet], None]) -> Array:
    """Where `draw` leaves a mark, and a small brush is worth its while: field of chances, 0..1."""
    blank = sheet.filled("#ffffff")
    picture = blank.copy()
    draw(picture, sheet)
    return np.clip(blurred(np.abs(picture - blank).mean(-1), 0.002) * 4, 0, 1).astype(np.float32)


def quay(picture: Array, sheet: Sheet) -> None:
    """Masts and cranes on the left, fading into the haze."""
    for k, (x, top) in enumerate(((0.04, 0.17), (0.10, 0.24), (0.155, 0.21), (0.21, 0.30), (0.27, 0.33))):
        mast = lines(
            sheet, [(x, top), (x, HORIZON + 0.02)], [(x - 0.03, top + 0.07), (x + 0.03, top + 0.06)], width=0.008
        )
        lay(picture, mast * (0.85 - 0.08 * k), "#39406b")
    lay(picture, polygon(sheet, [(0, 0.42), (0.18, 0.435), (0.36, 0.465), (0.36, 0.48), (0, 0.52)]) * 0.9, "#3d4070")


def boat(picture: Array, sheet: Sheet, *, at: Point, size: float) -> None:
    x, y = at
    s = 0.12 * size
    wavy = polygon(sheet, [(x - 0.9 * s, y), (x + 0.9 * s, y), (x + 0.5 * s, y + 1.1 * s), (x - 0.6 * s, y + 1.0 * s)])
    lay(picture, wavy * 0.55, "#20304f")
    hull = [
        (x - 1.3 * s, y - 0.28 * s),
        (x + 1.35 * s, y - 0.36 * s),
        (x + 0.95 * s, y + 0.12 * s),
        (x - s, y + 0.14 * s),
    ]
    lay(picture, polygon(sheet, hull), "#1d2340")
    lay(picture, lines(sheet, [(x, y - 0.2 * s), (x + 0.06 * s, y - 2.6 * s)], width=0.14 * s), "#1d2340")
    sail = [(x + 0.12 * s, y - 2.5 * s), (x + 1.15 * s, y - 0.6 * s), (x + 0.12 * s, y - 0.5 * s)]
    lay(picture, polygon(sheet, sail), "#a8503f")
    jib = [(x - 0.06 * s, y - 2.3 * s), (x - 0.8 * s, y - 0.55 * s), (x - 0.06 * s, y - 0.5 * s)]
    lay(picture, polygon(sheet, jib), "#d08a5a")


def mast(canvas: Canvas, at: Point, size: float, rng: np.random.Generator) -> None:
    """A few dark strokes end to end, laid over the sails so that they stay one line."""
    s = 0.12 * size
    up = np.linspace(0.05, 2.5, 7)
    points = np.stack([at[0] + 0.025 * s * up, at[1] - up * s], -1).astype(np.float32)
    leaning = np.full((canvas.sheet.height_px, canvas.sheet.width_px), -1.545, np.float32)
    brush = Brush(width=0.009 * size**0.5, length=0.55 * s, bristles=4, wobble=0.03, value_jitter=0.03)
    canvas.stroke(points, np.repeat(palette("#1d2340"), len(points), 0), leaning, brush, rng)


def currents(sheet: Sheet) -> Array:
    """Clouds drift and curl; water lies flat."""
    sky = 0.55 * noise(sheet, 41, cell=0.34, octaves=2, stretch=1.5) - 0.12
    water = 0.16 * noise(sheet, 43, cell=0.1, octaves=2)
    return np.where(sheet.y < HORIZON, sky, water).astype(np.float32)


def glitter(canvas: Canvas, rng: np.random.Generator) -> None:
    """Last of all, pure unmixed light on the water, and the sun itself."""
    sheet = canvas.sheet
    flat = np.zeros((sheet.height_px, sheet.width_px), np.float32)
    down = np.linspace(HORIZON + 0.015, 0.97, 46) + rng.normal(0, 0.004, 46)
    across = SUN[0] + rng.normal(0, 1, 46) * (0.016 + 0.075 * (down - HORIZON))
    points = np.stack([across, down], -1).astype(np.float32)
    light = ramp(rng.random(46).astype(np.float32), [(0, "#ff7a34"), (0.6, "#ffb14d"), (1, "#ffe08a")])
    canvas.stroke(points, light, flat, Brush(width=0.013, length=0.07, bristles=4, wobble=0.05), rng)
    around = away(sheet, SUN)
    keep = below(around - 0.045, 0.004)
    ring = np.arctan2(sheet.y - SUN[1], sheet.x - SUN[0]).astype(np.float32) + np.float32(np.pi / 2)
    discs = scatter(sheet, 0.012, rng, keep)
    hot = ramp(sample(around, discs, sheet) / 0.05, [(0, "#ff8e3a"), (1, "#f2441f")])
    canvas.stroke(discs, hot, ring, Brush(width=0.018, length=0.035, bristles=5), rng)
