"""Evidence: the form that evaluation fills in and promotion asks for. One file, evidence.json, beside the report.

The side that asks owns the form, so it is defined here and `evaluation` imports it. It refuses to contradict itself: a
"passed" with a failed rule, a rule that passes without a finite number, or no rules at all, is not evidence.
"""

import math
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from registry.errors import EvidenceError
from stylenet.pictures import write_bytes

EVIDENCE_NAME = "evidence.json"
Verdict = Literal["passed", "rejected", "could_not_run", "inconclusive"]
EXIT_CODES: dict[Verdict, int] = {"passed": 0, "rejected": 3, "could_not_run": 4, "inconclusive": 5}
"""What `pentimento gate` exits with."""
_DIGEST = r"^[0-9a-f]{64}$"


class RuleResult(BaseModel):
    """One rule of the policy, held against the numbers.

    Args:
        name: the rule's name in the policy, for example "ssim_at_equal_style".
        passed: whether it holds. It cannot pass without a finite `value`: "cannot tell" is not "fine".
        value: what was measured, None where it was not. NaN and infinity become None.
        interval: its 95 % interval (low, high), None where there is none.
        needed: what would have passed, in words, for example ">= 0.85" or "not below champion by more than 0.01".
        note: anything a reader should know, for example why it was not measured.
        confidence: the interval's level after correcting for several rules, for example 0.9917; None means 0.95.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    passed: bool
    value: float | None
    interval: tuple[float, float] | None = None
    needed: str
    note: str = ""
    confidence: float | None = Field(default=None, gt=0, lt=1)

    @field_validator("value", "interval", mode="before")
    @classmethod
    def _drop_what_is_no_number(cls, value: Any) -> Any:
        return _finite_or_none(value)

    @model_validator(mode="after")
    def _a_pass_has_a_number(self) -> "RuleResult":
        if self.passed and self.value is None:
            raise ValueError(f"rule {self.name!r} passed without a finite value; what was not measured cannot pass")
        if self.interval is not None and self.interval[0] > self.interval[1]:
            raise ValueError(f"rule {self.name!r} has an interval that ends before it begins: {self.interval}")
        return self


class StudySummary(BaseModel):
    """What a preference study with people gave.

    Args:
        digest: sha256 of study.json.
        voters: how many people voted.
        votes: how many comparisons they judged.
        preference: share of the votes for the candidate, None where it could not be computed.
        interval: its 95 % interval (low, high).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str = Field(pattern=_DIGEST)
    voters: int = Field(ge=0)
    votes: int = Field(ge=0)
    preference: float | None = Field(default=None, ge=0, le=1)
    interval: tuple[float, float] | None = None

    @field_validator("preference", "interval", mode="before")
    @classmethod
    def _drop_what_is_no_number(cls, value: Any) -> Any:
        return _finite_or_none(value)


class Evidence(BaseModel):
    """What a gate found out about one candidate.

    Args:
        candidate_digest: `Package.digest` of what was judged.
        champion_digest: `Package.digest` of the champion that it was held against, None if there was none.
        verdict: "passed" only with at least one rule, and all of them passed.
        reason: one sentence for people; needed where the verdict is "could_not_run" or "inconclusive".
        rules: every rule of the policy, in its order.
        scores: by method and metric, for example {"candidate": {"ssim": 0.86}, "adain": {"ssim": 0.78}}.
        pairs: how many content x style pairs were scored.
        engine: what painted, for example "openvino bfloat16".
        dataset_digest: sha256 of the manifest of pairs.
        policy_digest: sha256 of the policy file.
        created_at: when, with its time zone.
        study: the people's verdict, where one was asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    candidate_digest: str = Field(pattern=_DIGEST)
    champion_digest: str | None = Field(pattern=_DIGEST)
    verdict: Verdict
    reason: str = ""
    rules: tuple[RuleResult, ...]
    scores: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    pairs: int = Field(ge=0)
    engine: str = "unknown"
    dataset_digest: str = Field(pattern=_DIGEST)
    policy_digest: str = Field(pattern=_DIGEST)
    created_at: AwareDatetime
    study: StudySummary | None = None

    @field_validator("scores", mode="before")
    @classmethod
    def _drop_what_is_no_number(cls, scores: Any) -> Any:
        if not isinstance(scores, dict):
            return scores
        return {method: _finite(metrics) for method, metrics in scores.items()}

    @model_validator(mode="after")
    def _the_verdict_follows_from_the_rules(self) -> "Evidence":
        failed = [rule.name for rule in self.rules if not rule.passed]
        if self.verdict == "passed" and (failed or not self.rules):
            raise ValueError(f"verdict 'passed' with {'failed rules ' + ', '.join(failed) if failed else 'no rules'}")
        if self.verdict == "passed" and self.pairs == 0:
            raise ValueError("verdict 'passed' without a single scored pair")
        return self

    @property
    def passed(self) -> bool:
        """Whether the gate let the candidate through."""
        return self.verdict == "passed"

    @property
    def exit_code(self) -> int:
        """What `pentimento gate` exits with: 0 passed, 3 rejected, 4 could not run, 5 inconclusive."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> str:
        """Strict JSON (no NaN), one key a line."""
        return self.model_dump_json(indent=1) + "\n"

    @staticmethod
    def from_json(text: str | bytes, *, source: str = "the evidence") -> "Evidence":
        """Read what `to_json` wrote.

        Raises:
            EvidenceError: not JSON, not this form, or contradicting itself; the key is named.
        """
        try:
            return Evidence.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise EvidenceError(
                f"{source}: {where + ': ' if where else ''}{first['msg']}; run `pentimento evaluate` and `gate` again"
            ) from error


def write_evidence(evidence: Evidence, folder: str | os.PathLike[str]) -> Path:
    """Write evidence.json into `folder`, whole or not at all, and return its path."""
    path = Path(folder) / EVIDENCE_NAME
    write_bytes(evidence.to_json().encode(), path)
    return path


def read_evidence(folder: str | os.PathLike[str]) -> Evidence:
    """Read the evidence.json of an evaluation's folder (or the file itself).

    Raises:
        EvidenceError: missing or unreadable, not this form, or contradicting itself.
    """
    path = Path(folder)
    if path.is_dir():
        path = path / EVIDENCE_NAME
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise EvidenceError(
            f"{path} cannot be read ({error.strerror}); `pentimento gate DIR --policy FILE` writes it"
        ) from error
    return Evidence.from_json(blob, source=str(path))


def _finite_or_none(value: Any) -> Any:
    numbers = value if isinstance(value, list | tuple) else [value]
    return None if any(isinstance(n, float) and not math.isfinite(n) for n in numbers) else value


def _finite(metrics: Any) -> Any:
    if not isinstance(metrics, dict):
        return metrics
    return {name: None if isinstance(n, float) and not math.isfinite(n) else n for name, n in metrics.items()}
