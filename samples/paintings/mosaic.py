"""The bird and the olive branch: stone and gold tiles set row by row along every outline."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import cKDTree

from samples.facets import tile_rows
from samples.scene import Array, Point, Sheet, away, curve, lines, noise, palette, polygon
from samples.strokes import OVERSAMPLING, blurred, scatter

TILE = 0.0185
GROUT = "#3a332b"
# Region -> the stones it is set from, dark to light.
STONES: dict[int, Array] = {
    0: palette("#0e2f5e", "#14437d", "#1c5794", "#2a6ca8", "#3f86ba"),
    1: palette("#a8761c", "#c8942a", "#dcae3f", "#edc95c", "#f7de86"),
    2: palette("#f4ecd8", "#e9dfc6", "#fbf6ea", "#d9cdb4"),
    3: palette("#8fa3ad", "#a9bac0", "#c4d0d2", "#75899a"),
    4: palette("#2f5a32", "#43743b", "#5d8f47", "#7fa957"),
    5: palette("#b23a2a", "#cc4f34", "#8f2a24"),
    6: palette("#e08a2c", "#c9701f"),
    7: palette("#1c1714", "#2a211c"),
    8: palette("#f4ecd8", "#e6dac0"),
}

BODY: tuple[Point, ...] = (
    (0.33, 0.40), (0.37, 0.345), (0.43, 0.34), (0.475, 0.39), (0.56, 0.46), (0.68, 0.55), (0.80, 0.60), (0.98, 0.62),
    (1.0, 0.68), (0.86, 0.71), (0.74, 0.72), (0.60, 0.74), (0.48, 0.70), (0.40, 0.60), (0.375, 0.50), (0.36, 0.45),
)  # fmt: skip
FAR_WING: tuple[Point, ...] = (
    (0.48, 0.47),
    (0.50, 0.30),
    (0.60, 0.14),
    (0.68, 0.17),
    (0.70, 0.30),
    (0.66, 0.47),
    (0.58, 0.54),
)
NEAR_WING: tuple[Point, ...] = (
    (0.52, 0.52),
    (0.60, 0.42),
    (0.74, 0.29),
    (0.93, 0.21),
    (0.97, 0.27),
    (0.90, 0.42),
    (0.79, 0.55),
    (0.66, 0.63),
    (0.56, 0.61),
)


def paint(sheet: Sheet) -> Array:
    regions, tone = drawing(sheet)
    rng = np.random.default_rng(547)
    page = Image.new("RGB", (sheet.width_px * OVERSAMPLING, sheet.height_px * OVERSAMPLING), GROUT)
    relief = Image.new("L", page.size, 0)
    draw, raise_ = ImageDraw.Draw(page), ImageDraw.Draw(relief)
    for region in np.unique(regions):
        size = TILE * (0.62 if region in (5, 6, 7) else 0.5 if region == 8 else 0.8 if region in (2, 3, 4) else 1.0)
        rows, row_turns = tile_rows(regions == region, size)
        # Where two rows meet, a loose tile fills what would be bare mortar; it goes in first and lies under them.
        loose = scatter(sheet, size * 0.5, rng, (regions == region).astype(np.float32))
        if len(rows) and len(loose):
            loose = loose[cKDTree(rows).query(loose)[0] > 0.66 * size]
        centres = np.concatenate([loose, rows])
        turns = np.concatenate([rng.uniform(0, np.pi, len(loose)).astype(np.float32), row_turns])
        for centre, turn in zip(centres, turns, strict=True):
            corners = tile_corners(centre, turn, size, rng) * sheet.height_px * OVERSAMPLING
            ink = stone(sheet, int(region), centre, tone, rng)
            shape = [tuple(corner) for corner in corners.tolist()]
            draw.polygon(shape, fill=ink)
            raise_.polygon(shape, fill=int(rng.integers(150, 255)))
    picture = np.asarray(page.reduce(OVERSAMPLING), dtype=np.float32) / 255
    height = blurred(np.asarray(relief.reduce(OVERSAMPLING), dtype=np.float32) / 255, 0.0018)
    down, right = np.gradient(height)
    light = np.clip(-(down + right) * 0.9, -0.3, 0.3)
    stain = 1 + 0.05 * noise(sheet, 8, cell=0.012, octaves=3)
    return (picture * (stain + light)[..., None]).astype(np.float32)


def tile_corners(centre: Array, turn: float, size: float, rng: np.random.Generator) -> Array:
    """A hand-cut square, not quite one."""
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * size * 0.90
    square += rng.normal(0, size * 0.05, square.shape)
    angle = turn + rng.normal(0, 0.05)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(square @ rotation + centre, np.float32)


def stone(sheet: Sheet, region: int, centre: Array, tone: Array, rng: np.random.Generator) -> tuple[int, int, int]:
    """A stone for one place: the right darkness, give or take, as far as the heap allows."""
    heap = STONES[region]
    row = min(max(int(centre[1] * sheet.height_px), 0), sheet.height_px - 1)
    column = min(max(int(centre[0] * sheet.height_px), 0), sheet.width_px - 1)
    wanted = np.clip(tone[row, column] + rng.normal(0, 0.22), 0, 0.999)
    shade = heap[int(wanted * len(heap))] * rng.uniform(0.92, 1.08)
    if region == 1 and rng.random() < 0.06:
        shade = shade + 0.14  # gold tiles are set at slightly different angles, so some flash
    r, g, b = (np.clip(shade, 0, 1) * 255).astype(int).tolist()
    return r, g, b


def drawing(sheet: Sheet) -> tuple[np.ndarray, Array]:
    """(H, W) labels of the regions, and a field 0..1 of how light each place should be."""
    regions = np.zeros((sheet.height_px, sheet.width_px), np.int64)
    halo = (0.62, 0.47)
    around = away(sheet, halo)
    tone = np.clip(1.1 - around / 0.75, 0, 1) + 0 * sheet.y
    regions[around < 0.395] = 5
    regions[around < 0.37] = 1
    tone = np.where(around < 0.37, 0.75 - 0.9 * np.abs(around - 0.1), tone)
    margin = np.minimum(np.minimum(sheet.x, sheet.aspect - sheet.x), np.minimum(sheet.y, 1 - sheet.y))
    regions[margin < 0.075] = 8
    along = np.where(np.minimum(sheet.y, 1 - sheet.y) < 0.075, sheet.x, sheet.y)
    regions[(margin > 0.019) & (margin < 0.057) & (np.floor(along / 0.0555) % 2 == 0)] = 5
    regions[(margin > 0.019) & (margin < 0.057) & (np.floor(along / 0.0555) % 2 == 1)] = 1
    hill = 0.86 - 0.05 * np.sin(sheet.x * 6 + 1)
    regions[(sheet.y > hill) & (margin > 0.075)] = 4
    tone = np.where((sheet.y > hill) & (regions == 4), 0.9 - 4 * (sheet.y - hill), tone)
    part(regions, tone, polygon(sheet, curve(FAR_WING, closed=True)), 3, 0.55)
    part(regions, tone, polygon(sheet, curve(BODY, closed=True)), 2, 0.75 - 1.2 * (sheet.y - 0.5) + 0 * sheet.x)
    wing = polygon(sheet, curve(NEAR_WING, closed=True))
    part(regions, tone, wing, 3, 0.4)
    part(regions, tone, wing * (np.sin((sheet.x + 0.9 * sheet.y) * 62) > -0.2), 2, 0.4)
    part(regions, tone, polygon(sheet, [(0.335, 0.395), (0.27, 0.415), (0.345, 0.425)]), 6, 0.6)
    part(regions, tone, (away(sheet, (0.40, 0.388)) < 0.016).astype(np.float32), 7, 0.5)
    part(
        regions,
        tone,
        lines(sheet, curve([(0.33, 0.43), (0.27, 0.415), (0.20, 0.45), (0.15, 0.53)]), width=0.016),
        6,
        0.1,
    )
    for x, y, turn in (
        (0.245, 0.375, -1.9),
        (0.215, 0.47, 0.6),
        (0.19, 0.40, -2.4),
        (0.155, 0.46, -2.8),
        (0.19, 0.535, 0.9),
        (0.135, 0.585, 1.9),
    ):
        tip = (x + 0.055 * np.cos(turn), y + 0.055 * np.sin(turn))
        side = (0.022 * np.sin(turn), -0.022 * np.cos(turn))
        leaf = curve(
            [
                (x - 0.03 * np.cos(turn), y - 0.03 * np.sin(turn)),
                (x + side[0], y + side[1]),
                tip,
                (x - side[0], y - side[1]),
            ],
            closed=True,
        )
        part(regions, tone, polygon(sheet, leaf), 4, 0.9)
    return regions, tone.astype(np.float32)


def part(regions: np.ndarray, tone: Array, mask: Array, label: int, light: float | Array) -> None:
    inside = mask > 0.5
    regions[inside] = label
    tone[inside] = np.broadcast_to(light, tone.shape)[inside]
