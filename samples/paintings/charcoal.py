"""The winter oak: charcoal dragged over grey paper, smudged with a thumb, heightened with white chalk."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from samples.scene import Array, Point, Sheet, away, below, curve, full, lay, noise, ridge
from samples.strokes import OVERSAMPLING, blurred, sample, scatter
from samples.surface import tooth

MOON: Point = (0.99, 0.22)
# Where the great limbs leave the trunk: x, y, heading, length, width.
LIMBS = (
    (0.45, 0.53, -2.30, 0.125, 0.046), (0.48, 0.52, -1.55, 0.125, 0.048), (0.49, 0.54, -0.85, 0.125, 0.044),
    (0.44, 0.62, -2.85, 0.125, 0.032), (0.49, 0.64, -0.35, 0.125, 0.032),
)  # fmt: skip


def paint(sheet: Sheet) -> Array:
    rough = tooth(sheet, 1, grain=0.0055) * 0.75 + 0.25 * noise(sheet, 2, cell=0.004, octaves=1)
    picture = sheet.filled("#c9bfae") * (1 + 0.03 * noise(sheet, 3, cell=0.02, octaves=3))[..., None]
    dust = smudges(sheet)
    lay(picture, np.clip(0.62 * dust * (0.85 + 0.25 * rough), 0, 1), "#2b2927")
    tree = oak(sheet)
    marks = rubbed(hatching(sheet, dust), rough, hard=0.35) * 0.9 + rubbed(tree, rough, hard=0.6)
    lay(picture, np.clip(marks, 0, 0.95), "#171615")
    lay(picture, chalk(sheet, rough, tree), "#f4f0e6")
    return picture


def rubbed(coal: Array, rough: Array, *, hard: float = 0.5) -> Array:
    """A stick only touches the paper's peaks unless it is pressed (`hard`, 0..1)."""
    left_on_paper = coal * (1 + hard) + 0.70 * rough * (1.2 - hard) - 0.42 * (1 - hard)
    return np.asarray(np.clip(left_on_paper * 1.15, 0, 1) * np.clip(coal * 2.5, 0, 1))


def hills(sheet: Sheet) -> tuple[Array, Array, Array]:
    far = ridge(sheet, 10, base=0.60, height=0.06, cell=0.35, octaves=4)
    middle = ridge(sheet, 11, base=0.68, height=0.05, cell=0.3, octaves=4)
    near = 0.84 - 0.10 * np.exp(-(((sheet.x - 0.46) / 0.35) ** 2)) + ridge(sheet, 12, base=0.0, height=0.02, cell=0.1)
    return far, middle, near


def smudges(sheet: Sheet) -> Array:
    """Tone laid flat and wiped: a stormy sky around the moon, and the hills."""
    clouds = noise(sheet, 20, cell=0.22, stretch=2.0, octaves=5)
    wiped = noise(sheet, 21, cell=0.03, stretch=9, octaves=3)
    sky = (
        0.46
        + 1.25 * clouds
        + 0.20 * wiped
        - 0.75 * np.exp(-((away(sheet, MOON) / 0.24) ** 2))
        - 0.45 * (sheet.y - 0.25)
    )
    dust = np.clip(sky, 0, 0.85)
    for edge, tone, fade in zip(hills(sheet), (0.66, 0.86, 0.97), (0.08, 0.12, 0.6), strict=True):
        body = np.clip(tone * np.exp(-np.clip(sheet.y - edge, 0, None) / fade) + 0.2 * wiped, 0, 1)
        cover = below(edge - sheet.y, 0.012)
        dust = dust * (1 - cover) + body * cover
    return blurred(dust.astype(np.float32), 0.003)


def hatching(sheet: Sheet, tone: Array) -> Array:
    """The side of the stick dragged wherever the picture is dark: long slanting strokes, crossed where darkest."""
    rng = np.random.default_rng(31)
    h = sheet.height_px
    near = hills(sheet)[2]
    total = np.zeros_like(tone)
    for angle, threshold, ink in ((-0.80, 0.28, 0.36), (-0.62, 0.46, 0.40), (0.30, 0.64, 0.46), (-1.15, 0.78, 0.55)):
        points = scatter(sheet, 0.015, rng)
        points = points[sample(tone, points, sheet) > threshold + rng.normal(0, 0.06, len(points))]
        ground = points[:, 1] > np.interp(points[:, 0], sheet.x[0], near[0])
        heading = np.where(ground, 0.35 * angle, angle) + rng.normal(0, 0.07, len(points))
        reach = np.where(ground, 0.045, 0.075) * rng.uniform(0.6, 1.4, len(points))
        step = np.stack([np.cos(heading), np.sin(heading)], -1) * reach[:, None] / 2
        page = Image.new("L", (sheet.width_px, h), 0)
        draw = ImageDraw.Draw(page)
        widths = np.clip(np.rint(h * rng.uniform(0.003, 0.009, len(points))), 1, None).astype(int).tolist()
        for line, width in zip((np.concatenate([points - step, points + step], 1) * h).tolist(), widths, strict=True):
            draw.line(line, fill=int(rng.integers(120, 256)), width=width)
        pressed = blurred(np.asarray(page, dtype=np.float32) / 255, 0.0012) * ink
        total = total + pressed - total * pressed  # coal over coal darkens, but never beyond black
    return total


