"""The gate cannot be fooled: what was not measured never passes, a better method passes, and chance decides nothing.

The tricks that it must see through are in test_evaluation_bad_candidates.py.
"""

import math
from pathlib import Path

import pytest
from evaluation_painters import Painting, blurred, careful
from scipy.special import stdtrit
from verdict_world import judge, small_policy, write_data

from evaluation.errors import ReportError
from evaluation.gate import decide, write_evidence
from evaluation.policy import Policy, Rule, StudyRule
from evaluation.scores import ADAIN, ALL, CHAMPION, EQUAL_STYLE, FULL_STRENGTH, Comparison, DialScore, Estimate, Report
from evaluation.study_results import Preference, Strength, StudyResult
from registry.evidence import read_evidence


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def good_report(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return judge(careful, data, tmp_path_factory.mktemp("good"))


def test_a_method_that_keeps_structure_and_paints_strokes_passes(good_report):
    evidence = decide(good_report, small_policy())
    assert evidence.verdict == "passed", evidence.reason
    assert evidence.candidate_digest == Painting("careful", careful).package.digest
    assert evidence.scores["candidate"]["edge_ssim"] > evidence.scores["adain"]["edge_ssim"]


def test_a_worse_candidate_does_not_replace_a_better_champion_and_an_equal_one_may(data, tmp_path, good_report):
    worse = decide(judge(blurred, data, tmp_path / "worse", champion=careful), small_policy())
    assert worse.verdict == "rejected"
    assert any("champion" in rule.name and not rule.passed for rule in worse.rules)
    equal = decide(judge(careful, data, tmp_path / "equal", champion=careful), small_policy())
    assert equal.verdict == "passed", equal.reason
    assert equal.champion_digest == Painting("champion careful", careful).package.digest
    assert decide(good_report, small_policy()).champion_digest is None


# From here on: reports whose numbers are set by hand, to reach each verdict's own corner.


def with_cell(
    report: Report, cell: Comparison | None, *, against: str, at: str, metric: str, name: str = ALL
) -> Report:
    """The same report with one comparison replaced, or taken out."""
    raw = report.model_copy(deep=True)
    table = raw.comparisons[against][at].setdefault(name, {})
    if cell is None:
        del table[metric]
    else:
        table[metric] = cell
    return raw


PHOTOGRAPHS = 8


def estimate(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    """An estimate over eight photographs whose 95 % interval is low to high."""
    low, high = (value if low is None else low), (value if high is None else high)
    return Estimate(value=value, error=(high - low) / 2 / stdtrit(PHOTOGRAPHS - 1, 0.975), low=low, high=high)


def constant(value: float, low: float | None = None, high: float | None = None, pairs: int = 6) -> Comparison:
    each = estimate(value, low, high)
    return Comparison(
        candidate=each,
        reference=each,
        difference=each,
        ratio=each,
        recovered=each,
        wins=each,
        pairs=pairs,
        photographs=PHOTOGRAPHS,
    )


def policy_of(*rules: Rule, **changes: object) -> Policy:
    return small_policy().model_copy(
        update={"rules": rules, "required_metrics": ("ssim",), "dials": {}, "confidence": 0.95} | changes
    )


FLOOR = Rule(name="floor", metric="ssim", at_least=0.8)
CEILING = Rule(name="ceiling", metric="lpips", of="ratio", at_most=0.75)


def at_equal_style(report: Report, metric: str, cell: Comparison | None) -> Report:
    return with_cell(report, cell, against=ADAIN, at=EQUAL_STYLE, metric=metric)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.801, 0.90, "passed"), (0.79, 0.90, "inconclusive"), (0.70, 0.80, "inconclusive"), (0.70, 0.79, "rejected")],
)
def test_a_floor_is_decided_by_the_whole_interval(good_report, low, high, verdict):
    report = at_equal_style(good_report, "ssim", constant((low + high) / 2, low, high))
    evidence = decide(report, policy_of(FLOOR))
    assert evidence.verdict == verdict
    result = evidence.rules[-1]
    assert result.interval == pytest.approx((low, high))
    assert ">= 0.8" in result.needed


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.5, 0.749, "passed"), (0.7, 0.8, "inconclusive"), (0.76, 0.8, "rejected")]
)
def test_a_ceiling_is_decided_by_the_whole_interval(good_report, low, high, verdict):
    report = at_equal_style(good_report, "lpips", constant((low + high) / 2, low, high))
    assert decide(report, policy_of(CEILING)).verdict == verdict


def test_nan_never_passes(good_report):
    evidence = decide(at_equal_style(good_report, "ssim", constant(math.nan)), policy_of(FLOOR))
    assert evidence.verdict == "could_not_run"
    assert not evidence.rules[-1].passed
    assert evidence.rules[-1].value is None


