"""The liner: a travel poster, airbrushed from hard stencils, in teal, coral, cream and gold."""

import numpy as np

from samples.scene import Array, Point, Sheet, away, below, full, lay, lines, noise, polygon, ramp
from samples.surface import grained

SUN: Point = (0.385, 0.40)
NAVY, CREAM, CORAL, TEAL, GOLD = "#12233f", "#f6e7c8", "#e4583e", "#177e89", "#e2ad42"
SEA = 0.815


def paint(sheet: Sheet) -> Array:
    picture = full(sheet, ramp(sheet.y + 0 * sheet.x, [(0, "#0f4c63"), (0.45, "#2a9aa0"), (0.8, "#f3d9a4")]))
    sunburst(picture, sheet)
    gulls(picture, sheet)
    ship(picture, sheet)
    sea(picture, sheet)
    border(picture, sheet)
    # Airbrush: the paint arrives as a mist of droplets.
    mist = noise(sheet, 5, cell=0.0045, octaves=1)
    return grained(picture * (1 + 0.035 * mist)[..., None], sheet, 6, strength=0.025, grain=0.012)


def sunburst(picture: Array, sheet: Sheet) -> None:
    around = away(sheet, SUN)
    angle = np.arctan2(sheet.y - SUN[1], sheet.x - SUN[0])
    beam = (angle / (2 * np.pi) * 24 + 0.25) % 1
    inside = below(np.abs(beam - 0.5) - 0.25, 0.02)
    # Every ray is sprayed from one of its edges: dense there, gone at the other.
    lay(picture, inside * np.clip(0.25 + 1.4 * (beam - 0.25), 0, 0.85) * np.clip(1.15 - around, 0.2, 1), CREAM)
    for radius, ink, dark in (
        (0.268, GOLD, "#b8742a"),
        (0.232, CORAL, "#a52f2c"),
        (0.190, "#f28b50", CORAL),
        (0.145, "#f9c86a", "#f08a48"),
        (0.098, "#fdf0c4", "#f9cf7a"),
    ):
        disc = below(around - radius, 0.003)
        sprayed = ramp((sheet.y - SUN[1]) / radius + 0 * sheet.x, [(-1, ink), (1, dark)])
        lay(picture, disc, full(sheet, sprayed))


def ship(picture: Array, sheet: Sheet) -> None:
    """Seen from the waterline at the bow: everything leans back from one sharp edge."""
    stem: Point = (0.345, 0.40)
    port = [stem, (0.335, SEA + 0.03), (0.135, SEA + 0.03), (0.055, 0.52)]
    starboard = [stem, (0.335, SEA + 0.03), (0.62, SEA + 0.03), (0.735, 0.535)]
    bridge(picture, sheet)
    across = np.clip((sheet.x - 0.335) / 0.39, 0, 1)
    lay(picture, polygon(sheet, port), full(sheet, ramp(sheet.x + 0 * sheet.y, [(0.05, "#0a1628"), (0.33, "#1d3a5f")])))
    lay(
        picture,
        polygon(sheet, starboard),
        full(sheet, ramp(across + 0 * sheet.y, [(0, "#5d86a6"), (0.12, "#2c5278"), (0.6, "#152c4d"), (1, "#0d1d36")])),
    )
    for side, shade in ((port, "#7c2a25"), (starboard, CORAL)):
        foot = [(0.337, 0.755), side[1], side[2], (side[2][0] - (0.022 if side is port else -0.030), 0.765)]
        lay(picture, polygon(sheet, foot), shade)
    lay(picture, lines(sheet, [(0.055, 0.52), stem, (0.735, 0.535)], width=0.011), CREAM)
    lay(picture, lines(sheet, [(0.075, 0.555), (0.344, 0.445), (0.715, 0.565)], width=0.004), GOLD)
    lay(picture, lines(sheet, [stem, (0.336, SEA + 0.02)], width=0.004), "#bcd4df")
    for k in range(9):
        t = 0.12 + 0.095 * k
        x, y = 0.343 + 0.37 * t, 0.49 + 0.105 * t
        lay(picture, below(away(sheet, (x, y)) - 0.0075 + 0.0004 * k), "#fbe6a8")
    anchor = [[(0.40, 0.575), (0.40, 0.62)], [(0.382, 0.608), (0.40, 0.624), (0.418, 0.608)]]
    lay(picture, lines(sheet, *anchor, width=0.006), GOLD)


