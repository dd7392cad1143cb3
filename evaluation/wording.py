"""The words that the page and the Markdown share: how numbers read, and what the article and the goal say."""

import math
from dataclasses import dataclass

from evaluation.scores import ADAIN, ALL, EQUAL_STYLE, Comparison, Estimate, MethodInfo, Report

LABELS = {
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "lpips": "LPIPS",
    "edge_ssim": "edge-SSIM",
    "edge_f1": "edge F1",
    "boundary_recall": "human boundary recall",
    "gram": "Gram",
    "deep_stats": "deep mean/std",
    "colour": "colour",
    "stroke": "stroke distance",
    "stroke_high": "high-band stroke distance",
    "style_left": "style left",
    "reach": "style reached",
}
PUBLISHED = {"ssim": "0.78"}
"""The article's own numbers for AdaIN, as far as they are known. Nothing is filled in that was not published."""
TIMES = "\N{MULTIPLICATION SIGN}"
GOALS = {
    "ssim": "≥ 0.85",
    "lpips": f"≤ 0.75 {TIMES} AdaIN",
    "edge_ssim": f"≥ 1.4 {TIMES} AdaIN",
    "stroke_high": f"≤ 1.10 {TIMES} AdaIN",
}
BETTER = {True: "higher is better", False: "lower is better"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table at equal style, in words."""

    metric: str
    label: str
    better: str
    published: str
    goal: str
    adain: str
    candidate: str
    interval: str
    ratio: str
    ratio_interval: str
    recovered: str
    wins: str


def equal_style_rows(report: Report) -> list[Row]:
    """Every content metric and the stroke distances; an unmeasured metric has its line too, and says so."""
    infos = [info for info in report.metrics if info.kind == "content" or info.name in ("stroke", "stroke_high")]
    rows = []
    for info in infos:
        cell = report.comparison(ADAIN, EQUAL_STYLE, ALL, info.name)
        rows.append(_row(info.name, info.higher_is_better, cell if info.measured else None))
    return rows


def _row(metric: str, higher_is_better: bool, cell: Comparison | None) -> Row:
    words = ("not measured", "not measured", "", "", "", "", "")
    if cell is not None:
        words = (
            number(cell.reference.value),
            number(cell.candidate.value),
            interval(cell.candidate),
            f"{number(cell.ratio.value, 2)} {TIMES}",
            interval(cell.ratio, 2),
            _recovered(cell),
            percent(cell.wins.value),
        )
    return Row(
        metric,
        LABELS.get(metric, metric),
        BETTER[higher_is_better],
        PUBLISHED.get(metric, "—"),
        GOALS.get(metric, "—"),
        *words,
    )


def _recovered(cell: Comparison) -> str:
    """How much of AdaIN's loss the candidate keeps, with its interval."""
    if not math.isfinite(cell.recovered.low):
        return percent(cell.recovered.value)
    low, high = percent(cell.recovered.low), percent(cell.recovered.high)
    return f"{percent(cell.recovered.value)} ({low} to {high})"


def number(value: float, digits: int = 3) -> str:
    """A number for people; one that is none reads "—"."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "—"


def interval(estimate: Estimate, digits: int = 3) -> str:
    """ "0.812 to 0.846", or nothing where no interval could be given."""
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return "no interval"
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def percent(value: float) -> str:
    """A share as whole percents."""
    return f"{value:.0%}" if math.isfinite(value) else "—"


def headline(report: Report) -> str:
    """What was found, in one sentence that claims no more than the intervals do."""
    cell = report.comparison(ADAIN, EQUAL_STYLE, ALL, "edge_ssim")
    reach = report.comparison(ADAIN, EQUAL_STYLE, ALL, "reach")
    if cell is None or reach is None or not math.isfinite(cell.difference.value):
        return "The comparison at equal style could not be made; the scores hold numbers that are none."
    if reach.candidate.value < 0.5:
        return (
            f"The candidate comes as near to the style as tuned AdaIN on only {percent(reach.candidate.value)} of the "
            "pairs, so how much structure it keeps says little."
        )
    claim = "the difference could be chance"
    if math.isnan(cell.difference.low):
        claim = "too few photographs were compared to tell chance from difference"
    elif cell.difference.low > 0:
        claim = "its edges are closer to the photograph's than AdaIN's"
    elif cell.difference.high < 0:
        claim = "AdaIN's edges are closer to the photograph's"
    return (
        f"At equal style {claim}: edge-SSIM {number(cell.candidate.value)} against {number(cell.reference.value)} "
        f"({number(cell.ratio.value, 2)} {TIMES}, 95 % interval {interval(cell.ratio, 2)})."
    )


def method_label(method: MethodInfo) -> str:
    """The method's name as headings show it."""
    return method.label if method.label == "AdaIN" else method.label[:1].upper() + method.label[1:]
