"""The wave and the mountain: flat woodblock colours, carved outlines, the grain of block and paper."""

import numpy as np

from samples.scene import Array, Point, Sheet, below, curve, full, lay, lines, noise, polygon, ramp
from samples.surface import grained

INK = "#18264a"
BLUES = ("#1f3f77", "#f0e8d2", "#2f5f9a", "#f0e8d2", "#1f3f77", "#7fa6bd", "#1f3f77", "#e6dfc8", "#2f5f9a")

BACK: tuple[Point, ...] = (  # the long outer slope of the great wave, from the left edge up to the tip of the claw
    (-0.05, 0.62), (0.10, 0.50), (0.22, 0.30), (0.34, 0.13), (0.50, 0.075), (0.64, 0.14), (0.705, 0.26),
)  # fmt: skip
HOLLOW: tuple[Point, ...] = (  # and its inner face
    (0.62, 1.05), (0.52, 0.92), (0.44, 0.74), (0.42, 0.55), (0.47, 0.38), (0.57, 0.29), (0.69, 0.30),
)  # fmt: skip


def paint(sheet: Sheet) -> Array:
    sky = ramp(
        sheet.y + 0.02 * noise(sheet, 2, cell=0.3, stretch=3),
        [(0, "#8d98a0"), (0.10, "#c9c2ab"), (0.26, "#eadbb6"), (0.6, "#f0dfb9"), (1, "#eadab4")],
    )
    picture = full(sheet, sky)
    sun = below(np.hypot(sheet.x - 0.98, sheet.y - 0.24) - 0.085)
    lay(picture, sun, "#cf4a35")
    for x, y, long in (
        (0.86, 0.285, 0.22),
        (1.0, 0.20, 0.17),
        (0.93, 0.315, 0.30),
        (0.16, 0.20, 0.2),
        (0.08, 0.235, 0.3),
    ):
        lay(picture, lines(sheet, [(x - long / 2, y), (x + long / 2, y)], width=0.014), "#f3e8cd")
    mountain(picture, sheet)
    swell(picture, sheet, seed=4, top=0.66, height=0.035, shades=("#5f8fb0", "#e9e2cc"))
    far_boat(picture, sheet)
    great_wave(picture, sheet)
    swell(picture, sheet, seed=9, top=0.83, height=0.055, shades=("#2f5f9a", "#dfe0d0"))
    swell(picture, sheet, seed=14, top=0.93, height=0.04, shades=("#1b3468", "#8fb2c2"))
    lay(picture, seal(sheet), "#b8392c")
    grain = np.sin(sheet.y * 260 + 9 * noise(sheet, 70, cell=0.5, stretch=4, octaves=2))
    picture = picture * (1 + 0.018 * grain)[..., None]
    worn = np.clip(noise(sheet, 71, cell=0.012, octaves=2) * 2 - 1.45, 0, 1) * 0.35
    lay(picture, worn, "#efe2c4")
    return grained(picture, sheet, 72, strength=0.035)


def outlined(picture: Array, sheet: Sheet, shape: list[Point], shade: str, *, width: float = 0.006) -> None:
    lay(picture, polygon(sheet, shape), shade)
    lay(picture, lines(sheet, [*shape, shape[0]], width=width), INK)


def mountain(picture: Array, sheet: Sheet) -> None:
    slope = curve(
        [
            (0.66, 0.68),
            (0.80, 0.60),
            (0.885, 0.50),
            (0.93, 0.455),
            (0.965, 0.455),
            (1.01, 0.50),
            (1.11, 0.60),
            (1.30, 0.68),
        ]
    )
    body = polygon(sheet, slope)
    lay(
        picture,
        body,
        full(sheet, ramp(sheet.y + 0 * sheet.x, [(0.45, "#44577f"), (0.55, "#6d7f9c"), (0.68, "#c5c3b0")])),
    )
    drip = 0.515 + 0.030 * np.abs(((sheet.x * 17) % 1) * 2 - 1) + 0.018 * np.abs(((sheet.x * 41) % 1) * 2 - 1)
    lay(picture, body * below(sheet.y - drip), "#f6f0de")
    lay(picture, lines(sheet, slope, width=0.005), INK)


def great_wave(picture: Array, sheet: Sheet) -> None:
    """Bands between the back and the hollow, each an interpolation of the two, then the foam."""
    back = np.array(curve([(-0.05, 1.05), *BACK], steps=14))
    hollow = np.array(curve([(0.62, 1.05), *HOLLOW[1:], (0.70, 0.285)], steps=14))
    places = np.linspace(0, 1, 90)

    def between(t: float) -> list[Point]:
        ends = [
            np.stack([np.interp(places, np.linspace(0, 1, len(c)), c[:, k]) for k in (0, 1)], -1)
            for c in (back, hollow)
        ]
        return [(float(x), float(y)) for x, y in ends[0] * (1 - t) + ends[1] * t]

    edges = np.linspace(0, 1, len(BLUES) + 1) ** 0.8
    for k, shade in enumerate(BLUES):
        lay(picture, polygon(sheet, [*between(edges[k]), *reversed(between(edges[k + 1]))]), shade)
        lay(picture, lines(sheet, between(edges[k]), width=0.0045), INK)
    lay(picture, lines(sheet, between(1.0), width=0.007), INK)
    foam(picture, sheet, back, hollow)


