"""Curves and intervals as SVG, readable without a script or colour; and the same curves for plotly, to point at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 42


@dataclass(frozen=True, slots=True)
class Line:
    """One curve.

    Args:
        name: which style of line it gets: the CSS class `line-<name>`.
        label: for people.
        points: (x, y); a point with a NaN is left out.
    """

    name: str
    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Data to picture coordinates."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def draw_curves(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    marker: tuple[float, float] | None = None,
    marker_label: str = "",
) -> str:
    """An SVG of several curves in one frame, or an empty string where there is nothing to draw.

    Args:
        marker: one point to ring, for example tuned AdaIN.
    """
    kept = [Line(line.name, line.label, tuple(p for p in line.points if _finite(p))) for line in lines]
    points = [point for line in kept for point in line.points]
    if not points:
        return ""
    frame = _Frame(_range([x for x, _ in points]), _range([y for _, y in points]))
    parts = [_axes(frame, x_label, y_label), *(_curve(frame, line) for line in kept if line.points)]
    if marker is not None and _finite(marker):
        x, y = frame.at(*marker)
        title = f"<title>{escape(marker_label)}</title>"
        parts.append(f'<circle class="marker" cx="{x:.1f}" cy="{y:.1f}" r="7">{title}</circle>')
    label = escape(f"{y_label} against {x_label}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def plot_curves(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    marker: tuple[float, float] | None = None,
    marker_label: str = "",
) -> dict[str, Any]:
    """The same curves as plotly's `data` and `layout`; colours come from the page, by `meta`."""
    traces: list[dict[str, Any]] = []
    for line in lines:
        points = [point for point in line.points if _finite(point)]
        if points:
            traces.append(_trace(line.label, points, "lines+markers") | {"meta": line.name})
    if marker is not None and _finite(marker):
        traces.append(_trace(marker_label, [marker], "markers") | {"meta": "marker"})
    layout = {"xaxis": {"title": {"text": x_label}}, "yaxis": {"title": {"text": y_label}}}
    return {"data": traces, "layout": layout}


def _trace(label: str, points: Sequence[tuple[float, float]], mode: str) -> dict[str, Any]:
    x, y = zip(*points, strict=True)
    return {
        "type": "scatter",
        "mode": mode,
        "name": label,
        "x": [round(each, 6) for each in x],
        "y": [round(each, 6) for each in y],
        "hovertemplate": "%{y:.3f} at %{x:.3f}",
    }


def draw_interval(value: float, low: float, high: float, *, span: tuple[float, float], zero: float = 0.0) -> str:
    """A small SVG: the interval as a bar, the value as a dot, `zero` as a hairline."""
    if not all(math.isfinite(number) for number in (value, low, high)):
        return ""
    width, height = 150, 18

    def across(number: float) -> float:
        share = (number - span[0]) / (span[1] - span[0])
        return 4 + min(1.0, max(0.0, share)) * (width - 8)

    side = "good" if low > zero else "bad" if high < zero else "open"
    return (
        f'<svg class="interval {side}" viewBox="0 0 {width} {height}" width="{width}" aria-hidden="true">'
        f'<line class="zero" x1="{across(zero):.1f}" x2="{across(zero):.1f}" y1="0" y2="{height}"/>'
        f'<line class="bar" x1="{across(low):.1f}" x2="{across(high):.1f}" y1="9" y2="9"/>'
        f'<circle cx="{across(value):.1f}" cy="9" r="4"/></svg>'
    )


def _axes(frame: _Frame, x_label: str, y_label: str) -> str:
    parts = []
    for tick in _ticks(frame.y):
        x, y = frame.at(frame.x[0], tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{x - 7:.1f}" y="{y + 4:.1f}" text-anchor="end">{_tick(tick)}</text>')
    for tick in _ticks(frame.x):
        x, y = frame.at(tick, frame.y[0])
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{_tick(tick)}</text>')
    left, bottom = frame.at(frame.x[0], frame.y[0])
    parts.append(f'<line class="axis" x1="{left:.1f}" x2="{WIDTH - RIGHT}" y1="{bottom:.1f}" y2="{bottom:.1f}"/>')
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts.append(f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    return "".join(parts)


def _curve(frame: _Frame, line: Line) -> str:
    places = [frame.at(x, y) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"><title>{escape(line.label)}: {a:.3f}, {b:.3f}</title></circle>'
        for (x, y), (a, b) in zip(places, line.points, strict=True)
    )
    return f'<g class="line line-{escape(line.name)}"><polyline points="{path}"/>{dots}</g>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max((high - low) * 0.06, 0.01)
    return low - room, high + room


def _ticks(span: tuple[float, float]) -> list[float]:
    """Four to eight round numbers inside the span."""
    raw = (span[1] - span[0]) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= raw)
    first = math.ceil(span[0] / step)
    return [round(index * step, 10) for index in range(first, math.floor(span[1] / step) + 1)]


def _tick(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"


def _finite(point: tuple[float, float]) -> bool:
    return all(math.isfinite(number) for number in point)
