"""A Sunday by the river: nothing but round dots, complementary colours side by side."""

import numpy as np

from samples.scene import Array, Point, Sheet, away, below, full, lay, lines, noise, polygon, ramp, ridge
from samples.strokes import Canvas, sample, scatter
from samples.surface import lit, woven

# Every dot takes one of these where it is nearest to the colour wanted; pure tints make the eye do the mixing.
SHADE_SHIFT = np.array([-0.10, -0.04, 0.16], np.float32)  # shadows lean to blue-violet
LIGHT_SHIFT = np.array([0.12, 0.06, -0.14], np.float32)  # lights to orange-yellow


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1886)
    reference = composition(sheet)
    canvas = Canvas(sheet, reference * 0.45 + np.array([0.48, 0.45, 0.38], np.float32))
    for radius, spacing in ((0.0085, 0.0125), (0.0062, 0.0105), (0.0046, 0.0095)):
        dots(canvas, reference, radius, spacing, rng)
    return woven(lit(canvas.colour(), canvas.height(), depth=0.5), sheet, strength=0.02)


def dots(canvas: Canvas, reference: Array, radius: float, spacing: float, rng: np.random.Generator) -> None:
    points = scatter(canvas.sheet, spacing, rng)
    wanted = sample(reference, points, canvas.sheet)
    kind = rng.random(len(points))[:, None]
    shifted = np.where(kind < 0.36, wanted + SHADE_SHIFT, np.where(kind < 0.72, wanted + LIGHT_SHIFT, wanted))
    grey = shifted.mean(-1, keepdims=True)
    pure = grey + (shifted - grey) * 1.35
    accent = np.where(grey < 0.45, np.array([0.87, 0.40, 0.22]), np.array([0.98, 0.90, 0.62]))
    pure = np.where(kind > 0.95, 0.5 * pure + 0.5 * accent, pure)
    pure = pure + rng.normal(0, 0.035, pure.shape)
    canvas.dab(points, pure.astype(np.float32), radius * rng.uniform(0.75, 1.15, len(points)).astype(np.float32))


def composition(sheet: Sheet) -> Array:
    sky = ramp(
        sheet.y + 0.04 * noise(sheet, 4, cell=0.2, stretch=3), [(0, "#8fb7dd"), (0.2, "#c4d8df"), (0.36, "#f6e6c4")]
    )
    picture = full(sheet, sky)
    clouds = np.clip(noise(sheet, 10, cell=0.13, stretch=2.6) * 2 - 0.5, 0, 1)
    lay(picture, clouds * 0.8, "#fff4e0")
    hill = ridge(sheet, 6, base=0.335, height=0.05, cell=0.4, octaves=3)
    lay(picture, below(hill - sheet.y), "#93a9c4")
    far = ridge(sheet, 16, base=0.352, height=0.05, cell=0.07)
    lay(
        picture,
        below(far - sheet.y),
        full(sheet, ramp(noise(sheet, 17, cell=0.04), [(-0.5, "#4c7d62"), (0.6, "#a3b765")])),
    )
    house(picture, sheet)
    river(picture, sheet)
    for at, size in (((0.62, 0.53), 1.0), ((0.90, 0.46), 0.6), ((0.40, 0.445), 0.45)):
        sailing_boat(picture, sheet, at, size)
    bank(picture, sheet)
    tree(picture, sheet, (1.07, 0.80), (1.06, 0.23), 0.27, seed=33)
    tree(picture, sheet, (0.045, 0.74), (0.03, 0.22), 0.17, seed=34)
    for at, size, dress, shade in (
        ((0.335, 0.83), 1.0, "#7b3f73", "#e4572e"), ((0.425, 0.84), 0.95, "#27355f", ""),
        ((0.73, 0.90), 0.8, "#f0ead6", "#f2b632"),
    ):  # fmt: skip
        stroller(picture, sheet, at, size, dress, shade)
    return picture


def house(picture: Array, sheet: Sheet) -> None:
    lay(picture, polygon(sheet, [(0.49, 0.29), (0.59, 0.29), (0.59, 0.375), (0.49, 0.375)]), "#f7e3c0")
    lay(picture, polygon(sheet, [(0.475, 0.295), (0.51, 0.24), (0.575, 0.24), (0.605, 0.295)]), "#d2603a")
    for x in (0.51, 0.54, 0.57):
        lay(picture, lines(sheet, [(x, 0.315), (x, 0.34)], width=0.012), "#4d638f")


def river(picture: Array, sheet: Sheet) -> None:
    top = 0.372
    mirrored = np.clip((2 * top - sheet.y) * sheet.height_px, 0, sheet.height_px - 1).astype(int)[:, 0]
    wobble = (noise(sheet, 60, cell=0.015, stretch=6, octaves=2) * 0.02 * sheet.height_px).astype(int)
    columns = np.clip(np.arange(sheet.width_px)[None, :] + wobble, 0, sheet.width_px - 1)
    mirror = picture[mirrored[:, None], columns] * 0.82 + np.array([0.02, 0.07, 0.13], np.float32)
    deep = full(sheet, ramp(sheet.y, [(0.37, "#a9c9d6"), (0.55, "#5f9bc0"), (0.8, "#3a6ea6")]))
    water = np.where((sheet.y < 0.5)[..., None], mirror * 0.7 + deep * 0.3, mirror * 0.3 + deep * 0.7)
    glints = np.clip(noise(sheet, 61, cell=0.012, stretch=7, octaves=2) * 2.5 - 0.7, 0, 1)
    lay(water, glints * 0.8, "#f3ecd0")
    lay(picture, below(top - sheet.y), water)