def test_a_value_without_an_interval_never_passes(good_report):
    report = at_equal_style(good_report, "ssim", constant(0.99, math.nan, math.nan))
    assert decide(report, policy_of(FLOOR)).verdict == "inconclusive"


def test_a_metric_that_was_not_measured_could_not_be_judged(good_report):
    evidence = decide(good_report, policy_of(CEILING))
    assert evidence.verdict == "could_not_run"
    assert "lpips" in evidence.reason


def test_a_required_metric_that_no_rule_asks_for_must_be_there_too(good_report):
    evidence = decide(good_report, policy_of(FLOOR, required_metrics=("ssim", "lpips")))
    assert evidence.verdict in ("could_not_run", "rejected")
    assert not next(rule for rule in evidence.rules if rule.name == "measured: lpips").passed
    passing = at_equal_style(good_report, "ssim", constant(0.99))
    assert decide(passing, policy_of(FLOOR, required_metrics=("ssim", "lpips"))).verdict == "could_not_run"


def test_a_required_metric_that_is_nan_at_full_strength_only_is_found(good_report):
    broken = with_cell(good_report, constant(math.nan), against=ADAIN, at=FULL_STRENGTH, metric="edge_f1")
    broken = at_equal_style(broken, "ssim", constant(0.99))
    assert decide(broken, policy_of(FLOOR, required_metrics=("edge_f1",))).verdict == "could_not_run"


def test_a_missing_slice_never_passes(good_report):
    rule = Rule(name="sculptures", metric="ssim", slice="sculpture", at_least=0.1)
    assert decide(good_report, policy_of(rule)).verdict == "could_not_run"
    asked = policy_of(Rule(name="low", metric="ssim", at_least=0.0), required_slices=("sculpture",))
    evidence = decide(good_report, asked)
    assert evidence.verdict == "could_not_run"
    assert "sculpture" in evidence.reason


def test_a_slice_with_too_few_pairs_never_passes(good_report):
    rule = Rule(name="buildings", metric="ssim", slice="building", at_least=0.1)
    report = with_cell(
        good_report, constant(0.9, pairs=2), against=ADAIN, at=EQUAL_STYLE, metric="ssim", name="building"
    )
    assert decide(report, policy_of(rule, minimum_slice_pairs=3)).verdict == "inconclusive"
    assert decide(report, policy_of(rule, minimum_slice_pairs=2)).verdict == "passed"


@pytest.mark.parametrize(
    "change",
    [
        {"minimum_pairs": 21},
        {"minimum_photographs": 11},
        {"minimum_paintings": 3},
        {"minimum_strengths": 11},
        {"minimum_short_side_px": 512},
    ],
)
def test_too_little_of_anything_is_inconclusive_even_where_a_rule_fails(good_report, change):
    good = at_equal_style(good_report, "ssim", constant(0.99))
    bad = at_equal_style(good_report, "ssim", constant(0.1))
    assert decide(good, policy_of(FLOOR)).verdict == "passed"
    assert decide(good, policy_of(FLOOR, **change)).verdict == "inconclusive"
    assert decide(bad, policy_of(FLOOR, **change)).verdict == "inconclusive"


def test_another_extractor_than_the_policy_asks_for_could_not_be_judged(good_report):
    good = at_equal_style(good_report, "ssim", constant(0.99))
    other = "compact" if good.extractor == "vgg19" else "vgg19"
    assert decide(good, policy_of(FLOOR, extractor=other)).verdict == "could_not_run"
    assert decide(good, policy_of(FLOOR, extractor=good.extractor)).verdict == "passed"


def test_a_clear_failure_outweighs_what_was_not_measured(good_report):
    bad = at_equal_style(good_report, "ssim", constant(0.1))
    assert decide(bad, policy_of(FLOOR, CEILING)).verdict == "rejected"


def test_rules_against_a_champion_wait_until_there_is_one(good_report):
    rule = Rule(name="not worse", metric="ssim", of="difference", against=CHAMPION, at_least=-0.01)
    good = at_equal_style(good_report, "ssim", constant(0.99))
    evidence = decide(good, policy_of(FLOOR, rule))
    assert evidence.verdict == "passed"
    assert "not worse" not in [result.name for result in evidence.rules]


