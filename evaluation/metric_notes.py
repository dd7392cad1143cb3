"""What every column of the report means, and whether it was measured here."""

from evaluation import boundary_metrics, content_metrics, lpips_metrics, style_metrics
from evaluation.measuring import Instruments
from evaluation.meters import CONTENT_METRICS, HIGHER_IS_BETTER, SHARE_CAP
from evaluation.scores import MetricInfo
from evaluation.settings import EvaluationSettings


def metric_notes(measured: set[str], instruments: Instruments, settings: EvaluationSettings) -> tuple[MetricInfo, ...]:
    """One entry a column; one that was not measured says why."""
    return (*_content(measured, settings), *_style(instruments), _axis(instruments))


def _content(measured: set[str], settings: EvaluationSettings) -> list[MetricInfo]:
    how = {
        **content_metrics.HOW,
        "lpips": lpips_metrics.lpips_how(settings.lpips_backbone),
        "boundary_recall": boundary_metrics.HOW,
    }
    missing = {
        "lpips": lpips_metrics.lpips_missing(settings.lpips_backbone)
        if settings.lpips
        else "not measured: switched off",
        "ms_ssim": f"not measured: left out, or a side is below {content_metrics.MS_SSIM_SIDE_PX} px",
        "boundary_recall": "not measured: no judged photograph has human boundaries",
    }
    return [
        MetricInfo(
            name=name,
            kind="content",
            higher_is_better=HIGHER_IS_BETTER[name],
            how=how[name] if name in measured else missing.get(name, "not measured"),
            measured=name in measured,
        )
        for name in CONTENT_METRICS
    ]


def _style(instruments: Instruments) -> list[MetricInfo]:
    seen_by = f"; features of {instruments.label}, short side at most {style_metrics.DEEP_SIDE_PX} px"
    names = (*style_metrics.FAMILIES, *style_metrics.OWN_METRICS)
    how = {name: style_metrics.HOW[name] + (seen_by if name in ("gram", "deep_stats") else "") for name in names}
    how |= {f"{name}_left": f"{name}, as a share of the photo's own" for name in names}
    return [MetricInfo(name=name, kind="style", higher_is_better=False, how=text) for name, text in how.items()]


def _axis(instruments: Instruments) -> MetricInfo:
    made = "largest" if instruments.axis == "strict" else "mean"
    families = ", ".join(style_metrics.FAMILIES)
    return MetricInfo(
        name="style_left",
        kind="style",
        higher_is_better=False,
        how=f"{made} of the shares left by {families}, each at most {SHARE_CAP}: the axis of equal style",
    )
