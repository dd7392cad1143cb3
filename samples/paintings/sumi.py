"""Mountains in mist: one ink, much water, a lot of paper left alone."""

import numpy as np

from samples.scene import Array, Point, Sheet, below, curve, full, lay, lines, noise, polygon, ramp, ridge
from samples.strokes import Brush, Canvas, blurred
from samples.surface import tooth

INK = np.array([0.07, 0.075, 0.095], np.float32)
PEAKS: tuple[tuple[float, float, tuple[tuple[float, float, float], ...]], ...] = (
    # darkness, depth of the fade into mist, then peaks: x, top, half width
    (0.34, 0.09, ((0.12, 0.26, 0.08), (0.27, 0.19, 0.055), (0.40, 0.27, 0.07), (0.62, 0.22, 0.06), (0.74, 0.30, 0.07))),
    (0.58, 0.12, ((0.45, 0.30, 0.055), (0.54, 0.23, 0.045), (0.66, 0.36, 0.07), (0.05, 0.38, 0.09))),
    (0.86, 0.15, ((0.60, 0.40, 0.07), (0.71, 0.33, 0.06), (0.52, 0.50, 0.05))),
    (1.0, 0.16, ((0.03, 0.50, 0.09), (0.15, 0.58, 0.06))),
)


def paint(sheet: Sheet) -> Array:
    paper: Array = full(sheet, ramp(noise(sheet, 1, cell=0.5, octaves=2), [(-1, "#e3d8be"), (1, "#efe7d2")]))
    ink: Array = np.zeros((sheet.height_px, sheet.width_px), np.float32)
    ink += 0.10 * np.clip(noise(sheet, 2, cell=0.4, stretch=1.6, octaves=2), 0, 1)
    for seed, (darkness, fade, peaks) in enumerate(PEAKS):
        ink = np.maximum(ink * (1 - 0.9 * covered(sheet, seed, peaks, fade)), darkness * wash(sheet, seed, peaks, fade))
    ink *= np.clip((0.80 - sheet.y + 0.05 * noise(sheet, 3, cell=0.1, stretch=4)) / 0.16, 0, 1)  # mist on the water
    bank(ink, sheet)
    water(ink, sheet)
    picture: Array = paper + (INK - paper) * (ink * (1 + 0.12 * tooth(sheet, 5, grain=0.008)))[..., None]
    picture = drawn(picture, sheet)
    lay(picture, seal(sheet), "#b5322a")
    fibres = np.clip(noise(sheet, 7, cell=0.006, stretch=14, octaves=2) * 2 - 0.9, 0, 1)
    return np.asarray(picture * (1 - 0.05 * fibres[..., None]))


def skyline(sheet: Sheet, seed: int, peaks: tuple[tuple[float, float, float], ...]) -> Array:
    """Steep pillars of rock with blunt tops, roughened."""
    edge = np.full((1, sheet.width_px), 2.0, np.float32)
    for x, top, half in peaks:
        across = np.abs(sheet.x - x) / half
        edge = np.minimum(edge, top + 0.025 * across**2 + 0.13 * np.clip(across - 0.55, 0, None) ** 1.6)
    # From one row of the noise: in two dimensions it would tear islands off the ridge.
    return ridge(sheet, 20 + seed, base=edge, height=0.022, cell=0.05)


def covered(sheet: Sheet, seed: int, peaks: tuple[tuple[float, float, float], ...], fade: float) -> Array:
    """A nearer mountain hides the further ones, though less and less down in its mist."""
    edge = skyline(sheet, seed, peaks)
    return below(edge - sheet.y, 0.01) * np.clip(1.25 - (sheet.y - edge) / (2.2 * fade), 0, 1)


def wash(sheet: Sheet, seed: int, peaks: tuple[tuple[float, float, float], ...], fade: float) -> Array:
    """Ink loaded at the ridge and thinned downwards, with the broken vertical marks that make rock."""
    edge = skyline(sheet, seed, peaks)
    down = sheet.y - edge
    mist = 0.5 * noise(sheet, 40 + seed, cell=0.22, stretch=2.5, octaves=3)
    body = np.exp(-np.clip(down, 0, None) / fade) * np.clip(1 - down / (2.4 * fade) + mist, 0, 1)
    split = noise(sheet, 30 + seed, cell=0.16, stretch=0.14, octaves=4)
    rock = np.clip(0.50 + 1.1 * split, 0, 1)
    rim = np.exp(-((down / 0.012) ** 2)) * np.clip(0.4 + noise(sheet, 50 + seed, cell=0.03, octaves=2), 0, 1)
    return np.asarray(
        below(edge - sheet.y, 0.006) * np.clip(1.15 * body * (0.30 + 1.2 * rock) + 0.6 * rim * np.sqrt(body), 0, 1)
    )


def bank(ink: Array, sheet: Sheet) -> None:
    """The near shore, wet and almost black, at the lower left."""
    edge = 0.83 + 0.10 * np.clip(sheet.x / 0.42, 0, 2) ** 2 + 0.03 * noise(sheet, 60, cell=0.09, octaves=4)
    grain = np.clip(0.62 + 0.9 * noise(sheet, 61, cell=0.10, stretch=0.9, octaves=5), 0.1, 1)
    fade = np.clip(1 - (sheet.y - edge) / 0.3, 0.2, 1)
    np.maximum(ink, below(edge - sheet.y, 0.008) * grain * fade * 0.95, out=ink)


