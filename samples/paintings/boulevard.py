"""Palms at sundown: pop art, printed as if by a cheap press, with coarse dots and inked outlines."""

import numpy as np

from samples.scene import Array, Point, Sheet, away, below, colour, curve, full, lay, lines, noise, polygon
from samples.strokes import OVERSAMPLING

INK = "#15131c"
DOT = 0.0135
SUN: Point = (0.63, 0.46)


def paint(sheet: Sheet) -> Array:
    large = sheet.enlarged(OVERSAMPLING)
    picture = flats(large)
    lay(picture, drawing(large), INK)
    h, w = sheet.height_px, sheet.width_px
    halved = picture.reshape(h, OVERSAMPLING, w, OVERSAMPLING, 3).mean((1, 3))
    worn = 1 - 0.05 * np.clip(noise(sheet, 7, cell=0.01, octaves=2), 0, 1)
    yellowed = halved * worn[..., None] * np.array([1.0, 0.985, 0.93], np.float32)
    return np.asarray(yellowed, np.float32)


def dots(sheet: Sheet, tone: Array, *, angle: float = 0.785, pitch: float = DOT) -> Array:
    """A halftone screen: dots whose area is `tone` (field, 0..1)."""
    u = (sheet.x * np.cos(angle) + sheet.y * np.sin(angle)) / pitch
    v = (-sheet.x * np.sin(angle) + sheet.y * np.cos(angle)) / pitch
    centre = np.hypot(u % 1 - 0.5, v % 1 - 0.5)
    return below(centre - np.sqrt(np.clip(tone, 0, 1) / np.pi) * 1.12, 0.12)


def printed(
    picture: Array, sheet: Sheet, mask: Array, ground: str, screen: str, tone: Array, *, angle: float = 0.785
) -> None:
    """One flat of colour with a second ink screened over it."""
    spots = dots(sheet, tone, angle=angle)
    flat = colour(ground) + (colour(screen) - colour(ground)) * spots[..., None]
    lay(picture, mask, flat.astype(np.float32))


def flats(sheet: Sheet) -> Array:
    picture = sheet.filled("#fff6dd")
    sky = full(sheet, below(sheet.y - 0.62))
    printed(picture, sheet, sky, "#ffd21f", "#ff2f7d", np.clip(0.95 - 1.55 * sheet.y, 0, 1) + 0 * sheet.x)
    sun = below(away(sheet, SUN) - 0.235)
    bars = sum(below(np.abs(sheet.y - y) - t) for y, t in ((0.44, 0.006), (0.49, 0.009), (0.54, 0.012), (0.585, 0.014)))
    printed(
        picture,
        sheet,
        sun * (1 - np.clip(bars, 0, 1)),
        "#fff6dd",
        "#ff3b30",
        np.clip(2.2 * (sheet.y - 0.28), 0, 1) + 0 * sheet.x,
        angle=0.3,
    )
    for cloud in clouds():
        puff = puffs(sheet, cloud)
        printed(picture, sheet, puff, "#fff6dd", "#19b5e8", np.clip((sheet.y - cloud[0][1]) * 9, 0, 0.55) + 0 * sheet.x)
    hill = below(hills(sheet) - sheet.y) * sky
    printed(picture, sheet, hill, "#8e3fd1", "#2a1470", np.clip(6 * (sheet.y - hills(sheet)), 0, 0.8))
    sea = below(0.62 - sheet.y)
    printed(
        picture, sheet, full(sheet, sea), "#19b5e8", "#1240ab", np.clip(2.6 * (sheet.y - 0.60), 0, 0.85) + 0 * sheet.x
    )
    glitter = below(np.abs(np.sin(sheet.y * 150)) - 0.5, 0.3) * below(
        np.abs(sheet.x - SUN[0]) - 0.19 + 0.05 * np.sin(sheet.y * 83), 0.004
    )
    lay(picture, glitter * sea * below(sheet.y - 0.80, 0.02), "#ffd21f")
    beach = polygon(sheet, shore())
    printed(picture, sheet, beach, "#ffd21f", "#ff8a1f", np.clip(2.6 * (sheet.y - 0.80), 0.06, 0.75) + 0 * sheet.x)
    for foot, top, bend, size in PALMS:
        printed(
            picture,
            sheet,
            polygon(sheet, trunk(foot, top, bend)),
            "#ff8a1f",
            "#b3123f",
            np.clip(0.3 + 12 * (sheet.x - foot[0]), 0.1, 0.7) + 0 * sheet.y,
        )
        leaves = polygon(sheet, *fronds(top, size))
        printed(
            picture,
            sheet,
            leaves,
            "#17b169",
            "#064f3b",
            np.clip(0.2 + 3.2 * (sheet.y - top[1] + 0.05), 0.05, 0.8) + 0 * sheet.x,
        )
    return picture


PALMS: tuple[tuple[Point, Point, float, float], ...] = (
    ((0.20, 0.97), (0.27, 0.27), -0.085, 1.0),
    ((0.12, 0.94), (0.06, 0.45), 0.035, 0.72),
    ((1.12, 0.98), (1.04, 0.40), 0.075, 0.8),
)


