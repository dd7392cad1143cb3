"""Claims: every demand of a policy in one shape, decided together under Holm's correction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.verdict_levels import Step, step_down
from evaluation.verdict_numbers import Sure
from registry.evidence import RuleResult

Outcome = Literal["holds", "fails", "undecided", "unmeasured", "too_few"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verdict."""

    outcome: Outcome
    result: RuleResult


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a claim cannot be decided, whatever its number."""

    outcome: Outcome
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A number must lie on one side of a bound.

    Args:
        name: the rule's.
        subject: what the number is, in words.
        number: None where it was not measured.
        bound: the number that decides.
        sign: 1 where it must be at or above, -1 where at or below.
        obstacle: set where the claim cannot be decided.
    """

    name: str
    subject: str
    number: Sure | None
    bound: float
    sign: int
    obstacle: Obstacle | None = None

    def chance(self, *, of_holding: bool) -> float:
        """The p-value of the claim that the rule holds, or of the claim that it fails; 1 where neither can be said."""
        if self.number is None or self.obstacle is not None:
            return 1.0
        if not of_holding and (self.number.value - self.bound) * self.sign >= 0:
            return 1.0  # a number on its own side of the bound, or on it, does not speak for failure
        is_above_claimed = (self.sign == 1) == of_holding
        return self.number.chance_below(self.bound) if is_above_claimed else self.number.chance_above(self.bound)


def decide_claims(claims: Sequence[Claim], confidence: float) -> list[Check]:
    """Decide all claims together.

    Two families, each at (1 - confidence) / 2: that rules hold, and that rules fail. So the chance that any rule is
    wrongly said to hold, and the chance that any is wrongly said to fail, are that small however many rules there are.
    """
    tail = (1 - confidence) / 2
    holding = step_down([claim.chance(of_holding=True) for claim in claims], tail)
    failing = step_down([claim.chance(of_holding=False) for claim in claims], tail)
    return [_check(*each) for each in zip(claims, holding, failing, strict=True)]


def _check(claim: Claim, holding: Step, failing: Step) -> Check:
    if claim.number is None or claim.obstacle is not None:
        obstacle = claim.obstacle or Obstacle("unmeasured", "not measured")
        return Check(obstacle.outcome, _result(claim, holding.level, passed=False, note=obstacle.note))
    if holding.is_claimed:
        return Check("holds", _result(claim, holding.level, passed=True, note=""))
    outcome: Outcome = "fails" if failing.is_claimed else "undecided"
    level = failing.level if failing.is_claimed else holding.level
    return Check(outcome, _result(claim, level, passed=False, note=_cure(claim, outcome, holding.level)))


def _result(claim: Claim, level: float, *, passed: bool, note: str) -> RuleResult:
    value = math.nan if claim.number is None else claim.number.value
    low, high = (math.nan, math.nan) if claim.number is None else claim.number.interval(level)
    sign, end = (">=", "lower") if claim.sign == 1 else ("<=", "upper")
    return RuleResult(
        name=claim.name,
        passed=passed,
        value=value,
        interval=(low, high),
        confidence=1 - 2 * level,
        needed=f"{claim.subject} {sign} {claim.bound:g} at the {end} end of the {1 - 2 * level:.2%} interval",
        note=note,
    )


def _cure(claim: Claim, outcome: Outcome, level: float) -> str:
    """What would pass: the value at this spread, or the sample at this value."""
    if claim.number is None:
        return ""
    passing = claim.number.passing_value(claim.bound, claim.sign, level)
    side = "or more" if claim.sign == 1 else "or less"
    value = f"{passing:.4g} {side} would pass with this spread" if math.isfinite(passing) else "there is no interval"
    if outcome == "fails":
        return value
    is_on_its_side = (claim.number.value - claim.bound) * claim.sign > 0
    sample = claim.number.sample_needed(claim.bound, level) if is_on_its_side else ""
    return f"cannot tell: the interval straddles the bound; {value}{f', or {sample} at this value' if sample else ''}"
