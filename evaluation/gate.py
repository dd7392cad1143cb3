"""From a report and a policy to a verdict. Pure: the same report and policy give the same verdict.

A rule is decided by an interval, not by the point: it holds when the interval lies on the right side of the bound,
fails when it lies on the wrong side, and is undecided when it straddles it. Holm's correction widens the intervals so
that the whole list of rules can be trusted together (`evaluation.verdict_claims`). The verdict is then the first of

    inconclusive    too few pairs, photographs, paintings or sweep steps: no rule can be trusted, not even a failed one
                    (could_not_run instead, where something was not measured either)
    rejected        some rule fails
    could_not_run   something needed was not measured, is NaN, or a slice is missing
    inconclusive    some rule is undecided, or a slice has too few pairs
    passed          every rule holds, and nothing above applies

Nothing but `passed` lets a candidate through.
"""

import math
from datetime import UTC, datetime
from pathlib import Path

from evaluation.errors import ReportError
from evaluation.policy import Policy
from evaluation.scores import ADAIN, ALL, EQUAL_STYLE, FULL_STRENGTH, Report
from evaluation.study_results import StudyResult
from evaluation.verdict_claims import Check, Outcome, decide_claims
from evaluation.verdict_rules import dial_claims, rule_claims
from evaluation.verdict_study import study_checks, study_claims, summarise
from registry import evidence as registry_evidence
from registry.evidence import Evidence, RuleResult, Verdict


def decide(
    report: Report, policy: Policy, *, candidate_digest: str | None = None, study: StudyResult | None = None
) -> Evidence:
    """Hold a report against a policy.

    Args:
        report: what `evaluate` returned or `read_report` read.
        policy: what is asked.
        candidate_digest: the digest of the version that the verdict is wanted for, where it is known.
        study: what people said, where they were asked.

    Raises:
        ReportError: the report is about another package than `candidate_digest`: it is stale.
    """
    digest = _fresh_digest(report, candidate_digest)
    checks = [*_size_checks(report, policy), *_coverage_checks(report, policy), *study_checks(report, policy, study)]
    claims = [*rule_claims(report, policy), *dial_claims(report, policy), *study_claims(policy, study)]
    checks += decide_claims(claims, policy.confidence)
    verdict = _verdict([check.outcome for check in checks])
    return Evidence(
        candidate_digest=digest,
        champion_digest=None if report.champion is None else report.champion.digest,
        verdict=verdict,
        reason=_reason(verdict, checks),
        rules=tuple(check.result for check in checks),
        scores=_scores(report),
        pairs=report.data.pairs,
        engine=report.candidate.engine or "unknown",
        dataset_digest=report.data.digest,
        policy_digest=policy.digest,
        created_at=datetime.now(UTC),
        study=None if study is None else summarise(study, policy),
    )


def write_evidence(evidence: Evidence, out: Path, *, candidate_digest: str | None = None) -> Path:
    """Write evidence.json into the evaluation's folder; the file is whole or not there.

    Raises:
        ReportError: the evidence is about another package than `candidate_digest`.
    """
    if candidate_digest is not None and evidence.candidate_digest != candidate_digest:
        raise ReportError(_stale(evidence.candidate_digest, candidate_digest))
    return registry_evidence.write_evidence(evidence, out)


def _fresh_digest(report: Report, wanted: str | None) -> str:
    found = report.candidate.digest
    if found is None:
        raise ReportError("the report names no package digest for the candidate; evaluate a model package")
    if wanted is not None and found != wanted:
        raise ReportError(_stale(found, wanted))
    return found


def _stale(found: str, wanted: str) -> str:
    return (
        f"stale: the report is about package {found[:12]}, but {wanted[:12]} is asked about; "
        "run `pentimento evaluate` on that very version"
    )


def _size_checks(report: Report, policy: Policy) -> list[Check]:
    strengths = report.settings.get("strengths", [])
    return [
        _at_least("comparable pairs", report.data.comparable_pairs, policy.minimum_pairs),
        _at_least("photographs", report.data.photographs, policy.minimum_photographs),
        _at_least("paintings", report.data.paintings, policy.minimum_paintings),
        _at_least("strengths in the sweep", len(strengths), policy.minimum_strengths),
        _at_least("short side in px", int(report.settings.get("short_side_px", 0)), policy.minimum_short_side_px),
    ]


