"""A brush: tapered strokes of many bristles, each with a colour and a thickness of its own, laid along a flow.

The canvas is drawn twice as large as the painting and halved at the end. It is an RGBA picture whose fourth channel is
not transparency but the height of the paint, so that one line drawn sets both, and the relief can be lit afterwards.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from samples.scene import Array, Sheet, to_pixels

OVERSAMPLING = 2
POINTS = 9  # along each stroke: enough for a curl, few enough to draw thousands


@dataclass(frozen=True, kw_only=True, slots=True)
class Brush:
    """Lengths are fractions of the picture's height."""

    width: float
    length: float
    bristles: int = 7
    value_jitter: float = 0.06  # how far strokes differ in lightness
    hue_jitter: float = 0.03  # and in colour
    bristle_jitter: float = 0.05  # and the hairs within one stroke
    wobble: float = 0.15  # radians by which a stroke leaves the flow
    ragged: float = 0.25  # share of the stroke over which hairs start late and lift early
    taper: float = 0.5  # 0: a flat brush's square end; 1: a point


class Canvas:
    """Wet paint on a ground."""

    def __init__(self, sheet: Sheet, ground: Array) -> None:
        """`ground`: (H, W, 3) colour at the sheet's size, the underpainting."""
        self.sheet = sheet
        self._scale = sheet.height_px * OVERSAMPLING
        size = (sheet.width_px * OVERSAMPLING, sheet.height_px * OVERSAMPLING)
        page = Image.fromarray(to_pixels(ground)).resize(size, Image.Resampling.BILINEAR)
        page.putalpha(40)
        self._page = page
        self._draw = ImageDraw.Draw(page)

    def stroke(self, points: Array, colours: Array, flow: Array, brush: Brush, rng: np.random.Generator) -> None:
        """Lay one stroke through each of `points` (S, 2), in order, with `colours` (S, 3), following `flow`.

        `flow` is an (H, W) field of angles in radians; 0 points right and pi/2 points down.
        """
        count = len(points)
        if not count:
            return
        lengths = brush.length * rng.uniform(0.7, 1.3, count)
        paths = trace(points, flow, lengths, self.sheet, rng.normal(0, brush.wobble, count))
        hairs = self._hairs(paths, brush, rng)  # (S, B, P, 2)
        widths = max(1, round(1.5 * brush.width / brush.bristles * self._scale))
        inks = self._inks(colours, brush, rng)
        late = rng.integers(0, 1 + round(brush.ragged * POINTS / 2), (count, brush.bristles))
        early = POINTS - rng.integers(0, 1 + round(brush.ragged * POINTS), (count, brush.bristles))
        flat = hairs.reshape(count, brush.bristles, -1).tolist()
        inks_listed, late_listed, early_listed = inks.tolist(), late.tolist(), early.tolist()
        line = self._draw.line
        for s in range(count):
            hair_paths, hair_inks, starts, ends = flat[s], inks_listed[s], late_listed[s], early_listed[s]
            for b in range(brush.bristles):
                line(hair_paths[b][2 * starts[b] : 2 * ends[b]], fill=tuple(hair_inks[b]), width=widths)

    def _hairs(self, paths: Array, brush: Brush, rng: np.random.Generator) -> Array:
        """Offset each path sideways, once per bristle, closing towards the ends; in canvas pixels."""
        ahead = np.gradient(paths, axis=1)
        sideways = np.stack([-ahead[..., 1], ahead[..., 0]], -1)
        sideways /= np.linalg.norm(sideways, axis=-1, keepdims=True) + 1e-9
        t = np.linspace(0, 1, POINTS)
        belly = 1 - brush.taper * np.abs(2 * t - 1) ** 2.5
        places = np.linspace(-0.5, 0.5, brush.bristles) if brush.bristles > 1 else np.zeros(1)
        spread = rng.uniform(0.75, 1.25, (len(paths), 1)) * places + rng.normal(0, 0.04, (len(paths), brush.bristles))
        offset = brush.width * spread[:, :, None] * belly
        return np.asarray((paths[:, None] + offset[..., None] * sideways[:, None]) * self._scale, np.float32)

    def _inks(self, colours: Array, brush: Brush, rng: np.random.Generator) -> Array:
        """(S, B, 4) integers: a colour for every hair, and the height of the paint it leaves."""
        count, hairs = len(colours), brush.bristles
        value = rng.normal(0, brush.value_jitter, (count, 1, 1)) + rng.normal(
            0, brush.bristle_jitter, (count, hairs, 1)
        )
        tint = rng.normal(0, brush.hue_jitter, (count, 1, 3)) + rng.normal(0, brush.hue_jitter / 2, (count, hairs, 3))
        rgb = colours[:, None] * (1 + value) + 0.35 * value + tint
        edge = np.abs(np.linspace(-1, 1, hairs))[None, :] if hairs > 1 else np.ones((1, 1))
        height = 110 + 70 * edge + rng.uniform(-45, 75, (count, hairs))  # a brush pushes paint out to its sides
        return np.concatenate([np.clip(rgb, 0, 1) * 255, np.clip(height, 0, 255)[..., None]], -1).astype(int)

    def dab(self, points: Array, colours: Array, radii: Array) -> None:
        """Round touches of a pointed brush: `points` (S, 2), `colours` (S, 3), `radii` (S,)."""
        centres, reach = points * self._scale, radii * self._scale
        inks = (np.clip(colours, 0, 1) * 255).astype(int).tolist()
        boxes = np.concatenate([centres - reach[:, None], centres + reach[:, None]], 1).tolist()
        for box, ink in zip(boxes, inks, strict=True):
            self._draw.ellipse(box, fill=(*ink, 190))

    def colour(self) -> Array:
        """(H, W, 3) colour as it stands."""
        return np.asarray(self._page.reduce(OVERSAMPLING), dtype=np.float32)[..., :3] / 255

    def height(self) -> Array:
        """(H, W) field, 0..1: how thick the paint stands."""
        return np.asarray(self._page.reduce(OVERSAMPLING), dtype=np.float32)[..., 3] / 255


