"""Morning on the lagoon: transparent washes over rough white paper, pigment gathering at every edge."""

import numpy as np
from scipy import ndimage

from samples.scene import Array, Point, Sheet, away, below, colour, curve, full, lines, noise, polygon, ridge
from samples.strokes import blurred
from samples.surface import tooth


def paint(sheet: Sheet) -> Array:
    paper = Washes(sheet)
    sky(paper)
    paper.wash(
        below(ridge(sheet, 11, base=0.46, height=0.05, cell=0.2) - sheet.y) * below(sheet.y - 0.535, 0.02),
        "#7f95c4",
        0.55,
        seed=20,
    )
    paper.wash(
        below(ridge(sheet, 12, base=0.49, height=0.04, cell=0.12) - sheet.y) * below(sheet.y - 0.54),
        "#6a8fb0",
        0.5,
        seed=21,
    )
    town(paper)
    water(paper)
    boats(paper)
    return paper.finished()


class Washes:
    """White paper and what has been washed over it; pigment only ever takes light away."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._light = sheet.filled("#fbf7ec")
        self._tooth = tooth(sheet, 3, grain=0.009)
        self._pools = noise(sheet, 7, cell=0.10, octaves=4)
        self._drag = noise(sheet, 6, cell=0.014, stretch=9, octaves=2)  # streaks of a brush pulled sideways
        # The hand: no edge of a wash is ruled. Pixels by which every shape is pushed about.
        sway = [noise(sheet, seed, cell=0.035, octaves=3) * 0.0045 * sheet.height_px for seed in (4, 5)]
        self._rows = np.clip(np.arange(sheet.height_px)[:, None] + sway[0].astype(int), 0, sheet.height_px - 1)
        self._columns = np.clip(np.arange(sheet.width_px)[None, :] + sway[1].astype(int), 0, sheet.width_px - 1)

    def wash(
        self, shape: Array, hex_colour: str, load: float, *, seed: int, wet: float = 0.0, dry: float = 0.0
    ) -> None:
        """Lay a transparent colour over `shape` (field, 0..1).

        Args:
            load: how much pigment, about 0..1.
            wet: how far it runs, a fraction of the height: above 0 edges are soft.
            dry: 0..1, how much of the paper's hollows a dry brush skips.
        """
        sheet = self.sheet
        shape = full(sheet, shape)[self._rows, self._columns]
        shape = ndimage.gaussian_filter(
            shape, 0.6, truncate=2
        )  # the sway moves whole pixels; this rounds the steps off
        if wet:
            shape = np.clip(
                blurred(shape, wet) + 0.35 * noise(sheet, seed + 500, cell=0.09, octaves=4) * blurred(shape, 2 * wet),
                0,
                1,
            )
        if dry:
            shape = shape * np.clip(0.62 + 1.1 * (self._tooth + 0.5 - dry) + 0.9 * self._drag, 0, 1)
        # Drying pigment creeps outwards and settles in a dark line just inside the edge.
        rim = np.clip(shape - blurred(shape, 0.006), 0, 1) * 1.5 * (0 if wet else 1)
        turned = self._pools[:: 1 - 2 * (seed % 2), :: 1 - 2 * (seed // 2 % 2)]
        pools = 1 + 0.42 * turned + 0.16 * self._tooth
        amount = load * shape * np.clip(pools + rim, 0.1, None)
        absorbed = 1 - colour(hex_colour)
        self._light *= np.exp(-1.35 * amount[..., None] * absorbed)

    def finished(self) -> Array:
        """The sheet, lit a little from the side, with a ragged unpainted margin."""
        sheet = self.sheet
        margin = np.minimum(np.minimum(sheet.x, sheet.aspect - sheet.x), np.minimum(sheet.y, 1 - sheet.y))
        kept = below(0.028 + 0.012 * noise(sheet, 9, cell=0.06, octaves=4) - margin, 0.004)[..., None]
        picture = sheet.filled("#fbf7ec") * (1 - kept) + self._light * kept
        down, right = np.gradient(self._tooth)
        shade = np.asarray(1 - 0.06 * np.clip(down + right, -1, 1))
        return np.asarray(picture * shade[..., None])


def sky(paper: Washes) -> None:
    sheet = paper.sheet
    gap = np.clip(0.75 + 1.6 * noise(sheet, 31, cell=0.20, stretch=2.2), 0, 1)
    paper.wash(below(sheet.y - 0.26, 0.3) * gap, "#3f7fc4", 0.85, seed=30, wet=0.012)
    paper.wash(np.exp(-(((sheet.y - 0.40) / 0.10) ** 2)) + 0 * sheet.x, "#f6b26b", 0.50, seed=32, wet=0.02)
    paper.wash(np.exp(-((away(sheet, (0.93, 0.36)) / 0.13) ** 2)), "#f2744e", 0.7, seed=33, wet=0.02)
    clouds = np.clip(noise(sheet, 35, cell=0.12, stretch=2.6) * 2.5 - 0.7, 0, 1) * below(sheet.y - 0.33, 0.2)
    paper.wash(clouds, "#8d86b8", 0.5, seed=36, wet=0.006)


def town(paper: Washes) -> None:
    """Houses along the quay, from pale to strong; then windows and shadows over them, wet on dry."""
    sheet = paper.sheet
    rng = np.random.default_rng(1819)
    dome(paper, (0.36, 0.38))
    x = 0.02
    seed = 40
    while x < 0.86:
        wide, top = rng.uniform(0.05, 0.10), rng.uniform(0.36, 0.45) + 0.05 * (x > 0.55)
        wall = str(rng.choice(["#e9a56b", "#e27d60", "#f0c987", "#c96f5b", "#e8b9a0", "#d9a441"]))
        paper.wash(
            polygon(sheet, [(x, top), (x + wide * 0.97, top), (x + wide * 0.97, 0.56), (x, 0.56)]), wall, 1.0, seed=seed
        )
        paper.wash(
            polygon(sheet, [(x - 0.006, top + 0.004), (x + wide / 2, top - 0.03), (x + wide, top + 0.004)]),
            "#a8483a",
            1.2,
            seed=seed + 1,
        )
        paper.wash(
            polygon(sheet, [(x, top), (x + wide * 0.32, top), (x + wide * 0.26, 0.56), (x, 0.56)]),
            "#6f6fa8",
            0.65,
            seed=seed + 2,
        )
        for row in np.arange(top + 0.03, 0.53, 0.042):
            panes = [[(c, row), (c, row + 0.017)] for c in np.arange(x + 0.018, x + wide - 0.012, 0.023)]
            paper.wash(lines(sheet, *panes, width=0.008), "#3a3f6e", 1.2, seed=seed + 3)
        x += wide
        seed += 5
    tower(paper, 0.685)


def dome(paper: Washes, at: Point) -> None:
    (x, y), sheet = at, paper.sheet
    cap = curve([(x - 0.085, y), (x - 0.075, y - 0.06), (x, y - 0.125), (x + 0.075, y - 0.06), (x + 0.085, y)])
    paper.wash(polygon(sheet, cap), "#6fa3a8", 1.0, seed=90)
    shade = curve([(x - 0.085, y), (x - 0.075, y - 0.06), (x, y - 0.125), (x - 0.02, y - 0.06), (x - 0.025, y)])
    paper.wash(polygon(sheet, shade), "#4f6f9a", 0.8, seed=91)
    paper.wash(
        polygon(
            sheet,
            [
                (x - 0.017, y - 0.12),
                (x - 0.014, y - 0.16),
                (x, y - 0.185),
                (x + 0.014, y - 0.16),
                (x + 0.017, y - 0.12),
            ],
        ),
        "#6fa3a8",
        1.1,
        seed=92,
    )
    paper.wash(
        polygon(sheet, [(x - 0.09, y), (x + 0.09, y), (x + 0.09, 0.5), (x - 0.09, 0.5)]), "#eccfa0", 0.8, seed=93
    )


def tower(paper: Washes, x: float) -> None:
    sheet = paper.sheet
    paper.wash(
        polygon(sheet, [(x - 0.026, 0.18), (x + 0.026, 0.18), (x + 0.028, 0.56), (x - 0.028, 0.56)]),
        "#c9664a",
        1.25,
        seed=95,
    )
    paper.wash(
        polygon(sheet, [(x - 0.026, 0.18), (x - 0.006, 0.18), (x - 0.006, 0.56), (x - 0.028, 0.56)]),
        "#6a5a94",
        0.8,
        seed=96,
    )
    paper.wash(polygon(sheet, [(x - 0.031, 0.182), (x, 0.085), (x + 0.031, 0.182)]), "#5f8f86", 1.3, seed=97)
    paper.wash(
        lines(sheet, [(x - 0.008, 0.205), (x - 0.008, 0.235)], [(x + 0.010, 0.205), (x + 0.010, 0.235)], width=0.011),
        "#33365f",
        1.3,
        seed=98,
    )


def water(paper: Washes) -> None:
    sheet = paper.sheet
    lagoon = below(0.558 - sheet.y)
    paper.wash(lagoon, "#8fc7cf", 0.75, seed=110)
    for x, wide, tint, reach in (
        (0.36, 0.10, "#7fa7a0", 0.26),
        (0.15, 0.13, "#dd8a62", 0.15),
        (0.55, 0.12, "#dd9a62", 0.14),
        (0.685, 0.034, "#b95a48", 0.34),
        (0.80, 0.06, "#d9a06a", 0.12),
    ):
        ragged = wide * (0.75 + 0.6 * noise(sheet, int(x * 1000), cell=0.016, stretch=5, octaves=2))
        paper.wash(
            lagoon * below(np.abs(sheet.x - x) - ragged) * below(sheet.y - 0.56 - reach, 0.1),
            tint,
            0.85,
            seed=111 + int(100 * x),
        )
    bands = noise(sheet, 130, cell=0.030, stretch=8, octaves=2) - 0.55 + 0.9 * (sheet.y - 0.56)
    paper.wash(lagoon * below(0.06 - bands, 0.02), "#2f7fa0", 0.75, seed=131)
    deep = noise(sheet, 133, cell=0.035, stretch=7, octaves=2) - 0.75 + 1.3 * (sheet.y - 0.6)
    paper.wash(lagoon * below(0.1 - deep, 0.02), "#1f4f86", 0.9, seed=134, dry=0.45)
    paper.wash(
        np.exp(-(((sheet.x - 0.95) / 0.09) ** 2)) * lagoon * below(sheet.y - 0.75, 0.2),
        "#f2a05a",
        0.5,
        seed=136,
        wet=0.01,
    )


def boats(paper: Washes) -> None:
    sheet = paper.sheet
    poles = [[(x, 0.60 + d), (x + 0.004, 0.80 + d)] for x, d in ((0.97, 0.0), (1.02, 0.03), (1.09, 0.0), (1.15, 0.05))]
    paper.wash(lines(sheet, *poles, width=0.011), "#5a3f5a", 1.3, seed=150)
    for x, y, s in ((0.42, 0.80, 1.0), (0.86, 0.70, 0.6)):
        hull = curve(
            [
                (x - 0.21 * s, y - 0.065 * s),
                (x - 0.15 * s, y + 0.005 * s),
                (x, y + 0.028 * s),
                (x + 0.15 * s, y + 0.005 * s),
                (x + 0.22 * s, y - 0.085 * s),
            ]
        )
        hull += curve(
            [(x + 0.205 * s, y - 0.05 * s), (x + 0.12 * s, y - 0.012 * s), (x, y), (x - 0.13 * s, y - 0.012 * s)]
        )
        paper.wash(polygon(sheet, hull), "#2a2338", 1.9, seed=151)
        glass = [
            (x - 0.17 * s, y + 0.02 * s),
            (x + 0.18 * s, y + 0.02 * s),
            (x + 0.10 * s, y + 0.10 * s),
            (x - 0.08 * s, y + 0.11 * s),
        ]
        paper.wash(polygon(sheet, glass), "#2f4468", 0.9, seed=152, dry=0.5)
        rower = curve(
            [
                (x + 0.07 * s, y),
                (x + 0.065 * s, y - 0.07 * s),
                (x + 0.085 * s, y - 0.12 * s),
                (x + 0.105 * s, y - 0.07 * s),
                (x + 0.10 * s, y),
            ]
        )
        paper.wash(polygon(sheet, rower), "#b8352f", 1.5, seed=153)
        paper.wash(below(away(sheet, (x + 0.085 * s, y - 0.135 * s)) - 0.017 * s), "#4a2f2a", 1.4, seed=154)
        paper.wash(
            lines(sheet, [(x + 0.09 * s, y - 0.09 * s), (x + 0.17 * s, y + 0.07 * s)], width=0.007 * s),
            "#4a2f2a",
            1.6,
            seed=155,
        )
