"""Sunrise in stained glass: saturated panes, black lead, light from behind."""

import numpy as np

from samples.facets import Labels, cells, from_seams, renumbered
from samples.scene import Array, Point, Sheet, away, below, curve, noise, palette, polygon, ramp
from samples.strokes import blurred, scatter

SUN: Point = (0.40, 0.36)
LEAD = "#14110f"
# Label of a region -> the glass it may be cut from.
GLASS: dict[int, Array] = {
    0: palette("#0f3fae", "#1557c9", "#0b2f8a", "#2f78db"),
    1: palette("#ffb21e", "#ff8c1a", "#ffd34a", "#ff9d2e"),
    2: palette("#ffe45c", "#fff09a", "#ffd52e"),
    3: palette("#5b2a9c", "#7a3cc0", "#46207d"),
    4: palette("#1f7a4d", "#2f9a4a", "#146046", "#57b04a"),
    5: palette("#1aa3b8", "#52c7d0", "#0f7d9c", "#8fe0dc"),
    6: palette("#0f5a2a", "#1b7a33", "#2c9440"),
    7: palette("#d81e35", "#f04438", "#b5122e", "#ff6a4a"),
    10: palette("#d81e35", "#b5122e", "#c21a3c"),  # the heart of a tulip
    8: palette("#a3122b", "#0e3a8c", "#c9931a", "#15694a"),
    9: palette("#f6efe0", "#fffaf0"),
}


def paint(sheet: Sheet) -> Array:
    regions = drawing(sheet)
    rng = np.random.default_rng(1220)
    sky_cells = cells(sheet, scatter(sheet, 0.085, rng))
    # Tall panes for leaves and petals would be lost among small cells: only large regions are cut further.
    cut = np.where(np.isin(regions, [0, 3, 4, 5]), sky_cells, 0)
    panes = renumbered(regions, spokes(sheet, regions), cut)
    count = int(panes.max()) + 1
    region_of = np.zeros(count, int)
    region_of[panes.ravel()] = regions.ravel()
    choice = rng.integers(0, 12, count)
    tints = np.stack([GLASS[r][c % len(GLASS[r])] for r, c in zip(region_of, choice, strict=True)])
    tints = tints * rng.uniform(0.82, 1.12, (count, 1)) + rng.normal(0, 0.012, (count, 3))
    seam = blurred(from_seams(panes), 0.0015)
    picture = tints[panes].astype(np.float32)
    picture *= glow(sheet, rng, panes, count)[..., None]
    lead = below(seam - 0.0072, 0.003)
    came = ramp(np.clip(seam / 0.0085, 0, 1), [(0, "#332f2b"), (0.45, "#221f1c"), (1, LEAD)])
    # Light spills around the lead: what makes a window glow.
    halo = blurred(picture * (1 - lead)[..., None], 0.012)
    picture = 0.86 * picture + 0.30 * halo
    return picture + (came - picture) * lead[..., None]


def glow(sheet: Sheet, rng: np.random.Generator, panes: Labels, count: int) -> Array:
    """Uneven glass: streaks that turn from pane to pane, seeds and bubbles, daylight strongest around the sun."""
    lying = noise(sheet, 3, cell=0.012, stretch=7, octaves=3)
    standing = noise(sheet, 4, cell=0.09, stretch=0.13, octaves=3)
    turn = rng.random(count)[panes]
    streaks = np.where(turn < 0.5, lying, standing)
    bubbles = np.clip(noise(sheet, 5, cell=0.012, octaves=1) * 4 - 3.6, 0, 1)
    daylight = 0.84 + 0.34 * np.exp(-((away(sheet, SUN) / 0.42) ** 2))
    return np.asarray(daylight * (1 + 0.16 * streaks) + 0.25 * bubbles + 0.10 * noise(sheet, 6, cell=0.06))