def trace(points: Array, flow: Array, lengths: Array, sheet: Sheet, turn: Array) -> Array:
    """(S, POINTS, 2): paths through each point, half of the length before it and half after."""
    half = POINTS // 2
    paths = np.empty((len(points), POINTS, 2), np.float32)
    paths[:, half] = points
    for direction, ahead in ((1, range(half + 1, POINTS)), (-1, range(half - 1, -1, -1))):
        here: Array = points
        for k in ahead:
            angle = sample(flow, here, sheet) + turn
            step = np.stack([np.cos(angle), np.sin(angle)], -1) * (lengths / (POINTS - 1))[:, None]
            here = here + direction * step
            paths[:, k] = here
    return paths


def sample(field: Array, points: Array, sheet: Sheet) -> Array:
    """The value of a field or colour at each of `points` (S, 2); points outside take the nearest edge."""
    columns = np.clip((points[:, 0] * sheet.height_px).astype(int), 0, sheet.width_px - 1)
    rows = np.clip((points[:, 1] * sheet.height_px).astype(int), 0, sheet.height_px - 1)
    return np.asarray(field[rows, columns])


def scatter(sheet: Sheet, spacing: float, rng: np.random.Generator, keep: Array | None = None) -> Array:
    """(S, 2) points, one in each cell of a grid, shuffled; `keep` is a field of chances 0..1."""
    columns = np.arange(-spacing, sheet.aspect + spacing, spacing)
    rows = np.arange(-spacing, 1 + spacing, spacing)
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    points = (grid + rng.uniform(0, spacing, grid.shape)).astype(np.float32)
    rng.shuffle(points)
    if keep is None:
        return points
    return points[rng.random(len(points)) < sample(keep, points, sheet)]


def blurred(picture: Array, radius: float) -> Array:
    """Gaussian blur of a field or colour; `radius` is a fraction of the height."""
    sigma = radius * picture.shape[0]
    return np.asarray(ndimage.gaussian_filter(picture, (sigma, sigma, 0)[: picture.ndim], mode="nearest"))


def cover(
    canvas: Canvas,
    reference: Array,
    flow: Array,
    brush: Brush,
    rng: np.random.Generator,
    *,
    spacing: float = 0.7,
    keep: Array | None = None,
) -> None:
    """Paint `reference` (colour) with one brush; strokes stand `spacing` brush widths apart."""
    points = scatter(canvas.sheet, brush.width * spacing, rng, keep)
    softened = blurred(reference, brush.width / 4)
    canvas.stroke(points, sample(softened, points, canvas.sheet), flow, brush, rng)


def missing_detail(canvas: Canvas, reference: Array, *, strength: float = 5.0) -> Array:
    """A field of chances 0..1: where the canvas does not look like the reference yet, a finer brush must go."""
    difference = np.abs(blurred(canvas.colour(), 0.006) - reference).mean(-1)
    return np.asarray(np.clip(strength * difference, 0, 1), np.float32)


def pick_out(
    canvas: Canvas, reference: Array, where: Array, rng: np.random.Generator, *, angle: float = 0.0, size: float = 0.007
) -> None:
    """The small pointed brush at the end: masts, windows, faces of houses. `where` is a field of chances 0..1."""
    straight = np.full((canvas.sheet.height_px, canvas.sheet.width_px), angle, np.float32)
    points = scatter(canvas.sheet, size * 0.8, rng, where)
    brush = Brush(width=size, length=size * 3, bristles=3, value_jitter=0.04, hue_jitter=0.015, wobble=0.06)
    canvas.stroke(points, sample(reference, points, canvas.sheet), straight, brush, rng)