def _at_least(name: str, found: int, needed: int) -> Check:
    enough = found >= needed
    note = "" if enough else f"{found} are too few to decide anything"
    result = RuleResult(name=name, passed=enough, value=found, needed=f">= {needed}", note=note)
    return Check("holds" if enough else "too_few", result)


def _coverage_checks(report: Report, policy: Policy) -> list[Check]:
    """Everything that must have been measured, whether or not a rule asks about it."""
    checks = []
    for metric in policy.required_metrics:
        count = _measured_pairs(report, metric)
        known = report.metric(metric)
        note = known.how if known is not None and not known.measured else f"{metric} is not a number on every pair"
        checks.append(_covered(f"measured: {metric}", count, note))
    for name in policy.required_slices:
        cell = report.comparison(ADAIN, FULL_STRENGTH, name, "ssim")
        checks.append(
            _covered(f"slice: {name}", 0 if cell is None else cell.pairs, f"the data has no pair in {name!r}")
        )
    if policy.extractor is not None and report.extractor != policy.extractor:
        note = f"deep style was measured by {report.extractor}; see `pentimento doctor` for the weights"
        checks.append(_covered(f"extractor: {policy.extractor}", 0, note))
    return checks


def _covered(name: str, count: int, note: str) -> Check:
    found = count > 0
    value = count if found else None
    result = RuleResult(name=name, passed=found, value=value, needed="must be there", note="" if found else note)
    return Check("holds" if found else "unmeasured", result)


def _measured_pairs(report: Report, metric: str) -> int:
    """The pairs on which the metric is a number for both sides, at both places; 0 if it is not on all of them."""
    cells = [report.comparison(ADAIN, at, ALL, metric) for at in (EQUAL_STYLE, FULL_STRENGTH)]
    if metric == "reach":
        cells = cells[:1]
    numbers = [math.isfinite(c.candidate.value) and math.isfinite(c.reference.value) for c in cells if c is not None]
    return (
        min((c.pairs for c in cells if c is not None), default=0) if len(numbers) == len(cells) and all(numbers) else 0
    )


def _verdict(outcomes: list[Outcome]) -> Verdict:
    if "too_few" in outcomes:
        return "could_not_run" if "unmeasured" in outcomes else "inconclusive"
    if "fails" in outcomes:
        return "rejected"
    if "unmeasured" in outcomes:
        return "could_not_run"
    return "inconclusive" if "undecided" in outcomes else "passed"


def _reason(verdict: Verdict, checks: list[Check]) -> str:
    """One sentence: the first thing that stood in the way, and how many more did."""
    if verdict == "passed":
        return f"all {len(checks)} checks hold"
    blamed: dict[Verdict, tuple[Outcome, ...]] = {
        "rejected": ("fails",),
        "could_not_run": ("unmeasured",),
        "inconclusive": ("too_few", "undecided"),
    }
    culprits = [check.result for check in checks if check.outcome in blamed[verdict]]
    first = culprits[0]
    measured = "not measured" if first.value is None else f"{first.value:.4g}"
    more = f" (and {len(culprits) - 1} more)" if len(culprits) > 1 else ""
    return f"{first.name}: {measured}, needed {first.needed}{'; ' + first.note if first.note else ''}{more}"


def _scores(report: Report) -> dict[str, dict[str, float | None]]:
    """The summary that a version carries: means at equal style, and the style left at full strength."""
    table = report.comparisons[ADAIN][EQUAL_STYLE][ALL]
    names = [metric.name for metric in report.metrics if metric.kind == "content" and metric.name in table]
    scores: dict[str, dict[str, float | None]] = {
        "candidate": {name: table[name].candidate.value for name in (*names, "stroke", "style_left", "reach")},
        "adain": {name: table[name].reference.value for name in (*names, "stroke", "style_left")},
    }
    full = report.comparisons[ADAIN][FULL_STRENGTH][ALL]["style_left"]
    scores["candidate"]["style_left_at_full_strength"] = full.candidate.value
    scores["adain"]["style_left_at_full_strength"] = full.reference.value
    return scores
