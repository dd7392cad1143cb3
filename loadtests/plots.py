"""Time series as one small SVG: panels under one another on one time axis, drawn with nothing but text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _LEFT, _RIGHT = 860, 64, 16
_PANEL, _GAP, _TOP, _BOTTOM = 130, 46, 52, 34
_COLOURS = ("#1f5f8b", "#b5482a", "#4d7c3a", "#7a4d8f", "#8a6d1c")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One series: (seconds, value) pairs; a gap where a value is None.

    Args:
        stepped: it keeps its value until the next one.
        dots: single points instead of a line.
        colour: of the line; one of ours, by its place in the panel, where None.
    """

    label: str
    points: Sequence[tuple[float, float | None]]
    stepped: bool = False
    dots: bool = False
    colour: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Lines that share a vertical axis, which begins at 0 unless `from_zero` is False; `marks` are level lines."""

    title: str
    lines: Sequence[Line]
    marks: Sequence[tuple[str, float]] = ()
    from_zero: bool = True


def draw(title: str, panels: Sequence[Panel], shades: Sequence[tuple[str, float, float]] = ()) -> str:
    """The whole picture as SVG text; the horizontal axis is seconds.

    Args:
        shades: (label, from, to): stretches of time behind all panels, tinted in turn.
    """
    times = [at_s for panel in panels for line in panel.lines for at_s, _ in line.points]
    times += [at_s for _, *ends in shades for at_s in ends]
    times = times or [0.0, 1.0]
    span = (min(times), max(max(times), min(times) + 1e-9))
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM - _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14" font-weight="600">{escape(title)}</text>',
    ]
    parts += _shades(shades, span, height)
    for number, panel in enumerate(panels):
        parts += _panel(panel, span, _TOP + number * (_PANEL + _GAP))
    parts += _time_axis(span, height - _BOTTOM)
    return "\n".join([*parts, "</svg>\n"])


def _shades(shades: Sequence[tuple[str, float, float]], span: tuple[float, float], height: int) -> list[str]:
    parts = []
    for number, (label, from_s, to_s) in enumerate(shades):
        left, right = _x(from_s, span), _x(to_s, span)
        tint = ("#f4f1ea", "#eaf0f4")[number % 2]
        parts.append(
            f'<rect x="{left:.1f}" y="26" width="{right - left:.1f}" height="{height - _BOTTOM - 26}" fill="{tint}"/>'
        )
        parts.append(f'<text x="{left + 4:.1f}" y="37" font-size="10" fill="#777">{escape(label)}</text>')
    return parts


def _panel(panel: Panel, span: tuple[float, float], top: float) -> list[str]:
    low, high = _range(panel)
    bottom = top + _PANEL

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (_PANEL - 18)

    parts = [f'<text x="{_LEFT}" y="{top + 4}" font-weight="600">{escape(panel.title)}</text>']
    for tick in _ticks(low, high, 4):
        parts.append(f'<path d="M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    for label, value in panel.marks:
        parts.append(f'<path d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}" stroke="#999" stroke-dasharray="5 4"/>')
        parts.append(
            f'<text x="{_WIDTH - _RIGHT}" y="{y(value) - 4:.1f}" text-anchor="end" fill="#555">{escape(label)}</text>'
        )
    right = float(_WIDTH - _RIGHT)
    for number, line in reversed(list(enumerate(panel.lines))):
        colour = line.colour or _COLOURS[number % len(_COLOURS)]
        points = [(_x(at_s, span), None if value is None else y(value)) for at_s, value in line.points]
        parts.append(_dots(points, colour) if line.dots else _path(points, colour, stepped=line.stepped))
        parts.append(
            f'<text x="{right:.0f}" y="{top + 4}" text-anchor="end" fill="{colour}">{escape(line.label)}</text>'
        )
        right -= 6.6 * len(line.label) + 18
    return parts


def _path(points: Sequence[tuple[float, float | None]], colour: str, *, stepped: bool) -> str:
    moves, pen_down = [], False
    for x, y in points:
        if y is None:
            pen_down = False
            continue
        if not pen_down:
            moves.append(f"M{x:.1f} {y:.1f}")
        else:
            moves.append(f"H{x:.1f}V{y:.1f}" if stepped else f"L{x:.1f} {y:.1f}")
        pen_down = True
    return f'<path d="{"".join(moves)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _dots(points: Sequence[tuple[float, float | None]], colour: str) -> str:
    """Lines of no length with round ends: a third of the bytes of circles."""
    moves = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points if y is not None)
    return (
        f'<path d="{moves}" fill="none" stroke="{colour}" stroke-opacity="0.6" stroke-width="3.2" '
        'stroke-linecap="round"/>'
    )


def _time_axis(span: tuple[float, float], bottom: float) -> list[str]:
    parts = [f'<path d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}" stroke="#999"/>']
    for tick in _ticks(*span, 8):
        parts.append(f'<text x="{_x(tick, span):.1f}" y="{bottom + 16}" text-anchor="middle">{_number(tick)}</text>')
    return [*parts, f'<text x="{_WIDTH - _RIGHT}" y="{bottom + 30}" text-anchor="end" fill="#555">seconds</text>']


def _x(at_s: float, span: tuple[float, float]) -> float:
    return _LEFT + (at_s - span[0]) / (span[1] - span[0]) * (_WIDTH - _RIGHT - _LEFT)


def _range(panel: Panel) -> tuple[float, float]:
    values = [value for line in panel.lines for _, value in line.points if value is not None]
    values += [value for _, value in panel.marks]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if panel.from_zero:
        low = min(0.0, low)
    room = (high - low) * 0.06 or 1.0
    return (low if panel.from_zero else low - room), high + room


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high: 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float) -> str:
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if suffix == 'k' else size):g}{suffix}"
    return f"{round(value, 6):g}"
