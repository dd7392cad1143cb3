"""report.html: one page that needs nothing else. Pictures are JPEG data URIs; the script that makes curves and pictures
answer the pointer is plotly's and ours, both inlined. Without scripts the curves are SVG, and everything is there."""

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from evaluation.charts import Line, draw_curves, draw_interval, plot_curves
from evaluation.examples import Example
from evaluation.scores import (
    ADAIN,
    ALL,
    CANDIDATE,
    CHAMPION,
    EQUAL_STYLE,
    FULL_STRENGTH,
    NULL_METHODS,
    Estimate,
    NstScore,
    PairScore,
    Report,
)
from evaluation.wording import LABELS, equal_style_rows, headline, interval, method_label, number, percent
from stylenet.pictures import encode_picture, resize_short_side

TEMPLATE_NAME = "report.html.j2"
PICTURE_SIDE_PX = 384  # short side of the embedded pictures
JPEG_QUALITY = 84
X_LABEL = "style taken on (1 - style left)"
CURVES = ("ssim", "edge_ssim", "lpips", "edge_f1", "ms_ssim", "boundary_recall", "stroke_left", "stroke_high_left")
FAMILY_COLUMNS = ("gram_left", "deep_stats_left", "colour_left", "stroke_left", "stroke_high_left", "style_left")
CURVE_LABELS = {"stroke_left": "stroke distance left", "stroke_high_left": "high-band stroke distance left"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One number at the top of the page."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One metric over style: as SVG, and for plotly."""

    label: str
    svg: str
    plot: dict[str, Any]


def render_page(report: Report, examples: Sequence[Example]) -> str:
    """The whole page as one string.

    Args:
        report: the judgement.
        examples: pictures to show; may be empty.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(Path(__file__).with_name(TEMPLATE_NAME).read_text(encoding="utf-8"))
    charts = _charts(report)
    return template.render(
        report=report,
        headline=headline(report),
        tiles=_tiles(report),
        rows=equal_style_rows(report),
        charts=[(chart.label, Markup(chart.svg)) for chart in charts],  # our own SVG, its text escaped there
        plots=Markup(_script_json([chart.plot for chart in charts])),
        plotly=Markup(get_plotlyjs()),
        legend=_legend(report),
        full=_full_strength(report),
        families=[(name, LABELS.get(name.removesuffix("_left"), "mean")) for name in _family_columns(report)],
        dials=_dials(report),
        content=[metric for metric in report.metrics if metric.kind == "content"],
        rivals=_rivals(report),
        slices=[{**row, "bar": Markup(row["bar"])} for row in _slices(report)],
        examples=[_figure(example) for example in examples],
        labels=LABELS,
        number=number,
    )


def _tiles(report: Report) -> list[Tile]:
    table = report.comparisons[ADAIN][EQUAL_STYLE][ALL]
    tiles = []
    for name in ("ssim", "edge_ssim", "lpips"):
        if name in table:
            cell = table[name]
            tiles.append(Tile(LABELS[name], number(cell.candidate.value), f"AdaIN {number(cell.reference.value)}"))
        else:
            tiles.append(Tile(LABELS[name], "—", "not measured"))
    tiles.append(Tile("style reached", percent(table["reach"].candidate.value), "of the pairs, as near as tuned AdaIN"))
    wins = table["edge_ssim"].wins
    tiles.append(Tile("pairs won", percent(wins.value), f"on edge-SSIM, {interval(wins, 2)}"))
    return tiles


def _charts(report: Report) -> list[Chart]:
    drawn = []
    for metric in CURVES:
        lines = [
            Line(
                name,
                _label(report, name),
                tuple((1 - p.scores["style_left"], p.scores.get(metric, math.nan)) for p in report.curves[name]),
            )
            for name in _drawing_order(report)
        ]
        marker = _tuned_point(report, metric)
        label = CURVE_LABELS.get(metric, LABELS.get(metric, metric))
        words: dict[str, Any] = {"x_label": X_LABEL, "y_label": label, "marker": marker, "marker_label": "AdaIN, tuned"}
        svg = draw_curves(lines, **words)
        if svg:
            drawn.append(Chart(label, svg, plot_curves(lines, **words)))
    return drawn


def _script_json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _family_columns(report: Report) -> list[str]:
    scores = report.curves[CANDIDATE][-1].scores
    return [name for name in FAMILY_COLUMNS if name in scores]


def _dials(report: Report) -> list[dict[str, str]]:
    return [
        {
            "dial": score.dial,
            "how": score.how,
            "effect": number(score.effect.value),
            "interval": interval(score.effect),
            "side": "good" if score.effect.low > 0 else "bad" if score.effect.value <= 0 else "open",
        }
        for score in report.dials
    ]


def _tuned_point(report: Report, metric: str) -> tuple[float, float]:
    """Where tuned AdaIN stands on its own mean curve."""
    points = report.curves[ADAIN]
    for a, b in pairwise(points):
        if a.strength <= report.tuning.strength <= b.strength:
            share = (report.tuning.strength - a.strength) / (b.strength - a.strength)
            x, y = (
                a.scores.get(name, math.nan) * (1 - share) + b.scores.get(name, math.nan) * share
                for name in ("style_left", metric)
            )
            return 1 - x, y
    return math.nan, math.nan


def _drawing_order(report: Report) -> list[str]:
    """The candidate last, so that it lies on top."""
    known = [*NULL_METHODS, ADAIN, CHAMPION, CANDIDATE]
    others = sorted(set(report.curves) - set(known))
    return [name for name in [*NULL_METHODS, *others, ADAIN, CHAMPION, CANDIDATE] if name in report.curves]


def _label(report: Report, name: str) -> str:
    known = [report.candidate, *report.baselines, *([report.champion] if report.champion else [])]
    return next((method_label(method) for method in known if method.name == name), name)


def _legend(report: Report) -> list[tuple[str, str]]:
    return [(name, _label(report, name)) for name in reversed(_drawing_order(report))]


def _full_strength(report: Report) -> list[dict[str, Any]]:
    """Everybody at strength 1, from the ends of the curves."""
    rows = []
    for name in reversed(_drawing_order(report)):
        scores = report.curves[name][-1].scores
        rows.append({"name": name, "label": _label(report, name), "scores": scores})
    return rows


def _rivals(report: Report) -> list[dict[str, str]]:
    """Wins against everybody, at the style that tuned AdaIN reaches."""
    rows = []
    for against in [name for name in reversed(_drawing_order(report)) if name not in (CANDIDATE, ADAIN)]:
        table = report.comparisons.get(against, {}).get(EQUAL_STYLE, {}).get(ALL)
        if table is None:
            continue
        rows.append(
            {
                "label": _label(report, against),
                "reach": percent(table["reach"].reference.value),
                "ssim": _wins(table["ssim"].wins),
                "edge_ssim": _wins(table["edge_ssim"].wins),
            }
        )
    return rows


def _wins(estimate: Estimate) -> str:
    return f"{percent(estimate.value)} ({interval(estimate, 2)})"


def _slices(report: Report) -> list[dict[str, Any]]:
    """Each slice's edge-SSIM at equal style, with its interval drawn on a scale that all slices share."""
    tables = report.comparisons[ADAIN][EQUAL_STYLE]
    cells = {name: table["edge_ssim"] for name, table in tables.items() if "edge_ssim" in table}
    ends = [
        abs(end) for cell in cells.values() for end in (cell.difference.low, cell.difference.high) if math.isfinite(end)
    ]
    reach = max([0.05, *ends])
    rows = []
    for name, cell in cells.items():
        gap = cell.difference
        full = report.comparison(ADAIN, FULL_STRENGTH, name, "ssim")
        rows.append(
            {
                "name": "all pairs" if name == ALL else name.removeprefix("movement: ").replace("_", " "),
                "kind": "" if name == ALL else "painting" if name.startswith("movement: ") else "photograph",
                "pairs": cell.pairs,
                "of": cell.pairs if full is None else full.pairs,
                "candidate": number(cell.candidate.value),
                "adain": number(cell.reference.value),
                "gap": f"{gap.value:+.3f}" if math.isfinite(gap.value) else "—",
                "interval": interval(gap),
                "bar": draw_interval(gap.value, gap.low, gap.high, span=(-reach, reach)),
            }
        )
    return rows


def _figure(example: Example) -> dict[str, Any]:
    return {
        "kind": example.kind,
        "title": f"{_short(example.score.content)} as {_short(example.score.style)}",
        "facts": _facts(example.score),
        "pictures": [(caption, _data_uri(pixels)) for caption, pixels in example.pictures],
    }


def _facts(score: PairScore | NstScore) -> str:
    if isinstance(score, PairScore):
        note = "" if score.reached else "; the candidate does not reach this much style"
        return (
            f"edge-SSIM {number(score.candidate['edge_ssim'])} against {number(score.adain['edge_ssim'])}, "
            f"SSIM {number(score.candidate['ssim'])} against {number(score.adain['ssim'])}, "
            f"style left {number(score.style_left, 2)}{note}"
        )
    sides = {"NST": score.nst, "candidate": score.candidate, "AdaIN": score.adain}
    return "; ".join(
        f"{name}: SSIM {number(each['ssim'])}, style left {number(each['style_left'], 2)}"
        for name, each in sides.items()
    )


def _short(name: str) -> str:
    return Path(name).stem.replace("_", ", ", 1).replace("-", " ")


def _data_uri(pixels: Any) -> str:
    small = resize_short_side(pixels, PICTURE_SIDE_PX) if min(pixels.shape[:2]) > PICTURE_SIDE_PX else pixels
    blob = encode_picture(small, "jpeg", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(blob).decode()