def test_stale_evidence_is_refused_with_both_digests(good_report, tmp_path):
    other = "f" * 64
    with pytest.raises(ReportError, match=r"stale.*ffffffffffff"):
        decide(good_report, small_policy(), candidate_digest=other)
    evidence = decide(good_report, small_policy(), candidate_digest=good_report.candidate.digest)
    with pytest.raises(ReportError, match="stale"):
        write_evidence(evidence, tmp_path, candidate_digest=other)
    assert not list(tmp_path.iterdir())
    write_evidence(evidence, tmp_path, candidate_digest=good_report.candidate.digest)
    assert read_evidence(tmp_path) == evidence


def test_the_verdict_depends_on_nothing_but_the_report_and_the_policy(good_report):
    one, two = (decide(good_report, small_policy()).model_dump(exclude={"created_at"}) for _ in range(2))
    assert one == two


def test_every_rule_names_its_number_its_interval_the_bound_and_what_would_pass(good_report):
    report = at_equal_style(good_report, "ssim", constant(0.82, 0.78, 0.86))
    result = decide(report, policy_of(FLOOR)).rules[-1]
    assert (result.value, result.passed) == (0.82, False)
    assert result.confidence == pytest.approx(0.95)
    assert "ssim" in result.needed
    assert ">= 0.8 at the lower end" in result.needed
    assert "0.84 or more would pass" in result.note
    assert "photographs" in result.note
    needed = int(result.note.split("or about ")[1].split()[0])
    assert 30 <= needed <= 34  # twice the reach: four times as many photographs


def test_a_reference_that_nobody_compared_with_never_passes(good_report):
    rule = Rule(name="better than theirs", metric="ssim", of="ratio", against="their_model", at_least=0.1)
    evidence = decide(good_report, policy_of(rule))
    assert evidence.verdict == "could_not_run"
    assert "their_model" in evidence.reason
    assert "raw_blend" in evidence.reason


def dial(effect: float, spread: float = 0.0) -> DialScore:
    interval = estimate(effect, effect - spread, effect + spread)
    return DialScore(dial="strength", how="effect of strength", effect=interval, pairs=8, photographs=PHOTOGRAPHS)


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ((dial(0.5),), "passed"),
        ((dial(0.0),), "rejected"),
        ((dial(0.12, 0.05),), "inconclusive"),
        ((dial(math.nan),), "could_not_run"),
        ((), "could_not_run"),
    ],
)
def test_a_dial_must_do_what_it_says(good_report, scores, verdict):
    report = at_equal_style(good_report, "ssim", constant(0.99)).model_copy(update={"dials": scores})
    assert decide(report, policy_of(FLOOR, dials={"strength": 0.1})).verdict == verdict


def study(report: Report, won: int, votes: int = 100, **changes: object) -> StudyResult:
    preference = Preference(won=won, votes=votes, share=won / votes if votes else math.nan, low=0.0, high=1.0)
    nothing = Preference(won=50, votes=100, share=0.5, low=0.4, high=0.6)
    result = StudyResult(
        study_digest="a" * 64,
        candidate_digest=report.candidate.digest or "",
        voters=10,
        dropped=0,
        votes=votes,
        preferences={"adain": preference},
        strengths={"candidate": Strength(value=0.5, low=0.1, high=0.9)},
        agreement=0.4,
        left=nothing,
    )
    return result.model_copy(update=changes)


@pytest.mark.parametrize(
    ("won", "votes", "changes", "verdict"),
    [
        (70, 100, {}, "passed"),
        (55, 100, {}, "inconclusive"),
        (30, 100, {}, "rejected"),
        (30, 40, {}, "inconclusive"),  # too few votes
        (70, 100, {"voters": 2}, "inconclusive"),
        (70, 100, {"agreement": math.nan}, "inconclusive"),
        (70, 100, {"agreement": 0.1}, "inconclusive"),
        (0, 0, {}, "could_not_run"),
        (70, 100, {"preferences": {}}, "could_not_run"),
        (70, 100, {"candidate_digest": "f" * 64}, "could_not_run"),  # stale: about another package
    ],
)
def test_a_policy_can_ask_people(good_report, won, votes, changes, verdict):
    report = at_equal_style(good_report, "ssim", constant(0.99))
    policy = policy_of(FLOOR, study=StudyRule(at_least=0.5, minimum_agreement=0.2))
    evidence = decide(report, policy, study=study(report, won, votes, **changes))
    assert evidence.verdict == verdict, evidence.reason


def test_a_policy_that_asks_people_never_passes_without_them_and_evidence_carries_what_they_said(good_report):
    report = at_equal_style(good_report, "ssim", constant(0.99))
    policy = policy_of(FLOOR, study=StudyRule(at_least=0.5))
    assert decide(report, policy).verdict == "could_not_run"
    summary = decide(report, policy, study=study(report, 70)).study
    assert summary is not None
    assert (summary.voters, summary.votes, summary.preference) == (10, 100, 0.7)
