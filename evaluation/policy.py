"""The policy: which numbers a candidate must show before it may be promoted. A YAML file, checked key by key."""

import hashlib
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from evaluation import style_metrics
from evaluation.errors import PolicyError
from evaluation.meters import CONTENT_METRICS
from evaluation.scores import ADAIN, ALL
from evaluation.style_metrics import FAMILIES
from stylenet.dials import DIAL_NAMES

DISTANCES = (*FAMILIES, *style_metrics.OWN_METRICS)
METRICS = (*CONTENT_METRICS, *DISTANCES, *(f"{name}_left" for name in DISTANCES), "style_left", "reach")
DIALS = (*DIAL_NAMES, "keep_color")


def _known_metric(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"no metric is called so; there are {', '.join(METRICS)}")
    return name


def _known_dial(name: str) -> str:
    if name not in DIALS:
        raise ValueError(f"no dial is called so; there are {', '.join(DIALS)}")
    return name


Metric = Annotated[str, AfterValidator(_known_metric)]
Dial = Annotated[str, AfterValidator(_known_dial)]


class Rule(BaseModel):
    """One demand on one number. Exactly one of `at_least` and `at_most` is set.

    Args:
        name: how verdicts call it.
        metric: a column of the report; `reach` is the share of pairs in which the candidate comes as near to the style
            as tuned AdaIN.
        of: the candidate's own mean; candidate minus reference; candidate over reference; `recovered`, the share of
            what the reference lost that the candidate keeps; or the share of pairs that the candidate wins.
        against: the reference: adain, champion, a null method, or a foreign method of the report by its name. A rule
            against the champion is left out where nothing serves yet.
        at: at equal style (where tuned AdaIN's style is met), or everybody at strength 1.
        slice: `all`, `building`, `other`, or `movement: <name>`.
        at_least: the whole interval must be at or above it.
        at_most: the whole interval must be at or below it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    metric: Metric
    of: Literal["candidate", "difference", "ratio", "recovered", "wins"] = "candidate"
    against: str = Field(default=ADAIN, min_length=1)
    at: Literal["equal_style", "full_strength"] = "equal_style"
    slice: str = ALL
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_bound(self) -> "Rule":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("set exactly one of at_least and at_most")
        if self.metric == "reach" and self.at != "equal_style":
            raise ValueError("reach is measured at equal_style only")
        return self

    @property
    def bound(self) -> float:
        """The number that decides."""
        return self.at_least if self.at_least is not None else float(self.at_most or 0.0)

    @property
    def sign(self) -> int:
        """1 where the number must be at or above the bound, -1 where at or below."""
        return 1 if self.at_least is not None else -1


class StudyRule(BaseModel):
    """What people must have said in a blind preference study (`pentimento study`).

    Args:
        at_least: the lower end of the interval of the share of votes for the candidate; 0.5 is no preference.
        minimum_voters: people who answered the attention checks.
        minimum_votes: their votes in all, attention checks not counted.
        minimum_agreement: Krippendorff's alpha among them; null asks for none (taste may differ).
        against: the method that the candidate is preferred to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: float = Field(gt=0, lt=1)
    minimum_voters: int = Field(default=5, ge=1)
    minimum_votes: int = Field(default=60, ge=1)
    minimum_agreement: float | None = Field(default=None, ge=-1, le=1)
    against: str = Field(default=ADAIN, min_length=1)


class Policy(BaseModel):
    """All demands together.

    Args:
        minimum_pairs: comparable pairs (tuned AdaIN comes nearer to the style there) that a verdict needs.
        minimum_photographs: different photographs; they are what the interval is drawn over.
        minimum_paintings: different styles.
        minimum_slice_pairs: comparable pairs that a slice needs to be decided on.
        minimum_strengths: steps of the sweep; a coarser one reads "equal style" too roughly.
        minimum_short_side_px: pictures smaller than this prove nothing about real ones.
        extractor: the backbone of the deep style distances; null accepts any.
        required_metrics: must be measured on every pair, ruled on or not.
        required_slices: must be there, ruled on or not.
        confidence: of the verdict: a good candidate is rejected, or a bad one passed, by chance in no more than half of
            the rest (0.95: 2.5 % each), however many rules there are (Holm 1979).
        dials: by dial, the least effect that turning it must have; `evaluation.dials` says in which unit.
        study: what people must have said; null asks nobody.
        rules: one or more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    name: str = Field(min_length=1)
    minimum_pairs: int = Field(ge=1)
    minimum_photographs: int = Field(ge=3)
    minimum_paintings: int = Field(ge=1)
    minimum_slice_pairs: int = Field(default=1, ge=1)
    minimum_strengths: int = Field(default=5, ge=3)
    minimum_short_side_px: int = Field(default=64, ge=64)
    extractor: Literal["vgg19", "compact"] | None = None
    required_metrics: tuple[Metric, ...] = Field(min_length=1)
    required_slices: tuple[str, ...] = ()
    confidence: float = Field(default=0.95, ge=0.8, le=0.999)
    dials: dict[Dial, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    study: StudyRule | None = None
    rules: tuple[Rule, ...] = Field(min_length=1)

    _file_digest: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names_differ(self) -> "Policy":
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules are called {twice[0]!r}; give each its own name")
        return self

    @property
    def digest(self) -> str:
        """sha256 of the file it was read from, or of its canonical JSON where it was made in code."""
        return self._file_digest or hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_policy(path: str | PathLike[str]) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: missing, not YAML, a key twice, unknown or with a value that cannot be; the key is named.
    """
    try:
        blob = Path(path).read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror}); see configs/policy.yaml for one") from error
    try:
        raw = yaml.load(blob, Loader=_StrictLoader)  # a SafeLoader that also refuses doubled keys
    except yaml.YAMLError as error:
        raise PolicyError(f"{path}: not usable YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise PolicyError(f"{path}: holds {type(raw).__name__}, not keys and values; see configs/policy.yaml for one")
    try:
        policy = Policy.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise PolicyError(f"{path}: {where}: {first['msg']} (got {_short(first.get('input'))})") from error
    policy._file_digest = hashlib.sha256(blob).hexdigest()
    return policy


class _StrictLoader(yaml.SafeLoader):
    """A floor that stands twice in the file is a mistake; YAML would quietly take the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
