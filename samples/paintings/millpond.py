"""The mill on the canal: pen and sepia ink, tone by hatching alone."""

import numpy as np
from PIL import Image, ImageDraw

from samples.scene import Array, Point, Sheet, away, below, curve, full, lay, noise, polygon, ramp, ridge
from samples.strokes import sample, scatter
from samples.surface import grained

FINENESS = 3  # the page is drawn three times as large: pen lines are thinner than a pixel
CAP: Point = (0.80, 0.285)
# Angle of each set of lines in radians, and the darkness from which it is used.
SETS = ((0.70, 0.16), (-0.62, 0.40), (0.08, 0.60), (1.45, 0.76))


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1630)
    darkness, flow = scene(sheet)
    page = Image.new("L", (sheet.width_px * FINENESS, sheet.height_px * FINENESS), 0)
    draw = ImageDraw.Draw(page)
    for angle, threshold in SETS:
        hatch(draw, sheet, darkness, flow, angle, threshold, rng)
    outline(draw, sheet, rng)
    ink = np.asarray(page.reduce(FINENESS), dtype=np.float32) / 255
    flowing = np.clip(0.93 + 0.12 * noise(sheet, 40, cell=0.03, octaves=3), 0.75, 1)
    picture = full(sheet, ramp(noise(sheet, 41, cell=0.4, octaves=3), [(-0.8, "#e2d0a6"), (0.8, "#f3e7c9")]))
    lay(picture, 0.26 * np.clip(darkness - 0.25, 0, 1), "#a9793f")  # a breath of bistre wash
    lay(picture, np.clip(ink * flowing * 1.1, 0, 0.97), "#2f1c10")
    spots = np.clip(noise(sheet, 43, cell=0.03, octaves=2) * 4 - 3.3, 0, 1)
    lay(picture, 0.3 * spots, "#a8803f")
    return grained(picture, sheet, 44, strength=0.03)


def hatch(
    draw: ImageDraw.ImageDraw,
    sheet: Sheet,
    darkness: Array,
    flow: Array,
    angle: float,
    threshold: float,
    rng: np.random.Generator,
) -> None:
    """Short pen strokes wherever the picture is darker than `threshold`, closer and heavier the darker it is."""
    points = scatter(sheet, 0.0080, rng)
    tone = sample(darkness, points, sheet) - threshold
    points, tone = points[tone > 0], tone[tone > 0]
    own = sample(flow, points, sheet)
    # Where the form has a direction of its own (water, thatch, reeds) the first set follows it.
    heading = np.where(np.isnan(own), angle, np.nan_to_num(own) + (angle - SETS[0][0])) + rng.normal(
        0, 0.05, len(points)
    )
    reach = rng.uniform(0.012, 0.024, len(points)) * (0.8 + 0.6 * np.clip(tone, 0, 0.5))
    bow = rng.normal(0, 0.0009, len(points))
    scale = sheet.height_px * FINENESS
    dx, dy = np.cos(heading) * reach / 2, np.sin(heading) * reach / 2
    bent = points + np.stack([-np.sin(heading) * bow, np.cos(heading) * bow], -1)
    paths = np.concatenate([points - np.stack([dx, dy], -1), bent, points + np.stack([dx, dy], -1)], 1) * scale
    widths = np.clip(np.rint((0.0013 + 0.0026 * tone) * scale), 1, None).astype(int).tolist()
    for path, width in zip(paths.tolist(), widths, strict=True):
        draw.line(path, fill=255, width=width)