def hills(sheet: Sheet) -> Array:
    return np.asarray(
        0.56
        - 0.10 * np.exp(-(((sheet.x - 1.08) / 0.16) ** 2))
        - 0.06 * np.exp(-(((sheet.x - 0.86) / 0.09) ** 2))
        - 0.07 * np.exp(-((sheet.x / 0.3) ** 2))
        + 0.07 * np.exp(-(((sheet.x - 0.52) / 0.2) ** 2))
    )


def shore() -> list[Point]:
    return [
        *curve([(-0.02, 0.80), (0.20, 0.84), (0.50, 0.92), (0.80, 0.93), (1.05, 0.87), (1.28, 0.80)]),
        (1.28, 1.02),
        (-0.02, 1.02),
    ]


def trunk(foot: Point, top: Point, bend: float) -> list[Point]:
    middle = ((foot[0] + top[0]) / 2 + bend, (foot[1] + top[1]) / 2)
    left = curve([(foot[0] - 0.026, foot[1]), (middle[0] - 0.018, middle[1]), (top[0] - 0.012, top[1])])
    right = curve([(top[0] + 0.012, top[1]), (middle[0] + 0.018, middle[1]), (foot[0] + 0.030, foot[1])])
    return left + right


def fronds(top: Point, size: float) -> list[list[Point]]:
    """Nine leaves arching out of the crown, cut along their lower edge."""
    leaves: list[list[Point]] = []
    for angle in np.linspace(-3.55, 0.45, 9):
        reach = size * (0.22 if abs(angle + 1.55) > 0.6 else 0.17)
        t = np.linspace(0, 1, 15)
        x = top[0] + np.cos(angle) * reach * t
        y = top[1] + np.sin(angle) * reach * t + 0.62 * reach * t**2
        belly = 0.030 * size * np.sin(np.pi * t**0.8)
        cut = np.where(np.arange(15) % 2 == 0, 0.35, 1.25)
        upper = list(zip(x.tolist(), (y - belly * 0.55).tolist(), strict=True))
        lower = list(zip(x.tolist(), (y + belly * cut + 0.004).tolist(), strict=True))
        leaves.append(upper + lower[::-1])
    return leaves


def clouds() -> list[list[tuple[float, float, float]]]:
    return [
        [(0.95, 0.17, 0.050), (1.02, 0.14, 0.062), (1.09, 0.165, 0.050), (1.14, 0.19, 0.032), (0.89, 0.19, 0.030)],
        [(0.49, 0.13, 0.035), (0.54, 0.11, 0.045), (0.59, 0.135, 0.032)],
    ]


def puffs(sheet: Sheet, discs: list[tuple[float, float, float]], grow: float = 0.0) -> Array:
    flat_foot = max(y + 0.55 * r for _, y, r in discs)
    union = np.min([away(sheet, (x, y)) - r for x, y, r in discs], axis=0)
    return below(np.maximum(union, sheet.y - flat_foot) - grow)


def drawing(sheet: Sheet) -> Array:
    """All black lines, thick and thin."""
    heavy = [[*shape, shape[0]] for foot, top, bend, _ in PALMS for shape in [trunk(foot, top, bend)]]
    leaves = [[*leaf, leaf[0]] for _, top, _, size in PALMS for leaf in fronds(top, size)]
    rings = []
    for foot, top, bend, _ in PALMS:
        outline = trunk(foot, top, bend)
        half = len(outline) // 2
        rings += [[outline[k], (outline[-1 - k][0] - 0.006, outline[-1 - k][1] + 0.008)] for k in range(2, half - 1, 2)]
    ink = (
        lines(sheet, *heavy, shore()[:-2], width=0.0085)
        + lines(sheet, *leaves, width=0.0055)
        + lines(sheet, *rings, width=0.0042)
    )
    ink += below(np.abs(away(sheet, SUN) - 0.235) - 0.0035) * below(sheet.y - hills(sheet))
    for cloud in clouds():
        ink += puffs(sheet, cloud, 0.0035) - puffs(sheet, cloud, -0.0035)
    ink += below(np.abs(sheet.y - hills(sheet)) - 0.004) * below(sheet.y - 0.62)
    ink += below(np.abs(sheet.y - 0.62) - 0.0035)
    waves = [
        curve([(x, y), (x + 0.03, y - 0.011), (x + 0.06, y), (x + 0.09, y - 0.011), (x + 0.12, y)])
        for x, y in ((0.36, 0.69), (0.88, 0.70), (0.47, 0.77), (0.76, 0.80), (0.95, 0.77), (0.32, 0.80))
    ]
    ink += lines(sheet, *waves, width=0.006)
    # Coconuts, and the frame of the panel.
    for _, (x, y), _, size in PALMS:
        for dx, dy in ((-0.02, 0.022), (0.012, 0.028), (-0.004, 0.012)):
            ink += below(away(sheet, (x + dx * size, y + dy * size)) - 0.0135 * size)
    margin = np.minimum(np.minimum(sheet.x, sheet.aspect - sheet.x), np.minimum(sheet.y, 1 - sheet.y))
    for _, top, _, size in PALMS:
        leaf_mask = polygon(sheet, *fronds(top, size))
        veins = lines(sheet, *[leaf[:15] for leaf in fronds(top, size)], width=0.003)
        ink += veins * leaf_mask
    return np.clip(ink + below(margin - 0.016), 0, 1)
