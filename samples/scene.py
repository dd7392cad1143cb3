"""Coordinates, colours, noise and shapes: what a composition is made of before any brush touches it.

Lengths are fractions of the picture's height: y runs 0..1 downwards, x runs 0..aspect. A composition written in them
looks the same at every size, and so does the noise, which is drawn on a grid that does not know about pixels.

Two forms of array: *colour* is float (H, W, 3) in 0..1, *field* is float (H, W) or a shape that broadcasts to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Point = tuple[float, float]
Stops = Sequence[tuple[float, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A sheet of paper or canvas: its size in pixels, and the coordinates of its pixel centres."""

    width_px: int
    height_px: int

    @property
    def aspect(self) -> float:
        return self.width_px / self.height_px

    @property
    def x(self) -> Array:
        """(1, W) field, 0..aspect."""
        return ((np.arange(self.width_px, dtype=np.float32) + 0.5) / self.height_px)[None, :]

    @property
    def y(self) -> Array:
        """(H, 1) field, 0..1."""
        return ((np.arange(self.height_px, dtype=np.float32) + 0.5) / self.height_px)[:, None]

    def enlarged(self, factor: int) -> "Sheet":
        return Sheet(width_px=self.width_px * factor, height_px=self.height_px * factor)

    def filled(self, hex_colour: str) -> Array:
        """(H, W, 3) colour."""
        return np.broadcast_to(colour(hex_colour), (self.height_px, self.width_px, 3)).copy()


def colour(hex_colour: str) -> Array:
    """ "#rrggbb" as (3,) float32 in 0..1."""
    return np.array([int(hex_colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / 255


def palette(*hex_colours: str) -> Array:
    """(K, 3) float32 in 0..1."""
    return np.stack([colour(one) for one in hex_colours])


def ramp(t: Array, stops: Stops) -> Array:
    """Colours along a line of stops (position, "#rrggbb"): shape of t, plus a last axis of 3."""
    places = [place for place, _ in stops]
    colours = palette(*(hex_colour for _, hex_colour in stops))
    return np.stack([np.interp(t, places, colours[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def full(sheet: Sheet, value: Array) -> Array:
    """A field or colour that broadcasts to the sheet, written out in full so that it can be painted on."""
    tail = (3,) if value.ndim == 3 else ()
    return np.broadcast_to(value, (sheet.height_px, sheet.width_px, *tail)).astype(np.float32)


def lay(picture: Array, mask: Array, paint: Array | str) -> None:
    """Cover `picture` (colour, changed in place) with `paint` where `mask` (field, 0..1) says so."""
    over = colour(paint) if isinstance(paint, str) else paint
    picture += (over - picture) * mask[..., None]


def below(edge: Array, softness: float = 0.004) -> Array:
    """1 where `edge` is negative, 0 where positive, and a soft step `softness` wide between."""
    return np.asarray(np.clip(0.5 - edge / softness, 0, 1), np.float32)


def away(sheet: Sheet, centre: Point, *, flatten: float = 1.0) -> Array:
    """Distance from a point; `flatten` above 1 presses the circles into lying ellipses."""
    return np.asarray(np.hypot(sheet.x - centre[0], (sheet.y - centre[1]) * flatten), np.float32)


def noise(sheet: Sheet, seed: int, *, cell: float, octaves: int = 4, stretch: float = 1.0, gain: float = 0.5) -> Array:
    """Clouds: (H, W) field, mean 0, mostly within -1..1; features `cell` high and `cell * stretch` wide."""
    rng = np.random.default_rng(seed)
    total = np.zeros((sheet.height_px, sheet.width_px), np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        columns, rows = sheet.aspect / (cell * stretch), 1 / cell
        grid = rng.uniform(-1.6, 1.6, (int(rows) + 6, int(columns) + 6)).astype(np.float32)
        box = (2.0, 2.0, 2.0 + columns, 2.0 + rows)
        size = (sheet.width_px, sheet.height_px)
        total += weight * np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC, box=box))
        weights += weight
        weight, cell = weight * gain, cell / 2
    return total / weights


def ridge(sheet: Sheet, seed: int, *, base: float | Array, height: float, cell: float, octaves: int = 5) -> Array:
    """A skyline: (1, W) field of heights on the page around `base`, rising and falling by about `height`."""
    strip = noise(Sheet(width_px=sheet.width_px, height_px=sheet.height_px), seed, cell=cell, octaves=octaves)
    return np.asarray(base + height * strip[sheet.height_px // 2][None, :])


def polygon(sheet: Sheet, *shapes: Sequence[Point]) -> Array:
    """Filled outlines as one smooth-edged (H, W) mask."""
    page = Image.new("L", (sheet.width_px * 2, sheet.height_px * 2), 0)
    draw = ImageDraw.Draw(page)
    scale = sheet.height_px * 2
    for shape in shapes:
        draw.polygon([(x * scale, y * scale) for x, y in shape], fill=255)
    return np.asarray(page.reduce(2), dtype=np.float32) / 255


def lines(sheet: Sheet, *paths: Sequence[Point], width: float) -> Array:
    """Round-jointed lines as one smooth-edged (H, W) mask."""
    page = Image.new("L", (sheet.width_px * 2, sheet.height_px * 2), 0)
    draw = ImageDraw.Draw(page)
    scale = sheet.height_px * 2
    for path in paths:
        draw.line(
            [(x * scale, y * scale) for x, y in path], fill=255, width=max(1, round(width * scale)), joint="curve"
        )
    return np.asarray(page.reduce(2), dtype=np.float32) / 255


def curve(points: Sequence[Point], *, closed: bool = False, steps: int = 12) -> list[Point]:
    """A smooth line through all of `points`, `steps` pieces between each two.

    A cubic Hermite curve whose slope at each point is that of the parabola through it and its neighbours. Written out
    here because importing scipy's splines takes longer than painting most of the pictures.
    """
    knots = np.array([points[-1], *points, points[0], points[1]] if closed else points, float)
    gaps = np.sqrt(np.linalg.norm(np.diff(knots, axis=0), axis=1))[:, None]  # the root keeps tight bends from looping
    chords = np.diff(knots, axis=0) / gaps
    inner = (chords[:-1] * gaps[1:] + chords[1:] * gaps[:-1]) / (gaps[:-1] + gaps[1:])
    slopes = np.concatenate([chords[:1], inner, chords[-1:]])
    t = (np.arange(steps) / steps)[:, None, None]
    pieces = (
        (1 + 2 * t) * (1 - t) ** 2 * knots[:-1]
        + t * (1 - t) ** 2 * gaps * slopes[:-1]
        + t**2 * (3 - 2 * t) * knots[1:]
        + t**2 * (t - 1) * gaps * slopes[1:]
    )  # (steps, pieces, 2)
    inside = slice(1, -1) if closed else slice(None)
    line = pieces[:, inside].transpose(1, 0, 2).reshape(-1, 2)
    return [(float(x), float(y)) for x, y in [*line, knots[-2] if closed else knots[-1]]]


def to_pixels(picture: Array) -> Pixels:
    """Colour 0..1 to uint8 (H, W, 3), rounded and clipped."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