def scene(sheet: Sheet) -> tuple[Array, Array]:
    """(H, W) darkness 0..1, and the direction of lines where the form asks for one (NaN elsewhere)."""
    dark = full(
        sheet,
        np.clip(0.24 - 0.55 * sheet.y + 0.50 * noise(sheet, 2, cell=0.16, stretch=2.4, octaves=4), 0, 0.46)
        * np.clip(away(sheet, CAP) / 0.3 - 0.55, 0, 1),
    )
    flow = np.full_like(dark, np.nan)
    far = ridge(sheet, 5, base=0.575, height=0.035, cell=0.06)
    put(dark, below(far - sheet.y), 0.34 + 0.5 * noise(sheet, 6, cell=0.03))
    water = below(0.62 - sheet.y)
    put(dark, water, 0.24 + 0.35 * noise(sheet, 7, cell=0.02, stretch=8, octaves=2) + 0.3 * (sheet.y - 0.62))
    flow[full(sheet, water) > 0.5] = 0.0
    x, _ = CAP
    mirror = polygon(sheet, [(x - 0.085, 0.64), (x + 0.095, 0.64), (x + 0.06, 0.90), (x - 0.05, 0.90)])
    put(dark, mirror * 0.85, 0.62 + 0.3 * noise(sheet, 8, cell=0.014, stretch=6, octaves=2))
    bank = 0.625 + 0.02 * np.sin(sheet.x * 9)
    put(dark, below(bank - 0.03 - sheet.y) * below(sheet.y - bank - 0.02), 0.55 + 0.5 * noise(sheet, 9, cell=0.03))
    mill(dark, flow, sheet)
    cottage(dark, flow, sheet)
    willow(dark, flow, sheet)
    near = 0.93 - 0.10 * np.clip(1 - sheet.x / 0.6, 0, 1) + 0.012 * np.sin(sheet.x * 30)
    front = below(near - sheet.y)
    put(dark, front, 0.62 + 0.55 * noise(sheet, 10, cell=0.04, stretch=0.6))
    flow = np.where(full(sheet, front) > 0.5, -1.35, flow)
    return np.clip(dark, 0, 1), flow


def put(dark: Array, mask: Array, tone: float | Array) -> None:
    dark += (tone - dark) * mask


def mill(dark: Array, flow: Array, sheet: Sheet) -> None:
    x, y = CAP
    tower = polygon(sheet, [(x - 0.062, y + 0.01), (x + 0.062, y + 0.01), (x + 0.10, 0.625), (x - 0.10, 0.625)])
    put(dark, tower, np.clip(0.22 + 7.0 * (sheet.x - x + 0.01) + 0.1 * noise(sheet, 12, cell=0.02), 0.02, 0.95))
    put(
        dark,
        polygon(
            sheet,
            [
                (x - 0.075, y + 0.02),
                (x - 0.05, y - 0.05),
                (x + 0.01, y - 0.085),
                (x + 0.06, y - 0.045),
                (x + 0.075, y + 0.02),
            ],
        ),
        0.72,
    )
    gallery = polygon(sheet, [(x - 0.115, 0.475), (x + 0.115, 0.475), (x + 0.115, 0.49), (x - 0.115, 0.49)])
    put(dark, gallery, 0.9)
    for u, v in ((x - 0.02, 0.38), (x + 0.015, 0.44), (x - 0.03, 0.54)):
        put(
            dark,
            polygon(
                sheet, [(u - 0.011, v - 0.016), (u + 0.011, v - 0.016), (u + 0.011, v + 0.016), (u - 0.011, v + 0.016)]
            ),
            0.98,
        )
    for angle in sails():
        blade = polygon(sheet, sail(angle))
        put(dark, blade * 0.9, 0.46)
        flow[blade > 0.5] = angle


def cap_shape() -> list[Point]:
    x, y = CAP
    return [
        (x - 0.075, y + 0.02),
        (x - 0.05, y - 0.05),
        (x + 0.01, y - 0.085),
        (x + 0.06, y - 0.045),
        (x + 0.075, y + 0.02),
    ]


def sails() -> list[float]:
    return [0.55 + k * np.pi / 2 for k in range(4)]


def sail(angle: float) -> list[Point]:
    x, y = CAP
    along, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corners = [along * 0.055, along * 0.275, along * 0.275 + side * 0.055, along * 0.055 + side * 0.045]
    return [(x + float(dx), y + float(dy)) for dx, dy in corners]


