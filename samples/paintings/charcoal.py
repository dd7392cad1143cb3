"""The winter oak: charcoal dragged over grey paper, smudged with a thumb, heightened with white chalk."""

import numpy as np
from PIL import Image, ImageDraw

from samples.scene import Array, Point, Sheet, away, below, full, lay, noise, ridge
from samples.strokes import OVERSAMPLING, blurred
from samples.surface import tooth

MOON: Point = (0.93, 0.25)


def paint(sheet: Sheet) -> Array:
    rough = tooth(sheet, 1, grain=0.007) * 0.75 + 0.25 * noise(sheet, 2, cell=0.004, octaves=1)
    picture = sheet.filled("#a89f92") * (1 + 0.03 * noise(sheet, 3, cell=0.02, octaves=3))[..., None]
    dust = smudges(sheet)
    lay(picture, np.clip(dust * (0.85 + 0.25 * rough), 0, 1), "#2b2927")
    tree = oak(sheet)
    marks = rubbed(hatching(sheet), rough) * 0.85 + rubbed(tree, rough, hard=0.6)
    lay(picture, np.clip(marks, 0, 0.95), "#171615")
    lay(picture, chalk(sheet, rough, tree), "#f4f0e6")
    return picture


def rubbed(coal: Array, rough: Array, *, hard: float = 0.5) -> Array:
    """A stick only touches the paper's peaks unless it is pressed (`hard`, 0..1)."""
    return np.clip((coal * (1 + hard) + 0.75 * rough * (1.2 - hard) - 0.55 * (1 - hard)) * 1.4, 0, 1) * np.clip(coal * 2.5, 0, 1)


def hills(sheet: Sheet) -> tuple[Array, Array, Array]:
    far = ridge(sheet, 10, base=0.60, height=0.06, cell=0.35, octaves=4)
    middle = ridge(sheet, 11, base=0.68, height=0.05, cell=0.3, octaves=4)
    near = 0.84 - 0.10 * np.exp(-(((sheet.x - 0.46) / 0.35) ** 2)) + ridge(sheet, 12, base=0.0, height=0.02, cell=0.1)
    return far, middle, near


def smudges(sheet: Sheet) -> Array:
    """Tone laid flat and wiped: a stormy sky around the moon, and the hills."""
    clouds = noise(sheet, 20, cell=0.22, stretch=2.0, octaves=5)
    wiped = noise(sheet, 21, cell=0.03, stretch=9, octaves=3)
    sky = 0.42 + 0.85 * clouds + 0.16 * wiped - 0.65 * np.exp(-((away(sheet, MOON) / 0.24) ** 2)) - 0.45 * (sheet.y - 0.25)
    dust = np.clip(sky, 0, 0.85)
    for edge, tone, fade in zip(hills(sheet), (0.50, 0.68, 0.82), (0.10, 0.14, 0.5), strict=True):
        body = np.clip(tone * np.exp(-np.clip(sheet.y - edge, 0, None) / fade) + 0.2 * wiped, 0, 1)
        cover = below(edge - sheet.y, 0.012)
        dust = dust * (1 - cover) + body * cover
    return blurred(dust.astype(np.float32), 0.003)


def hatching(sheet: Sheet) -> Array:
    """Strokes with the side of the stick, slanting over sky and earth; broad, soft and overlapping."""
    rng = np.random.default_rng(31)
    page = Image.new("L", (sheet.width_px, sheet.height_px), 0)
    draw = ImageDraw.Draw(page)
    h = sheet.height_px
    near = hills(sheet)[2][0]
    for _ in range(1500):
        x, y = rng.uniform(0, sheet.aspect), rng.uniform(0, 1)
        ground = y > near[min(int(x * h), sheet.width_px - 1)]
        clear = np.hypot(x - MOON[0], y - MOON[1]) < 0.17
        if clear or (not ground and (y > 0.5 or rng.random() < 0.45)):
            continue
        angle = rng.normal(0.12, 0.16) if ground else rng.normal(-0.75, 0.10)
        reach = rng.uniform(0.03, 0.09) if ground else rng.uniform(0.06, 0.18)
        ink = int(rng.uniform(110, 215)) if ground else int(rng.uniform(25, 75))
        dx, dy = np.cos(angle) * reach / 2, np.sin(angle) * reach / 2
        draw.line([((x - dx) * h, (y - dy) * h), ((x + dx) * h, (y + dy) * h)], fill=ink, width=max(1, round(h * (rng.uniform(0.003, 0.008) if ground else rng.uniform(0.010, 0.022)))))
    return blurred(np.asarray(page, dtype=np.float32) / 255, 0.002)


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
                draw.ellipse([u * scale - thick / 2, v * scale - thick / 2, u * scale + thick / 2, v * scale + thick / 2], fill=255)
            x, y = u, v
        if length < 0.016 or width < 0.0009:
            return
        upright = 0.16 * np.arctan2(np.sin(-np.pi / 2 - heading), np.cos(-np.pi / 2 - heading))  # twigs seek the light
        for side in (-1, 0.15, 1) if rng.random() < 0.5 else (-1, 1):
            turn = side * rng.uniform(0.28, 0.75) + upright
            bough(x, y, heading + turn, length * rng.uniform(0.64, 0.86), width * rng.uniform(0.50, 0.70))

    bough(0.46, 0.86, -1.56, 0.20, 0.080)
    bough(0.455, 0.70, -2.75, 0.14, 0.032)
    bough(0.465, 0.68, -0.45, 0.14, 0.034)
    for root in ((0.39, 0.875), (0.54, 0.87), (0.44, 0.895), (0.49, 0.89)):
        draw.line([(0.46 * scale, 0.78 * scale), (root[0] * scale, root[1] * scale)], fill=255, width=round(0.030 * scale))
    return np.asarray(page.reduce(OVERSAMPLING), dtype=np.float32) / 255


def chalk(sheet: Sheet, rough: Array, tree: Array) -> Array:
    """White only where it counts: the moon, cloud edges near it, frost on the hill and on the bark's lit side."""
    disc = below(away(sheet, MOON) - 0.068, 0.006)
    craters = np.clip(noise(sheet, 60, cell=0.04, octaves=3) * 2 - 0.2, 0, 0.45)
    halo = 0.55 * np.exp(-((away(sheet, MOON) / 0.15) ** 2)) * np.clip(0.5 + noise(sheet, 61, cell=0.05, stretch=3), 0, 1)
    thick = np.clip(blurred(tree, 0.006) * 2.2 - 1, 0, 1)  # boughs, not twigs
    lit_side = np.clip(thick - np.roll(thick, -max(1, round(0.010 * sheet.height_px)), axis=1), 0, 1)
    far, _, near = hills(sheet)
    frost = np.exp(-(((sheet.y - near - 0.012) / 0.016) ** 2)) * np.clip(0.4 + noise(sheet, 62, cell=0.05, octaves=3), 0, 1)
    rim = 0.5 * np.exp(-(((sheet.y - far - 0.006) / 0.007) ** 2)) * np.exp(-(((sheet.x - 0.95) / 0.3) ** 2))
    dragged = np.clip((halo + 0.9 * frost + rim + 0.75 * lit_side) * 1.3 + 0.5 * rough - 0.32, 0, 1) * (halo + frost + rim + lit_side > 0.1)
    return np.clip(full(sheet, disc * (0.96 - craters)) + dragged * 0.85, 0, 0.97)