def foam(picture: Array, sheet: Sheet, back: Array, hollow: Array) -> None:
    """Claws: chains of shrinking discs that curl off the crest; first all outlines, then all white."""
    rng = np.random.default_rng(1831)
    discs: list[tuple[float, float, float]] = []
    crest = back[50:]
    for x, y in crest[::2]:
        discs.append((x + rng.normal(0, 0.006), y + 0.012 + rng.normal(0, 0.006), rng.uniform(0.020, 0.032)))
    roots = np.concatenate([crest[8::5] + [0.0, 0.03], hollow[-26::4] + [-0.005, -0.015]])
    for x, y in roots:
        heading = rng.uniform(0.2, 1.3)
        radius = rng.uniform(0.020, 0.027)
        for _ in range(rng.integers(5, 9)):
            discs.append((x, y, radius))
            x, y = x + np.cos(heading) * radius * 1.15, y + np.sin(heading) * radius * 1.15
            heading += rng.uniform(0.1, 0.42)
            radius *= 0.84
    spray = [(rng.uniform(0.45, 0.98), rng.uniform(0.05, 0.50), rng.uniform(0.003, 0.0065)) for _ in range(60)]
    shadow = [(x + 0.007, y + 0.012, r) for x, y, r in discs]
    for group, swell_by, shade in (
        (discs, 0.0055, INK),
        (shadow, 0.0, "#a9c3cb"),
        (discs, 0.0, "#f7f1df"),
        (spray, 0.0, "#f7f1df"),
    ):
        mask = np.zeros((sheet.height_px, sheet.width_px), np.float32)
        for x, y, radius in group:
            stamp(mask, sheet, x, y, radius + swell_by)
        lay(picture, mask, shade)


def stamp(mask: Array, sheet: Sheet, x: float, y: float, radius: float) -> None:
    """Add one disc to a mask, touching only the pixels around it."""
    h = sheet.height_px
    top, bottom = max(0, int((y - radius) * h) - 2), max(0, int((y + radius) * h) + 3)
    left, right = max(0, int((x - radius) * h) - 2), max(0, int((x + radius) * h) + 3)
    around = np.hypot(sheet.x[:, left:right] - x, sheet.y[top:bottom] - y) - radius
    window = mask[top:bottom, left:right]
    np.maximum(window, below(around, 1.5 / h), out=window)


def swell(picture: Array, sheet: Sheet, *, seed: int, top: float, height: float, shades: tuple[str, str]) -> None:
    """A rolling foreground wave: scalloped bands under a crest."""
    roll = np.sin(sheet.x * 5.2 + seed) * 0.6 + np.abs(np.sin(sheet.x * 3.4 + seed * 2)) * 0.8
    crest = top - height * roll
    lay(picture, below(crest - 0.004 - sheet.y), INK)
    lay(picture, below(crest - sheet.y), shades[0])
    for k in range(1, 6):
        line = crest + 0.02 * k * (1 + 0.35 * np.sin(sheet.x * 9 + seed + k))
        thickness = 0.0075 * (0.35 + np.abs(np.sin(sheet.x * 7 + seed * k)))
        lay(picture, below(np.abs(sheet.y - line) - thickness / 2) * below(crest - sheet.y), shades[1])
    caps = np.abs(np.sin(sheet.x * 34 + seed)) * 0.016
    lay(picture, below(np.abs(sheet.y - crest - caps / 2) - 0.002 - caps / 2), "#f7f1df")


def far_boat(picture: Array, sheet: Sheet) -> None:
    hull = curve([(0.80, 0.655), (0.90, 0.70), (1.04, 0.70), (1.17, 0.635)]) + [(1.03, 0.675), (0.91, 0.675)]
    outlined(picture, sheet, hull, "#d9b878", width=0.005)
    for x in (0.91, 0.95, 0.99, 1.03):
        lay(picture, polygon(sheet, [(x - 0.016, 0.68), (x, 0.648), (x + 0.016, 0.68)]), "#27406e")
        lay(picture, below(np.hypot(sheet.x - x, sheet.y - 0.647) - 0.0085), "#e9c9a0")


def seal(sheet: Sheet) -> Array:
    """An invented mark in a red cartouche, not a letter of any script."""
    box = polygon(sheet, [(0.045, 0.045), (0.085, 0.045), (0.085, 0.125), (0.045, 0.125)])
    cuts = lines(
        sheet,
        [(0.052, 0.060), (0.078, 0.060)],
        [(0.065, 0.060), (0.065, 0.088)],
        [(0.052, 0.092), (0.078, 0.092), (0.078, 0.115)],
        [(0.054, 0.104), (0.054, 0.116)],
        width=0.006,
    )
    return np.clip(box - cuts, 0, 1)