def cottage(dark: Array, flow: Array, sheet: Sheet) -> None:
    put(dark, polygon(sheet, [(0.97, 0.55), (1.15, 0.55), (1.15, 0.63), (0.97, 0.63)]), 0.12)
    roof = polygon(sheet, [(0.945, 0.555), (0.99, 0.465), (1.12, 0.465), (1.175, 0.555)])
    put(dark, roof, 0.58)
    flow[roof > 0.5] = 1.2
    for x in (1.0, 1.05, 1.11):
        put(
            dark, polygon(sheet, [(x - 0.012, 0.575), (x + 0.012, 0.575), (x + 0.012, 0.605), (x - 0.012, 0.605)]), 0.95
        )


def willow(dark: Array, flow: Array, sheet: Sheet) -> None:
    """A great tree at the left holds the composition."""
    trunk = polygon(
        sheet,
        curve(
            [
                (0.15, 0.90),
                (0.19, 0.72),
                (0.17, 0.52),
                (0.21, 0.36),
                (0.25, 0.36),
                (0.235, 0.52),
                (0.26, 0.72),
                (0.31, 0.90),
            ]
        ),
    )
    crown = np.minimum(away(sheet, (0.22, 0.30), flatten=1.05) - 0.24, away(sheet, (0.05, 0.42)) - 0.17)
    crown = np.minimum(crown, away(sheet, (0.39, 0.37)) - 0.12) + 0.05 * noise(sheet, 14, cell=0.07, octaves=3)
    leaves = below(crown, 0.01)
    light = 0.46 + 0.62 * noise(sheet, 15, cell=0.075, octaves=2) + 0.7 * (sheet.x - 0.2) + 0.8 * (sheet.y - 0.3)
    put(dark, trunk, np.clip(0.35 + 6 * (sheet.x - 0.21), 0.2, 0.95))
    flow[trunk > 0.5] = 1.45
    put(dark, leaves, np.clip(light, 0.05, 1))
    flow[leaves > 0.5] = np.broadcast_to(0.9 + 1.2 * noise(sheet, 16, cell=0.06, octaves=1), flow.shape)[leaves > 0.5]


def outline(draw: ImageDraw.ImageDraw, sheet: Sheet, rng: np.random.Generator) -> None:
    """Contours, each drawn twice, not quite alike: the pen looks for the line."""
    x, y = CAP
    paths: list[list[Point]] = [
        [(x - 0.062, y + 0.01), (x - 0.10, 0.625)], [(x + 0.062, y + 0.01), (x + 0.10, 0.625)],
        curve(cap_shape()),
        [(x - 0.115, 0.475), (x + 0.115, 0.475)], [(x - 0.115, 0.455), (x + 0.115, 0.455)],
        [(0.945, 0.555), (0.99, 0.465), (1.12, 0.465), (1.175, 0.555), (0.945, 0.555)],
        [(0.97, 0.555), (0.97, 0.63)], [(1.15, 0.555), (1.15, 0.63)],
    ]  # fmt: skip
    paths += [[(x + d, 0.455), (x + d, 0.478)] for d in np.linspace(-0.11, 0.11, 12)]
    for angle in sails():
        quad = sail(angle)
        paths.append([*quad, quad[0]])
        paths.append([(x, y), quad[1]])
        paths += [
            [
                tuple(np.array(quad[0]) * (1 - t) + np.array(quad[1]) * t),
                tuple(np.array(quad[3]) * (1 - t) + np.array(quad[2]) * t),
            ]
            for t in np.linspace(0.1, 0.9, 8)
        ]
    for bx, by, s in ((0.52, 0.20, 1.0), (0.57, 0.17, 0.8), (0.49, 0.15, 0.7)):
        paths.append(
            curve(
                [
                    (bx - 0.02 * s, by - 0.008 * s),
                    (bx - 0.008 * s, by - 0.007 * s),
                    (bx, by),
                    (bx + 0.008 * s, by - 0.008 * s),
                    (bx + 0.02 * s, by - 0.006 * s),
                ]
            )
        )
    scale = sheet.height_px * FINENESS
    for path in paths:
        for _ in range(2):
            wander = rng.normal(0, 0.0011, (len(path), 2))
            draw.line(
                [(float(a + u) * scale, float(b + v) * scale) for (a, b), (u, v) in zip(path, wander, strict=True)],
                fill=255,
                width=max(1, round(0.0021 * scale)),
            )
