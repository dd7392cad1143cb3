"""The report as data: what scores.json holds. It can be printed, drawn, decided on, or refused."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from evaluation.estimates import Estimated

SCHEMA_VERSION = 2
DIGITS = 6
CANDIDATE, ADAIN, CHAMPION, NST = "candidate", "adain", "champion", "nst"
NULL_METHODS = ("raw_blend", "recoloured_blend", "colour_transfer")
EQUAL_STYLE, FULL_STRENGTH = "equal_style", "full_strength"
ALL = "all"
"""The slice that holds every pair."""


def _read_number(value: Any) -> Any:
    return math.nan if value is None else value


def _write_number(value: float) -> float | None:
    """NaN and infinity become null, since JSON has no other word for them; digits beyond the sixth are noise."""
    return round(value, DIGITS) if math.isfinite(value) else None


Number = Annotated[float, BeforeValidator(_read_number), PlainSerializer(_write_number, when_used="json")]
"""A float whose NaN is null in JSON, both ways."""


class Form(BaseModel):
    """Base of the forms below: frozen, and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(Form):
    """A value with its standard error and 95 % interval; null where it was not measured."""

    value: Number
    error: Number
    low: Number
    high: Number

    @staticmethod
    def of(estimated: Estimated) -> "Estimate":
        """From the bootstrap's own form."""
        return Estimate(value=estimated.value, error=estimated.error, low=estimated.low, high=estimated.high)


class Comparison(Form):
    """One metric of the candidate against one reference, over the pairs of one slice.

    Args:
        difference: candidate minus reference.
        ratio: mean of the candidate over mean of the reference.
        recovered: of what the reference lost, the share that the candidate keeps: (ours - theirs) / (perfect - theirs),
            perfect being 1 for a similarity and 0 for a distance. 0 is no better than the reference, 1 is perfect, and
            unlike the ratio it can be reached whatever the reference keeps.
        wins: share of pairs where the candidate is strictly better; a tie is no win. Where only one of the two comes
            as near to the style as was asked, that one wins.
        pairs: how many pairs were compared.
        photographs: how many photographs they come from.
    """

    candidate: Estimate
    reference: Estimate
    difference: Estimate
    ratio: Estimate
    recovered: Estimate
    wins: Estimate
    pairs: int
    photographs: int


class MethodInfo(Form):
    """What painted."""

    name: str
    label: str
    digest: str | None = Field(default=None, description="the package's; null for a method without weights")
    engine: str | None = Field(default=None, description='for example "openvino bfloat16"')
    note: str = ""


class MetricInfo(Form):
    """What a column means, and whether it was measured."""

    name: str
    kind: Literal["content", "style"]
    higher_is_better: bool
    how: str
    measured: bool = True


class DataInfo(Form):
    """What was judged."""

    digest: str
    sources: tuple[str, ...] = Field(description="names of the folders, without where they lie")
    photographs: int
    paintings: int
    pairs: int
    comparable_pairs: int = Field(description="pairs in which tuned AdaIN comes nearer to the style at all")
    skipped: tuple[tuple[str, str], ...]
    unreadable: int = Field(default=0, description="files among the skipped that are no picture")
    duplicates: int = Field(default=0, description="files among the skipped that were there already")


class DialScore(Form):
    """What one dial does, measured on a few small pairs.

    Args:
        effect: how much of what the dial claims it does, 0 being nothing; `how` says in which unit.
        pairs: how many pairs it was turned on.
        photographs: how many photographs they come from.
    """

    dial: str
    how: str
    effect: Estimate
    pairs: int
    photographs: int


class Tuning(Form):
    """AdaIN's strength, set so that its mean SSIM is the published one."""

    target_ssim: float
    strength: Number
    mean_ssim: Number
    reached: bool = Field(description="false where AdaIN keeps more than the target even at full strength")


class CurvePoint(Form):
    """The mean of every metric over all pairs at one strength."""

    strength: float
    scores: dict[str, Number]


class PairScore(Form):
    """One pair at equal style with tuned AdaIN."""

    content: str
    style: str
    building: bool | None
    movement: str
    comparable: bool
    reached: bool
    candidate_strength: Number
    adain_strength: Number
    style_left: Number
    candidate: dict[str, Number]
    adain: dict[str, Number]


class NstScore(Form):
    """Gatys NST beside the candidate and AdaIN at full strength, on the same few pairs."""

    content: str
    style: str
    nst: dict[str, Number]
    candidate: dict[str, Number]
    adain: dict[str, Number]


class Report(Form):
    """One judgement. The same methods, pictures and settings give the same bytes; when it ran stands in run.json.

    Args:
        comparisons: against -> at -> slice -> metric. against is adain, champion or a null method; at is equal_style
            (everything read where tuned AdaIN's share of the style is met) or full_strength; the slice `all` is
            always there; metrics are those of `metrics` and, at equal style, `reach`: the share of pairs where the
            candidate comes as near to the style as was asked.
        areas: metric -> mean gap between candidate and AdaIN over all the style that both reach.
        dials: what the candidate's dials do; empty where that was not measured.
    """

    schema_version: Literal[2] = 2
    candidate: MethodInfo
    champion: MethodInfo | None
    baselines: tuple[MethodInfo, ...]
    data: DataInfo
    settings: dict[str, Any]
    extractor: Literal["vgg19", "compact"]
    extractor_label: str
    metrics: tuple[MetricInfo, ...]
    tuning: Tuning
    curves: dict[str, tuple[CurvePoint, ...]]
    comparisons: dict[str, dict[str, dict[str, dict[str, Comparison]]]]
    areas: dict[str, Estimate]
    pairs: tuple[PairScore, ...]
    nst: tuple[NstScore, ...]
    dials: tuple[DialScore, ...] = ()

    def comparison(self, against: str, at: str, slice_name: str, metric: str) -> Comparison | None:
        """One cell of `comparisons`, or None where it was not made."""
        return self.comparisons.get(against, {}).get(at, {}).get(slice_name, {}).get(metric)

    def slices(self) -> list[str]:
        """The slices that were compared with AdaIN, `all` first."""
        return list(self.comparisons.get(ADAIN, {}).get(EQUAL_STYLE, {}))

    def metric(self, name: str) -> MetricInfo | None:
        """What is known of a metric."""
        return next((metric for metric in self.metrics if metric.name == name), None)
