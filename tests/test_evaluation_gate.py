"""The gate cannot be fooled: tricks lose, what was not measured never passes, and a better method gets through."""

import math
from pathlib import Path

import pytest
from evaluation_painters import (
    Operation,
    Painting,
    blurred,
    careful,
    half_blend,
    identity,
    recolour_only,
    recoloured_half_blend,
    smearing,
)
from evaluation_world import demo_policy, small_settings, write_data

from evaluation.errors import MethodError, ReportError
from evaluation.gate import decide, write_evidence
from evaluation.harness import evaluate
from evaluation.policy import Policy, Rule
from evaluation.scores import ADAIN, ALL, CHAMPION, EQUAL_STYLE, FULL_STRENGTH, Comparison, Estimate, Report
from registry.evidence import read_evidence

TRICKS = {
    "identity": identity,
    "half_blend": half_blend,
    "recoloured_half_blend": recoloured_half_blend,
    "recolour_only": recolour_only,
    "blurred": blurred,
    "adain_itself": smearing,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("sample"))


def judge(operation: Operation, data: Path, out: Path, champion: Operation | None = None) -> Report:
    return evaluate(
        Painting(operation.__name__, operation),
        data=data,
        out=out,
        adain=Painting("baseline", smearing),
        champion=None if champion is None else Painting(f"champion {champion.__name__}", champion),
        settings=small_settings(),
    )


@pytest.fixture(scope="module")
def good_report(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return judge(careful, data, tmp_path_factory.mktemp("good"))


def test_a_method_that_keeps_structure_and_paints_strokes_passes(good_report):
    evidence = decide(good_report, demo_policy())
    assert evidence.verdict == "passed", evidence.reason
    assert evidence.candidate_digest == Painting("careful", careful).package.digest
    assert evidence.scores["candidate"]["edge_ssim"] > evidence.scores["adain"]["edge_ssim"]


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_is_rejected(name, data, tmp_path):
    evidence = decide(judge(TRICKS[name], data, tmp_path), demo_policy())
    assert evidence.verdict == "rejected", f"{name}: {evidence.verdict}: {evidence.reason}"
    assert evidence.reason


def test_a_worse_candidate_does_not_replace_a_better_champion_and_an_equal_one_may(data, tmp_path, good_report):
    worse = decide(judge(blurred, data, tmp_path / "worse", champion=careful), demo_policy())
    assert worse.verdict == "rejected"
    assert any("champion" in rule.name and not rule.passed for rule in worse.rules)
    equal = decide(judge(careful, data, tmp_path / "equal", champion=careful), demo_policy())
    assert equal.verdict == "passed", equal.reason
    assert equal.champion_digest == Painting("champion careful", careful).package.digest
    assert decide(good_report, demo_policy()).champion_digest is None


def test_an_engine_that_changes_the_photograph_at_strength_0_is_not_judged(data, tmp_path):
    class Restless(Painting):
        def stylize(self, pixels, code, dials=None, *, mask=None):
            return 255 - pixels

    with pytest.raises(MethodError, match="strength 0"):
        evaluate(
            Restless("restless", careful),
            data=data,
            out=tmp_path,
            adain=Painting("baseline", smearing),
            settings=small_settings(),
        )


def test_an_engine_that_returns_another_size_is_not_judged(data, tmp_path):
    class Cropping(Painting):
        def stylize(self, pixels, code, dials=None, *, mask=None):
            return pixels[1:]

    with pytest.raises(MethodError, match="exactly the size"):
        evaluate(
            Cropping("cropping", careful),
            data=data,
            out=tmp_path,
            adain=Painting("baseline", smearing),
            settings=small_settings(),
        )


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


def constant(value: float, low: float | None = None, high: float | None = None, pairs: int = 6) -> Comparison:
    low, high = (value if low is None else low), (value if high is None else high)
    estimate = Estimate(value=value, low=low, high=high)
    return Comparison(
        candidate=estimate,
        reference=estimate,
        difference=estimate,
        ratio=estimate,
        wins=estimate,
        pairs=pairs,
        photographs=3,
    )


def policy_of(*rules: Rule, **changes: object) -> Policy:
    return demo_policy().model_copy(update={"rules": rules, "required_metrics": ("ssim",)} | changes)


FLOOR = Rule(name="floor", metric="ssim", at_least=0.8)
CEILING = Rule(name="ceiling", metric="lpips", of="ratio", at_most=0.75)


def at_equal_style(report: Report, metric: str, cell: Comparison | None) -> Report:
    return with_cell(report, cell, against=ADAIN, at=EQUAL_STYLE, metric=metric)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.80, 0.90, "passed"), (0.79, 0.90, "inconclusive"), (0.70, 0.80, "inconclusive"), (0.70, 0.79, "rejected")],
)
def test_a_floor_is_decided_by_the_whole_interval(good_report, low, high, verdict):
    report = at_equal_style(good_report, "ssim", constant((low + high) / 2, low, high))
    evidence = decide(report, policy_of(FLOOR))
    assert evidence.verdict == verdict
    result = evidence.rules[-1]
    assert result.interval == (low, high)
    assert ">= 0.8" in result.needed


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.5, 0.75, "passed"), (0.7, 0.8, "inconclusive"), (0.76, 0.8, "rejected")]
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
    rule = Rule(name="buildings", metric="ssim", slice="building", at_least=0.1)
    assert decide(good_report, policy_of(rule)).verdict == "could_not_run"
    asked = policy_of(Rule(name="low", metric="ssim", at_least=0.0), required_slices=("building",))
    evidence = decide(good_report, asked)
    assert evidence.verdict == "could_not_run"
    assert "building" in evidence.reason


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
        {"minimum_pairs": 7},
        {"minimum_photographs": 4},
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
        decide(good_report, demo_policy(), candidate_digest=other)
    evidence = decide(good_report, demo_policy(), candidate_digest=good_report.candidate.digest)
    with pytest.raises(ReportError, match="stale"):
        write_evidence(evidence, tmp_path, candidate_digest=other)
    assert not list(tmp_path.iterdir())
    write_evidence(evidence, tmp_path, candidate_digest=good_report.candidate.digest)
    assert read_evidence(tmp_path) == evidence


def test_the_verdict_depends_on_nothing_but_the_report_and_the_policy(good_report):
    one, two = (decide(good_report, demo_policy()).model_dump(exclude={"created_at"}) for _ in range(2))
    assert one == two