def oak(sheet: Sheet) -> Array:
    """A bare tree, grown: each bough forks into two or three, thinner and more crooked."""
    rng = np.random.default_rng(47)
    page = Image.new("L", (sheet.width_px * OVERSAMPLING, sheet.height_px * OVERSAMPLING), 0)
    draw = ImageDraw.Draw(page)
    scale = sheet.height_px * OVERSAMPLING

    def bough(x: float, y: float, heading: float, length: float, width: float) -> None:
        steps = 6
        for k in range(steps):
            heading += rng.normal(0, 0.11)
            u, v = x + np.cos(heading) * length / steps, y + np.sin(heading) * length / steps
            thick = width * (1 - 0.36 * k / steps) * scale
            draw.line([(x * scale, y * scale), (u * scale, v * scale)], fill=255, width=max(1, round(thick)))
            if thick > 3:
                draw.ellipse(
                    [u * scale - thick / 2, v * scale - thick / 2, u * scale + thick / 2, v * scale + thick / 2],
                    fill=255,
                )
            x, y = u, v
        if length < 0.016 or width < 0.0009:
            return
        upright = 0.16 * np.arctan2(np.sin(-np.pi / 2 - heading), np.cos(-np.pi / 2 - heading))  # twigs seek the light
        for side in (-1, 0.15, 1) if rng.random() < 0.5 else (-1, 1):
            turn = side * rng.uniform(0.28, 0.75) + upright
            bough(x, y, heading + turn, length * rng.uniform(0.66, 0.86), width * rng.uniform(0.50, 0.68))

    trunk = curve([(0.465, 0.86), (0.455, 0.78), (0.475, 0.68), (0.46, 0.60), (0.48, 0.52)], steps=8)
    for k, ((x, y), (u, v)) in enumerate(pairwise(trunk)):
        thick = (0.088 - 0.0012 * k) * scale
        draw.line([(x * scale, y * scale), (u * scale, v * scale)], fill=255, width=round(thick))
        draw.ellipse(
            [u * scale - thick / 2, v * scale - thick / 2, u * scale + thick / 2, v * scale + thick / 2], fill=255
        )
    for x, y, heading, length, width in LIMBS:
        bough(x, y, heading, length, width)
    for root in ((0.37, 0.885), (0.56, 0.88), (0.42, 0.905), (0.51, 0.90), (0.46, 0.91)):
        draw.line(
            [(0.465 * scale, 0.80 * scale), (root[0] * scale, root[1] * scale)], fill=255, width=round(0.030 * scale)
        )
    return np.asarray(page.reduce(OVERSAMPLING), dtype=np.float32) / 255


def chalk(sheet: Sheet, rough: Array, tree: Array) -> Array:
    """White only where it counts: the moon, cloud edges near it, frost on the hill and on the bark's lit side."""
    disc = below(away(sheet, MOON) - 0.068, 0.006)
    craters = np.clip(noise(sheet, 60, cell=0.04, octaves=3) * 2 - 0.2, 0, 0.45)
    halo = (
        0.55 * np.exp(-((away(sheet, MOON) / 0.15) ** 2)) * np.clip(0.5 + noise(sheet, 61, cell=0.05, stretch=3), 0, 1)
    )
    thick = np.clip(blurred(tree, 0.006) * 2.2 - 1, 0, 1)  # boughs, not twigs
    lit_side = np.clip(thick - np.roll(thick, -max(1, round(0.010 * sheet.height_px)), axis=1), 0, 1)
    far, _, near = hills(sheet)
    frost = np.exp(-(((sheet.y - near - 0.012) / 0.016) ** 2)) * np.clip(
        0.4 + noise(sheet, 62, cell=0.05, octaves=3), 0, 1
    )
    rim = 0.5 * np.exp(-(((sheet.y - far - 0.006) / 0.007) ** 2)) * np.exp(-(((sheet.x - 0.95) / 0.3) ** 2))
    dragged = np.clip((halo + 0.9 * frost + rim + 0.75 * lit_side) * 1.3 + 0.5 * rough - 0.32, 0, 1) * (
        halo + frost + rim + lit_side > 0.1
    )
    dragged = np.where((tree > 0.2) & (lit_side < 0.1), 0, dragged)
    return np.clip(full(sheet, disc * (0.96 - craters)) + dragged * 0.85, 0, 0.97)