def drawing(sheet: Sheet) -> Labels:
    """Which region each point belongs to; later ones lie over earlier ones."""
    regions = np.zeros((sheet.height_px, sheet.width_px), np.int64)
    angle = np.arctan2(sheet.y - SUN[1], sheet.x - SUN[0])
    rays = np.sin(angle * 11 + 0.6) > -0.15
    from_sun = away(sheet, SUN)
    regions[rays & (from_sun < 0.34)] = 1
    regions[from_sun < 0.115] = 2
    regions[from_sun < 0.055] = 9
    hills = 0.53 - 0.07 * np.sin(sheet.x * 7 + 0.4)
    regions[(sheet.y > hills) & (from_sun > 0.115)] = 3
    regions[sheet.y > 0.60 + 0.045 * np.sin(sheet.x * 8 + 2.4)] = 4
    river = 0.43 + 0.13 * np.sin(sheet.y * 11 - 6.2)
    regions[(np.abs(sheet.x - river) < 0.02 + 0.22 * (sheet.y - 0.6)) & (sheet.y > 0.615)] = 5
    for x, top, tilt, size in (
        (0.17, 0.60, -0.2, 1.0),
        (0.33, 0.74, 0.15, 0.8),
        (0.60, 0.56, 0.25, 1.05),
        (0.50, 0.78, -0.15, 0.7),
    ):
        tulip(regions, sheet, (x, top), tilt, size)
    frame(regions, sheet)
    return regions


def tulip(regions: Labels, sheet: Sheet, at: Point, tilt: float, size: float) -> None:
    (x, y), s = at, 0.085 * size
    foot = (x - tilt * 0.1, 1.0)
    regions[polygon(sheet, [(x - 0.007, y), (x + 0.009, y), (foot[0] + 0.010, 1.0), (foot[0] - 0.008, 1.0)]) > 0.5] = 6
    for side in (-1, 1):
        leaf = curve(
            [
                foot,
                (foot[0] + side * 0.075 * size, 0.88),
                (x + side * 0.075 * size, y + 0.15 * size),
                (x + side * 0.03, 0.90),
            ],
            closed=True,
        )
        regions[polygon(sheet, leaf) > 0.5] = 6
    cup = curve(
        [
            (x - 0.55 * s, y - 0.95 * s),
            (x - 0.75 * s, y - 0.1 * s),
            (x, y + 0.55 * s),
            (x + 0.75 * s, y - 0.1 * s),
            (x + 0.55 * s, y - 0.95 * s),
            (x, y - 0.45 * s),
        ],
        closed=True,
    )
    regions[polygon(sheet, cup) > 0.5] = 7
    heart = curve(
        [(x, y - 1.15 * s), (x - 0.32 * s, y - 0.3 * s), (x, y + 0.45 * s), (x + 0.32 * s, y - 0.3 * s)], closed=True
    )
    regions[polygon(sheet, heart) > 0.5] = 10


def frame(regions: Labels, sheet: Sheet) -> None:
    margin = np.minimum(np.minimum(sheet.x, sheet.aspect - sheet.x), np.minimum(sheet.y, 1 - sheet.y))
    regions[margin < 0.045] = 8


def spokes(sheet: Sheet, regions: Labels) -> Labels:
    """Further cuts: the sun's disc and rays in sectors, the frame in blocks."""
    angle = np.arctan2(sheet.y - SUN[1], sheet.x - SUN[0])
    sector = np.floor((angle * 11 + 0.6) / (2 * np.pi) + 20).astype(np.int64)  # one to each ray
    slice_of_disc = np.floor((angle + np.pi) / (2 * np.pi) * 11).astype(np.int64)
    ring = (away(sheet, SUN) > 0.22).astype(np.int64)
    block = np.where(
        (sheet.y < 0.045) | (sheet.y > 0.955),
        np.floor(sheet.x / 0.0785),
        40 + np.floor(sheet.y / 0.0785) + 40 * (sheet.x > 0.4),
    ).astype(np.int64)
    cut = np.where(regions == 1, 1 + sector + 30 * ring, 0)
    cut = np.where(regions == 2, 1 + slice_of_disc, cut)
    return np.where(regions == 8, 1 + block, cut)
