"""The tree of spirals: gold leaf, curling branches, a meadow of ornament."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from samples.scene import Array, Point, Sheet, below, full, lay, noise, palette, polygon, ramp
from samples.surface import lit

Branch = tuple[list[Point], float]  # a path, and its width at the root

BARK = "#3d1c10"
JEWELS = palette("#b3202a", "#1f6f5c", "#e9dcc0", "#274b8f", "#e0722b", "#5c2d6e", "#17120f", "#f2c14e")


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1909)
    picture = leaf(sheet, rng)
    raised = np.zeros((sheet.height_px, sheet.width_px), np.float32)
    meadow(picture, sheet, rng)
    branches: list[Branch] = []
    for start, heading, size, curl in ROOTS:
        grow(branches, start, heading, size, curl, 2)
    wood = boughs(sheet, branches, 1.0)
    lay(picture, wood, BARK)
    np.maximum(raised, wood, out=raised)
    lay(picture, boughs(sheet, branches, 0.52), "#d3a13a")
    lay(picture, boughs(sheet, branches, 0.22), "#7a4a1c")
    trunk(picture, raised, sheet, rng)
    ornaments(picture, sheet, branches, rng)
    relief = 0.6 * raised + 0.18 * noise(sheet, 9, cell=0.008, octaves=2)
    return lit(picture, relief.astype(np.float32), depth=0.55)


ROOTS: tuple[tuple[Point, float, float, float], ...] = (
    ((0.49, 0.42), -2.45, 0.30, 1.0), ((0.51, 0.42), -0.70, 0.30, -1.0), ((0.50, 0.36), -1.95, 0.25, -1.0),
    ((0.50, 0.36), -1.20, 0.25, 1.0), ((0.47, 0.56), -2.95, 0.28, -1.0), ((0.53, 0.56), -0.20, 0.28, 1.0),
)  # fmt: skip


def grow(branches: list[Branch], start: Point, heading: float, size: float, curl: float, depth: int) -> None:
    """A branch runs out and winds into a spiral; on its way it puts out smaller ones that turn the other way."""
    run, turns, radius = 30, 60, 0.27 * size
    path: list[Point] = [start]
    x, y = start
    for k in range(run + turns):
        wound = max(0.0, (k - run) / turns)
        bend = 0.010 if k < run else 2.4 * 2 * np.pi / turns
        step = 1.25 * size / run if k < run else radius * (1 - 0.86 * wound) * bend
        heading += curl * bend
        x, y = x + float(np.cos(heading)) * step, y + float(np.sin(heading)) * step
        path.append((x, y))
        if depth > 0 and k in (11, 21, 34):
            grow(branches, (x, y), heading - curl * 0.85, size * (0.46 if k < 30 else 0.34), -curl, depth - 1)
    branches.append((path, 0.028 * (size / 0.30) ** 0.75))


def boughs(sheet: Sheet, branches: list[Branch], share: float) -> Array:
    """All branches, each thinning towards its end, as one mask; `share` narrows them for the stripes inside."""
    page = Image.new("L", (sheet.width_px * 2, sheet.height_px * 2), 0)
    draw = ImageDraw.Draw(page)
    scale = sheet.height_px * 2
    for path, width in branches:
        for k, ((x, y), (u, v)) in enumerate(pairwise(path)):
            thick = width * share * (1 - 0.7 * k / len(path)) * scale
            draw.line((x * scale, y * scale, u * scale, v * scale), fill=255, width=max(1, round(thick)))
            draw.ellipse(
                (u * scale - thick / 2, v * scale - thick / 2, u * scale + thick / 2, v * scale + thick / 2), fill=255
            )
    return np.asarray(page.reduce(2), dtype=np.float32) / 255


def leaf(sheet: Sheet, rng: np.random.Generator) -> Array:
    """Squares of gold leaf, each a little different, with their overlaps and the wear of a century."""
    side = 0.105
    drift = 0.006 * noise(sheet, 4, cell=0.2, octaves=2)
    column, row = (
        np.floor((sheet.x + drift) / side + 0.3).astype(int),
        np.floor((sheet.y + drift) / side + 0.6).astype(int),
    )
    table = rng.normal(0, 1, (int(column.max()) + 2, int(row.max()) + 2))
    sheen = 0.20 * table[column, row] + 0.55 * noise(sheet, 5, cell=0.06, octaves=5) + 0.25 * (0.5 - sheet.y)
    picture = full(
        sheet, ramp(sheen, [(-0.9, "#8a5f1c"), (-0.3, "#b98a30"), (0.1, "#d3a945"), (0.5, "#e6c566"), (1.0, "#f6e29a")])
    )
    u, v = ((sheet.x + drift) / side + 0.3) % 1, ((sheet.y + drift) / side + 0.6) % 1
    seam = np.maximum(below(np.minimum(u, 1 - u) - 0.015, 0.02), below(np.minimum(v, 1 - v) - 0.015, 0.02))
    lay(picture, 0.22 * seam, "#7a5218")
    flecks = np.clip(noise(sheet, 6, cell=0.007, octaves=2) * 4 - 2.6, 0, 1)
    lay(picture, 0.7 * flecks, "#fff1b8")
    return picture


def trunk(picture: Array, raised: Array, sheet: Sheet, rng: np.random.Generator) -> None:
    flare = 0.055 + 0.10 * np.clip((sheet.y - 0.62) / 0.38, 0, 1) ** 2.2 - 0.02 * np.clip((0.6 - sheet.y) / 0.25, 0, 1)
    body = (
        below(np.abs(sheet.x - 0.5 - 0.01 * np.sin(sheet.y * 9)) - flare)
        * below(0.345 - sheet.y)
        * below(sheet.y - 0.93)
    )
    lay(picture, body, BARK)
    np.maximum(raised, body, out=raised)
    inner = (
        below(np.abs(sheet.x - 0.5 - 0.01 * np.sin(sheet.y * 9)) - flare + 0.009)
        * below(0.36 - sheet.y)
        * below(sheet.y - 0.92)
    )
    # Upright slips of gold, bronze and ivory, as in inlaid wood.
    column = np.floor((sheet.x - 0.5) / (flare * 0.26) + 20).astype(int)
    offset = rng.random(60)[np.clip(column, 0, 59)]
    row = np.floor(sheet.y / 0.042 + offset * 3).astype(int)
    choice = rng.integers(0, 6, (60, 40))[np.clip(column, 0, 59), np.clip(row, 0, 39)]
    slips = palette("#d9ae4a", "#8a5a22", "#f0dca0", "#b98030", "#2b1a12", "#c79a3c")[choice]
    lay(picture, inner * 0.95, slips.astype(np.float32))
    joint = np.minimum(((sheet.y / 0.042 + offset * 3) % 1), ((sheet.x - 0.5) / (flare * 0.26) + 20) % 1)
    lay(picture, inner * below(joint - 0.07, 0.05), BARK)


def meadow(picture: Array, sheet: Sheet, rng: np.random.Generator) -> None:
    """A hill crowded with discs, squares and triangles."""
    hill = 0.80 + 0.35 * (sheet.x - 0.5) ** 2
    lay(
        picture,
        below(hill - sheet.y),
        full(sheet, ramp(noise(sheet, 20, cell=0.05), [(-0.6, "#173d33"), (0.2, "#2f6a45"), (0.8, "#7a8c3a")])),
    )
    taken: list[tuple[float, float, float]] = []
    for _ in range(1400):
        x, y, r = rng.uniform(0, sheet.aspect), rng.uniform(0.80, 1.0), rng.uniform(0.007, 0.026)
        if y < 0.815 + 0.35 * (x - 0.5) ** 2 + r or any(np.hypot(x - a, y - b) < r + c + 0.002 for a, b, c in taken):
            continue
        taken.append((x, y, r))
        rosette(picture, sheet, (x, y), r, rng)


def rosette(picture: Array, sheet: Sheet, at: Point, radius: float, rng: np.random.Generator) -> None:
    """Rings of jewel colours; only the pixels around it are touched."""
    h = sheet.height_px
    rows = slice(max(0, int((at[1] - radius) * h) - 1), int((at[1] + radius) * h) + 2)
    columns = slice(max(0, int((at[0] - radius) * h) - 1), int((at[0] + radius) * h) + 2)
    dx, dy = sheet.x[:, columns] - at[0], sheet.y[rows] - at[1]
    around = np.hypot(dx, dy)
    petals = 1 + 0.16 * np.cos(np.arctan2(dy, dx) * rng.integers(5, 9)) * (rng.random() < 0.6)
    window = picture[rows, columns]
    for share, ink in zip((1.0, 0.74, 0.48, 0.24), JEWELS[rng.permutation(len(JEWELS))[:4]], strict=True):
        lay(window, below(around * petals - radius * share, 1.6 / h), ink)


def ornaments(picture: Array, sheet: Sheet, branches: list[Branch], rng: np.random.Generator) -> None:
    """Eyes at the hearts of spirals, and triangles hung from the branches."""
    for path, width in branches:
        rosette(picture, sheet, path[-1], 0.006 + 0.38 * width, rng)
        if width < 0.012:
            continue
        for k in (8, 16, 25):
            x, y = path[k]
            s = 0.30 * width + 0.004
            for part, ink in ((1.0, JEWELS[6]), (0.62, JEWELS[rng.integers(0, 5)])):
                mask = polygon(
                    sheet, [(x - s * part, y + 0.2 * s), (x + s * part, y + 0.2 * s), (x, y + (0.2 + 2.2 * part) * s)]
                )
                lay(picture, mask, ink)
