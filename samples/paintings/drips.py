"""Dance no. 5: enamel poured and flung on raw canvas, skein over skein."""

import numpy as np

from samples.scene import Array, Sheet, colour, lay, noise
from samples.strokes import Canvas
from samples.surface import lit, woven

# Colour, skeins, thickness, drops flung beside each: from the quiet first layer to the last whites.
LAYERS: tuple[tuple[str, int, float, int], ...] = (
    ("#8a7f6d", 16, 0.0042, 10), ("#1a1a1c", 20, 0.0052, 18), ("#1f5f6b", 9, 0.0045, 16), ("#c98a1b", 10, 0.0048, 16),
    ("#101012", 16, 0.0046, 20), ("#a8321f", 6, 0.0042, 14), ("#ece6d8", 17, 0.0040, 22),
    ("#101012", 8, 0.0036, 16), ("#f3b92f", 4, 0.0036, 14),
)  # fmt: skip


def paint(sheet: Sheet) -> Array:
    rng = np.random.default_rng(1950)
    ground = sheet.filled("#d9cdb4")
    ground *= (1 + 0.05 * noise(sheet, 1, cell=0.15, octaves=4))[..., None]
    ground = woven(ground, sheet, strength=0.09, threads=120)
    for seed, stain in ((3, "#6f6a62"), (4, "#3f5a60")):  # thinned paint that soaked in before the rest was poured
        lay(ground, np.clip(noise(sheet, seed, cell=0.18, octaves=4) * 2.2 - 0.7, 0, 0.5), stain)
    canvas = Canvas(sheet, ground)
    for hex_colour, skeins, thickness, drops in LAYERS:
        ink = colour(hex_colour)
        for _ in range(skeins):
            pour(canvas, ink, thickness, drops, rng)
    return lit(canvas.colour(), canvas.height(), depth=0.75)


def pour(canvas: Canvas, ink: Array, thickness: float, drops: int, rng: np.random.Generator) -> None:
    """One swing of the arm: a looping line, thick where the hand is slow, with drops where it turns."""
    aspect = canvas.sheet.aspect
    steps = 420
    t = np.linspace(0, 1, steps)
    path = rng.uniform(0, 1, 2) * np.array([aspect, 1])
    path = path + np.outer(t - 0.5, rng.normal(0, 0.55, 2))
    for turns, reach in ((rng.uniform(0.6, 1.6), 0.24), (rng.uniform(2, 4.5), 0.085), (rng.uniform(6, 11), 0.026)):
        phase = rng.uniform(0, 2 * np.pi, 2)
        path = path + reach * rng.uniform(0.5, 1.3) * np.sin(2 * np.pi * turns * t[:, None] + phase)
    speed = np.linalg.norm(np.gradient(path, axis=0), axis=1)
    slow = np.clip(speed.mean() / (speed + 1e-4), 0.45, 2.6)
    radii = thickness * 0.42 * slow**0.9 * (1 + 0.25 * np.sin(2 * np.pi * (rng.uniform(8, 20) * t + rng.random())))
    # The line breaks off into beads now and then.
    present = np.sin(2 * np.pi * (rng.uniform(1, 3) * t + rng.random())) > -0.86
    fine = np.linspace(0, steps - 1, 2400)
    dense = np.stack([np.interp(fine, np.arange(steps), path[:, k]) for k in (0, 1)], -1)
    kept = np.interp(fine, np.arange(steps), present.astype(float)) > 0.5
    tone = ink + rng.normal(0, 0.012, 3)
    canvas.dab(
        dense[kept].astype(np.float32),
        np.broadcast_to(tone, (int(kept.sum()), 3)).astype(np.float32),
        np.interp(fine, np.arange(steps), radii)[kept].astype(np.float32),
    )
    turning = rng.integers(0, steps, drops)
    thrown = path[turning] + rng.normal(0, 0.020, (drops, 2)) * rng.exponential(1, (drops, 1))
    sizes = thickness * rng.gamma(1.1, 0.55, drops) + 0.0008
    canvas.dab(
        thrown.astype(np.float32), np.broadcast_to(tone, (drops, 3)).astype(np.float32), sizes.astype(np.float32)
    )