def bridge(picture: Array, sheet: Sheet) -> None:
    for k, (left, right, top, foot) in enumerate(
        ((0.13, 0.66, 0.435, 0.54), (0.185, 0.60, 0.385, 0.45), (0.235, 0.545, 0.34, 0.395))
    ):
        block = polygon(sheet, [(left, top), (right, top), (right, foot), (left, foot)])
        lay(
            picture,
            block,
            full(
                sheet,
                ramp(sheet.x + 0 * sheet.y, [(left, "#9fb3b5"), (0.345, "#fffaf0"), (0.36, CREAM), (right, "#c9a878")]),
            ),
        )
        panes = [[(x, top + 0.018), (x, top + 0.034)] for x in np.arange(left + 0.02, right - 0.01, 0.026)]
        lay(picture, lines(sheet, *panes, width=0.013), NAVY)
        lay(picture, lines(sheet, [(left - 0.008, top), (right + 0.008, top)], width=0.007), NAVY if k else CORAL)
    for x, top, wide in ((0.29, 0.175, 0.058), (0.445, 0.205, 0.050)):
        stack = polygon(
            sheet, [(x - wide, top), (x + wide, top + 0.006), (x + wide * 1.08, 0.345), (x - wide * 1.08, 0.345)]
        )
        lay(
            picture,
            stack,
            full(
                sheet,
                ramp(
                    (sheet.x - x) / wide + 0 * sheet.y,
                    [(-1, "#7c1f20"), (-0.2, "#ff7d57"), (0.2, CORAL), (1, "#8f2626")],
                ),
            ),
        )
        cap = polygon(
            sheet, [(x - wide, top), (x + wide, top + 0.006), (x + wide, top + 0.04), (x - wide, top + 0.034)]
        )
        lay(
            picture,
            cap,
            full(sheet, ramp((sheet.x - x) / wide + 0 * sheet.y, [(-1, "#060d18"), (-0.2, "#3d5a80"), (1, "#060d18")])),
        )
        ring = polygon(
            sheet, [(x - wide, top + 0.055), (x + wide, top + 0.061), (x + wide, top + 0.073), (x - wide, top + 0.067)]
        )
        lay(picture, ring, CREAM)
        smoke(picture, sheet, (x, top))
    lay(picture, lines(sheet, [(0.367, 0.10), (0.367, 0.34)], [(0.345, 0.155), (0.389, 0.155)], width=0.006), NAVY)
    lay(picture, polygon(sheet, [(0.367, 0.102), (0.425, 0.118), (0.367, 0.135)]), GOLD)


def smoke(picture: Array, sheet: Sheet, at: Point) -> None:
    """Stencilled puffs of a plume, three steps from dark to light."""
    x, y = at
    puffs = [((x - 0.030 - 0.055 * k, y - 0.018 - 0.022 * k), 0.030 + 0.010 * k) for k in range(5)]
    for share, ink in ((1.0, "#12304a"), (0.72, "#285a70"), (0.44, "#5d97a3")):
        for (u, v), radius in puffs:
            # Each step of light moves up and to the right, towards the sun's side.
            shift = 0.35 * radius * (1 - share)
            lay(picture, below(away(sheet, (u + shift, v - shift), flatten=1.2) - radius * share), ink)


def sea(picture: Array, sheet: Sheet) -> None:
    for k, (top, light, dark) in enumerate(
        (
            (0.80, "#3fb3ad", "#145f70"),
            (0.835, "#2a8f98", "#0f4a60"),
            (0.875, "#1f7486", "#0c3850"),
            (0.915, "#185a70", "#082a40"),
        )
    ):
        phase = sheet.x * (19 - 2 * k) + 1.7 * k
        crest = top + 0.013 * np.abs(np.sin(phase)) * (1 + 0.25 * k)
        body = below(crest - sheet.y, 0.002)
        lay(picture, body, full(sheet, ramp((sheet.y - crest) / 0.06, [(0, light), (1, dark)])))
        lay(picture, below(np.abs(sheet.y - crest) - 0.0022, 0.002), CREAM)
    for side, spread in ((-1, 0.20), (1, 0.28)):
        wave = polygon(
            sheet, [(0.336, 0.775), (0.336 + side * spread, 0.862), (0.336 + side * 0.05, 0.862), (0.336, 0.83)]
        )
        lay(picture, wave * np.clip(1 - np.abs(sheet.x - 0.336) / spread, 0.15, 1), "#fffaf0")


def gulls(picture: Array, sheet: Sheet) -> None:
    for x, y, s in ((0.59, 0.20, 1.0), (0.645, 0.265, 0.7), (0.11, 0.30, 0.8)):
        wings = [
            (x - 0.06 * s, y - 0.018 * s),
            (x - 0.02 * s, y - 0.016 * s),
            (x, y + 0.004 * s),
            (x + 0.025 * s, y - 0.022 * s),
            (x + 0.07 * s, y - 0.03 * s),
            (x + 0.02 * s, y - 0.004 * s),
            (x, y + 0.018 * s),
            (x - 0.018 * s, y - 0.004 * s),
        ]
        lay(picture, polygon(sheet, wings), "#fffaf0")


def border(picture: Array, sheet: Sheet) -> None:
    margin = np.minimum(np.minimum(sheet.x, sheet.aspect - sheet.x), np.minimum(sheet.y, 1 - sheet.y))
    lay(picture, below(margin - 0.034, 0.002), CREAM)
    lay(picture, below(np.abs(margin - 0.022) - 0.0022, 0.002), NAVY)
    lay(picture, below(np.abs(margin - 0.0385) - 0.0045, 0.002), NAVY)
