"""What a policy asks of the preference study, as checks and as a claim."""

import math

from evaluation.policy import Policy, StudyRule
from evaluation.scores import ADAIN, Report
from evaluation.study_results import StudyResult, digest_of
from evaluation.verdict_claims import Check, Claim, Obstacle
from evaluation.verdict_numbers import VoteShare
from registry.evidence import RuleResult, StudySummary


def study_checks(report: Report, policy: Policy, study: StudyResult | None) -> list[Check]:
    """That there is a study, that it is about this very package, and that enough people answered."""
    rule = policy.study
    if rule is None:
        return []
    if study is None:
        return [_missing("preference study", "nobody was asked; `pentimento study build` makes the page")]
    if study.candidate_digest != report.candidate.digest:
        note = (
            f"stale: the study showed package {study.candidate_digest[:12]}, not {(report.candidate.digest or '')[:12]}"
        )
        return [_missing("preference study", note)]
    checks = [
        _enough("voters in the study", study.voters, rule.minimum_voters),
        _enough("votes in the study", _votes(study, rule), rule.minimum_votes),
    ]
    return checks + ([] if rule.minimum_agreement is None else [_agreement(study, rule.minimum_agreement)])


def study_claims(policy: Policy, study: StudyResult | None) -> list[Claim]:
    """The claim that people prefer the candidate."""
    rule = policy.study
    if rule is None:
        return []
    preference = None if study is None else study.preferences.get(rule.against)
    number = None if preference is None else VoteShare(preference.won, preference.votes)
    missing = number is None or not number.votes
    return [
        Claim(
            name=f"people prefer it to {rule.against}",
            subject="share of votes",
            number=None if missing else number,
            bound=rule.at_least,
            sign=1,
            obstacle=Obstacle("unmeasured", f"no votes against {rule.against}") if missing else None,
        )
    ]


def _votes(study: StudyResult, rule: StudyRule) -> int:
    preference = study.preferences.get(rule.against)
    return 0 if preference is None else preference.votes


def _missing(name: str, note: str) -> Check:
    return Check("unmeasured", RuleResult(name=name, passed=False, value=None, needed="must be there", note=note))


def _enough(name: str, found: int, needed: int) -> Check:
    enough = found >= needed
    note = "" if enough else f"{needed - found} more are needed"
    result = RuleResult(name=name, passed=enough, value=found, needed=f">= {needed}", note=note)
    return Check("holds" if enough else "undecided", result)


def _agreement(study: StudyResult, least: float) -> Check:
    found = study.agreement
    agrees = math.isfinite(found) and found >= least
    note = "" if agrees else "the voters contradict one another; ask more people, or a clearer question"
    result = RuleResult(name="voters agree", passed=agrees, value=found, needed=f"alpha >= {least:g}", note=note)
    return Check("holds" if agrees else "undecided", result)


def summarise(study: StudyResult, policy: Policy) -> StudySummary:
    """The study as evidence carries it."""
    against = ADAIN if policy.study is None else policy.study.against
    preference = study.preferences.get(against)
    return StudySummary(
        digest=digest_of(study.model_dump_json().encode()),
        voters=study.voters,
        votes=0 if preference is None else preference.votes,
        preference=None if preference is None else preference.share,
        interval=None if preference is None else (preference.low, preference.high),
    )