def water(ink: Array, sheet: Sheet) -> None:
    still = np.clip(noise(sheet, 64, cell=0.018, stretch=14, octaves=2) * 2 - 0.65, 0, 1)
    ink += 0.20 * still * below(0.70 - sheet.y, 0.1) * below(0.30 - sheet.x, 0.2)


def drawn(picture: Array, sheet: Sheet) -> Array:
    """What is drawn with the point of the brush: a pine, a boat, geese."""
    canvas = Canvas(sheet, picture)
    rng = np.random.default_rng(1495)
    trunk: list[Point] = curve([(0.10, 0.93), (0.16, 0.82), (0.14, 0.74), (0.22, 0.66), (0.20, 0.60)])
    boughs: list[list[Point]] = [
        curve([(0.15, 0.78), (0.25, 0.755), (0.35, 0.775)]), curve([(0.145, 0.74), (0.07, 0.70), (0.02, 0.71)]),
        curve([(0.20, 0.68), (0.29, 0.655), (0.37, 0.665)]), curve([(0.21, 0.66), (0.14, 0.63), (0.09, 0.645)]),
        curve([(0.20, 0.61), (0.25, 0.585), (0.30, 0.595)]),
    ]  # fmt: skip
    picture = canvas.colour()
    pieces = [
        lines(sheet, trunk[k * 8 : k * 8 + 10], width=0.027 - 0.0034 * k) for k in range(6)
    ]  # thinner as it climbs
    dry = np.clip(1.0 + 0.5 * noise(sheet, 81, cell=0.035, stretch=0.3, octaves=3), 0.55, 1)
    lay(picture, np.max(pieces, axis=0) * dry * 0.92, "#17181c")
    lay(picture, lines(sheet, *boughs, width=0.007) * 0.9, "#17181c")
    canvas = Canvas(sheet, picture)
    for bough in [*boughs, trunk[-8:]]:
        for x, y in bough[4::3]:
            needles(canvas, rng, (x, y))
    picture = canvas.colour()
    boat = curve([(0.47, 0.835), (0.53, 0.853), (0.61, 0.852), (0.67, 0.828)]) + [(0.61, 0.842), (0.53, 0.842)]
    lay(picture, polygon(sheet, boat) * 0.92, "#17181c")
    fisher = [(0.555, 0.843), (0.562, 0.812), (0.575, 0.805), (0.588, 0.814), (0.592, 0.843)]
    lay(picture, polygon(sheet, fisher, [(0.545, 0.811), (0.575, 0.786), (0.605, 0.811)]) * 0.85, "#22242a")
    lay(picture, lines(sheet, curve([(0.59, 0.825), (0.66, 0.775), (0.70, 0.775)]), width=0.0028) * 0.9, "#22242a")
    ripple = [[(0.44 + d, 0.862 + e), (0.70 - d, 0.862 + e)] for d, e in ((0.0, 0.0), (0.05, 0.012), (0.02, 0.026))]
    lay(picture, blurred(lines(sheet, *ripple, width=0.004), 0.003) * 0.5, "#22242a")
    for x, y, s in ((0.40, 0.115, 1.0), (0.445, 0.10, 0.8), (0.37, 0.14, 0.7), (0.50, 0.125, 0.7), (0.33, 0.125, 0.6)):
        wings = curve(
            [
                (x - 0.018 * s, y - 0.008 * s),
                (x - 0.006 * s, y - 0.006 * s),
                (x, y),
                (x + 0.006 * s, y - 0.007 * s),
                (x + 0.018 * s, y - 0.006 * s),
            ]
        )
        lay(picture, lines(sheet, wings, width=0.0035 * s) * 0.85, "#17181c")
    return picture


def needles(canvas: Canvas, rng: np.random.Generator, at: Point) -> None:
    """A fan of pine needles, and the grey wash they sit in."""
    count = 16
    fan = rng.uniform(np.pi * 1.05, np.pi * 1.95, count)
    for angle in fan:
        reach = rng.uniform(0.014, 0.026)
        points = np.array([[at[0] + np.cos(angle) * reach / 2, at[1] + np.sin(angle) * reach / 2]], np.float32)
        flow = np.full((canvas.sheet.height_px, canvas.sheet.width_px), angle, np.float32)
        brush = Brush(width=0.0022, length=reach, bristles=2, hue_jitter=0.0, value_jitter=0.04, taper=1.0)
        canvas.stroke(points, INK[None] * 1.1, flow, brush, rng)


def seal(sheet: Sheet) -> Array:
    """An invented mark, not a letter of any script."""
    box = polygon(sheet, [(0.665, 0.925), (0.705, 0.925), (0.705, 0.965), (0.665, 0.965)])
    cuts = lines(
        sheet,
        [(0.672, 0.936), (0.698, 0.936)],
        [(0.685, 0.932), (0.685, 0.958)],
        [(0.674, 0.948), (0.674, 0.958), (0.698, 0.958)],
        width=0.0035,
    )
    return np.asarray(np.clip(box - cuts, 0, 1) * np.clip(0.95 + 0.4 * noise(sheet, 80, cell=0.01, octaves=2), 0, 1))