def sailing_boat(picture: Array, sheet: Sheet, at: Point, size: float) -> None:
    (x, y), s = at, 0.1 * size
    lay(
        picture,
        polygon(sheet, [(x - 0.7 * s, y), (x + 0.9 * s, y), (x + 0.4 * s, y + 1.1 * s), (x - 0.2 * s, y + 1.2 * s)])
        * 0.6,
        "#f4ecd8",
    )
    lay(picture, polygon(sheet, [(x, y - 2.1 * s), (x + 1.1 * s, y - 0.2 * s), (x, y - 0.25 * s)]), "#fdf6e3")
    lay(
        picture,
        polygon(sheet, [(x - 0.08 * s, y - 1.9 * s), (x - 0.75 * s, y - 0.2 * s), (x - 0.08 * s, y - 0.25 * s)]),
        "#ecc9a0",
    )
    lay(
        picture,
        polygon(
            sheet,
            [
                (x - s, y - 0.15 * s),
                (x + 1.2 * s, y - 0.18 * s),
                (x + 0.8 * s, y + 0.2 * s),
                (x - 0.7 * s, y + 0.2 * s),
            ],
        ),
        "#a63d2f",
    )


def bank(picture: Array, sheet: Sheet) -> None:
    edge = 0.86 - 0.23 * np.exp(-((sheet.x / 0.5) ** 2)) - 0.16 * np.clip(sheet.x - 0.75, 0, 1) ** 0.8 / 0.55
    grass = ramp(
        noise(sheet, 70, cell=0.05, stretch=2.5) + 0 * edge, [(-0.6, "#4f8a3c"), (0, "#8fb443"), (0.6, "#d6cf58")]
    )
    lay(picture, below(edge - sheet.y), grass)
    shadow = np.clip(noise(sheet, 72, cell=0.16, stretch=3.0) * 3 + (sheet.y - 0.86) * 8, 0, 1)
    lay(picture, below(edge + 0.06 - sheet.y, 0.03) * shadow * 0.85, "#2c5a4a")
    flowers = np.clip(noise(sheet, 74, cell=0.02, octaves=2) * 5 - 3.2, 0, 1) * below(edge + 0.03 - sheet.y)
    lay(picture, flowers, "#e8543f")


def tree(picture: Array, sheet: Sheet, foot: Point, crown: Point, reach: float, *, seed: int) -> None:
    (x, y), top = foot, crown[1]
    trunk = [(x - 0.03, y), (x - 0.014, top + 0.1), (x + 0.014, top + 0.1), (x + 0.024, y)]
    lay(picture, polygon(sheet, trunk), "#5b3a4a")
    ragged = noise(sheet, seed, cell=0.10, octaves=4)
    leaves = below(away(sheet, crown, flatten=0.95) - reach * (0.92 + 0.45 * ragged), 0.02)
    sun = (crown[0] - sheet.x + (crown[1] - sheet.y)) / reach * 0.45 + 0.9 * noise(sheet, seed + 1, cell=0.06)
    lay(
        picture,
        leaves,
        full(sheet, ramp(sun, [(-0.7, "#1f3d4f"), (-0.1, "#2f6a43"), (0.35, "#7aa83f"), (0.8, "#e3d25a")])),
    )


def stroller(picture: Array, sheet: Sheet, at: Point, size: float, dress: str, shade: str) -> None:
    (x, y), s = at, 0.16 * size
    cast = polygon(sheet, [(x - 0.1 * s, y), (x + 0.1 * s, y), (x + 0.9 * s, y + 0.16 * s), (x + 0.6 * s, y + 0.2 * s)])
    lay(picture, cast * 0.8, "#24475a")
    skirt = [
        (x - 0.08 * s, y - 0.55 * s),
        (x + 0.1 * s, y - 0.55 * s),
        (x + 0.24 * s, y + 0.02 * s),
        (x - 0.22 * s, y + 0.02 * s),
    ]
    bodice = [
        (x - 0.11 * s, y - 0.82 * s),
        (x + 0.11 * s, y - 0.82 * s),
        (x + 0.09 * s, y - 0.5 * s),
        (x - 0.08 * s, y - 0.5 * s),
    ]
    lay(picture, polygon(sheet, skirt, bodice), dress)
    lay(picture, below(away(sheet, (x, y - 0.9 * s)) - 0.075 * s), "#e9b48c")
    lay(picture, below(away(sheet, (x, y - 0.97 * s), flatten=2) - 0.1 * s), "#3a2a3a")
    if shade:
        lay(picture, lines(sheet, [(x + 0.1 * s, y - 0.65 * s), (x + 0.2 * s, y - 1.2 * s)], width=0.03 * s), "#4a2f2a")
        dome = below(away(sheet, (x + 0.19 * s, y - 1.08 * s), flatten=1.2) - 0.36 * s) * below(
            sheet.y - (y - 1.08 * s)
        )
        lay(picture, dome, shade)
