"""From a policy's words and a report's numbers to claims."""

import math

from evaluation.estimates import LEAST_CLUSTERS
from evaluation.policy import Policy, Rule
from evaluation.scores import ALL, CHAMPION, Comparison, Estimate, Report
from evaluation.verdict_claims import Claim, Obstacle
from evaluation.verdict_numbers import Mean

OF = {
    "candidate": "the candidate's mean",
    "difference": "candidate minus {against}",
    "ratio": "candidate over {against}",
    "recovered": "share of {against}'s loss that is recovered",
    "wins": "share of pairs won against {against}",
}


def rule_claims(report: Report, policy: Policy) -> list[Claim]:
    """Every rule that applies. Rules against a champion wait until there is one."""
    rules = [rule for rule in policy.rules if rule.against != CHAMPION or report.champion is not None]
    return [_rule_claim(rule, report, policy) for rule in rules]


def dial_claims(report: Report, policy: Policy) -> list[Claim]:
    """One claim for each dial that the policy names: turning it must do what it says."""
    found = {score.dial: score for score in report.dials}
    claims = []
    for dial, least in policy.dials.items():
        score = found.get(dial)
        number = None if score is None else _mean(score.effect, score.photographs)
        obstacle = (
            Obstacle("unmeasured", f"nobody turned {dial}; run `pentimento evaluate` again")
            if score is None
            else _number_obstacle(f"the effect of {dial}", score.effect, score.photographs)
        )
        subject = f"effect of {dial}" if score is None else score.how
        claims.append(
            Claim(name=f"dial: {dial}", subject=subject, number=number, bound=least, sign=1, obstacle=obstacle)
        )
    return claims


def _rule_claim(rule: Rule, report: Report, policy: Policy) -> Claim:
    cell = report.comparison(rule.against, rule.at, rule.slice, rule.metric)
    is_share = rule.of == "wins" or (rule.metric == "reach" and rule.of == "candidate")
    number = None if cell is None else _mean(getattr(cell, rule.of), cell.photographs, is_share=is_share)
    return Claim(
        name=rule.name,
        subject=_subject(rule),
        number=number,
        bound=rule.bound,
        sign=rule.sign,
        obstacle=_obstacle(rule, cell, report, policy),
    )


def _mean(estimate: Estimate, photographs: int, *, is_share: bool = False) -> Mean:
    return Mean(estimate.value, estimate.error, photographs, is_share)


def _subject(rule: Rule) -> str:
    where = "" if rule.slice == ALL else f" on {rule.slice}"
    of = OF[rule.of].format(against=rule.against.replace("_", " "))
    return f"{rule.metric}, {of}, at {rule.at.replace('_', ' ')}{where},"


def _obstacle(rule: Rule, cell: Comparison | None, report: Report, policy: Policy) -> Obstacle | None:
    if cell is None:
        known = ", ".join(sorted(report.comparisons))
        return Obstacle(
            "unmeasured",
            f"not measured: {rule.metric} against {rule.against} on slice {rule.slice!r} (compared with: {known})",
        )
    if cell.pairs == 0:
        return Obstacle("too_few", "no comparable pair")
    if rule.slice != ALL and cell.pairs < policy.minimum_slice_pairs:
        return Obstacle("undecided", f"{cell.pairs} pairs on this slice; {policy.minimum_slice_pairs} are needed")
    return _number_obstacle(rule.metric, getattr(cell, rule.of), cell.photographs)


def _number_obstacle(what: str, estimate: Estimate, photographs: int) -> Obstacle | None:
    if not math.isfinite(estimate.value):
        return Obstacle("unmeasured", f"{what} is not a number")
    if photographs < LEAST_CLUSTERS or not math.isfinite(estimate.error):
        return Obstacle("undecided", f"no interval from {photographs} photographs; {LEAST_CLUSTERS} or more are needed")
    return None
