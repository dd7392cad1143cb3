"""Judging is arithmetic: what fails, what passes, what cannot be told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.figures import percentile
from loadtests.records import IDLE, Record, RecordsError, Run, Window, read_run, write_run
from loadtests.slo import Phase, Promise, Recovery, Rise, Shape, Slo, SloError, load_slo
from loadtests.verdict import Verdict, judge, recovered_after_s

PROMISE = Promise(p95_ms=1000, minimum_requests=5)
SHAPE = Shape(phases=[Phase(name="load", rate_per_s=1, duration_s=10)])
SLO = Slo(endpoints={"stylize": PROMISE}, shapes={"smoke": SHAPE})
LOAD = Window(name="load", rate_per_s=1, starts_s=0, duration_s=10)


def run_of(*phases: Window) -> Run:
    return Run(shape="smoke", host="http://x", started_at="2026-11-24T00:00:00+00:00", seed=1, phases=phases)


def records(
    count: int = 10,
    *,
    phase: str = "load",
    from_s: float = 0.0,
    latency_s: float = 0.1,
    lag_s: float = 0.0,
    status: int = 200,
    problem: str | None = None,
    retry_after_s: float | None = None,
) -> list[Record]:
    made = []
    for at_s in range(count):
        intended_s = from_s + at_s
        record = Record(phase, "x", "stylize", intended_s, sent_s=intended_s + lag_s, status=status, problem=problem)
        record.answered_s, record.retry_after_s = intended_s + latency_s, retry_after_s
        made.append(record)
    return made


def verdict_of(seen: list[Record], slo: Slo = SLO, **more: int) -> Verdict:
    return judge(run_of(LOAD), seen, slo, SHAPE, **more)


def test_right_answers_in_time_pass():
    verdict = verdict_of(records())
    assert (verdict.outcome, verdict.exit_code) == ("passed", 0)
    assert verdict.phases[0].sent_per_s == 1


def test_one_wrong_answer_fails_whatever_the_speed():
    assert verdict_of([*records(50), *records(1, problem="size")]).outcome == "failed"


def test_an_answer_that_never_comes_fails_and_is_counted():
    verdict = verdict_of([*records(50), Record("load", "x", "stylize", 0.0, sent_s=0.0)])
    assert (verdict.outcome, verdict.unanswered) == ("failed", 1)


def test_where_errors_are_allowed_a_percentile_that_never_comes_fails_by_latency():
    slo = Slo(endpoints={"stylize": Promise(p99_ms=1000, max_error_share=0.5)}, shapes={"smoke": SHAPE})
    verdict = verdict_of([*records(9), Record("load", "x", "stylize", 0.0, sent_s=0.0)], slo)
    assert (verdict.outcome, verdict.exit_code) == ("failed", 3)
    assert "p99_ms never" in verdict.reason


def test_a_slow_server_fails_by_latency_from_the_intended_start():
    verdict = verdict_of(records(latency_s=1.5))
    assert verdict.outcome == "failed"
    assert "p95_ms" in verdict.reason


def test_what_is_shed_with_retry_after_is_no_error_and_its_latency_is_kept_apart():
    slo = Slo(endpoints={"stylize": Promise(max_shed_share=0.5, refused_p99_ms=50)}, shapes={"smoke": SHAPE})
    shed = {"status": 429, "retry_after_s": 1.0, "latency_s": 0.01}
    verdict = verdict_of([*records(5, latency_s=2), *records(5, **shed)], slo)
    assert verdict.outcome == "passed"
    seen = verdict.phases[0].endpoints["stylize"]
    assert (seen.accepted.p50_ms, round(seen.refused.p50_ms or 0), seen.shed_share) == (2000, 10, 0.5)
    slow = verdict_of([*records(5), *records(5, **{**shed, "latency_s": 0.2})], slo)
    assert "refused_p99_ms 200" in slow.reason
    assert verdict_of([*records(4), *records(6, **shed)], slo).outcome == "failed"


def test_a_429_that_does_not_say_until_when_is_an_error():
    assert "error_share" in verdict_of(records(status=429, problem="no Retry-After")).reason


def test_a_generator_that_was_late_is_inconclusive_however_good_the_answers():
    verdict = verdict_of(records(lag_s=0.5, latency_s=0.6))
    assert (verdict.outcome, verdict.exit_code) == ("inconclusive", 5)


def test_too_few_requests_and_none_at_all_are_inconclusive():
    assert verdict_of(records(4)).outcome == "inconclusive"
    assert verdict_of([]).outcome == "inconclusive"


def test_an_endpoint_that_was_asked_when_idle_but_never_under_load_is_inconclusive():
    slo = Slo(endpoints={"stylize": PROMISE, "model": Promise()}, shapes={"smoke": SHAPE})
    idle = Record(IDLE, "model", "model", -1.0, sent_s=-1.0, answered_s=-0.9, status=200)
    assert verdict_of(records(), slo).outcome == "passed"  # nobody was to ask for the model
    assert "model" in verdict_of([idle, *records()], slo).reason


def test_what_was_wrong_when_idle_fails_whatever_came_later():
    idle = Record(IDLE, "y", "stylize", -1.0, sent_s=-1.0, answered_s=-0.9, status=200, problem="broken")
    assert verdict_of([idle, *records()]).reason == "idle: y: broken"


def test_an_endpoint_without_a_promise_may_still_not_be_wrong():
    wrong = Record("load", "y", "other", 0.0, sent_s=0.0, answered_s=0.1, status=200, problem="broken")
    assert verdict_of([*records(), wrong]).outcome == "failed"


def test_a_lost_worker_leaves_a_pass_open_but_not_a_fail():
    assert verdict_of(records(), lost_workers=1).outcome == "inconclusive"
    assert verdict_of(records(problem="size"), lost_workers=1).outcome == "failed"


def test_each_phase_is_judged_by_its_own_promises_and_what_settles_is_not_held_against_it():
    strict = {"stylize": Promise(p95_ms=50)}
    phases = [
        Phase(name="load", rate_per_s=1, duration_s=10),
        Phase(name="after", rate_per_s=1, duration_s=10, settle_s=5, endpoints=strict),
    ]
    shape = Shape(phases=phases)
    run = run_of(LOAD, Window(name="after", rate_per_s=1, starts_s=10, duration_s=10, settle_s=5))
    slow_first = [*records(5, phase="after", from_s=10), *records(5, phase="after", from_s=15, latency_s=0.01)]
    verdict = judge(run, [*records(), *slow_first], SLO, shape)
    assert verdict.outcome == "passed"
    slow_last = [*records(5, phase="after", from_s=10, latency_s=0.01), *records(5, phase="after", from_s=15)]
    verdict = judge(run, [*records(), *slow_last], SLO, shape)
    assert [phase.outcome for phase in verdict.phases] == ["passed", "failed"]
    assert verdict.reason == "after: stylize p95_ms 100, promised <= 50"


def test_recovery_counts_until_the_promise_broke_for_the_last_time():
    window = Window(name="after", rate_per_s=1, starts_s=10, duration_s=10)

    def seconds(*slow: int) -> float | None:
        seen = records(10, phase="after", from_s=10)
        for index in slow:
            seen[index].answered_s = seen[index].intended_s + 3
        return recovered_after_s(seen, window, PROMISE)

    assert seconds() == 0
    assert seconds(0, 1, 2) == 2
    assert seconds(0, 6) == 6
    assert seconds(9) is None
    assert recovered_after_s([], window, PROMISE) is None


@pytest.mark.parametrize(("within_s", "outcome"), [(5.0, "passed"), (1.0, "failed")])
def test_a_spike_passes_only_if_the_service_recovers_in_time(within_s, outcome):
    phases = [
        Phase(name="load", rate_per_s=1, duration_s=10),
        Phase(name="after", rate_per_s=1, duration_s=10, settle_s=5),
    ]
    shape = Shape(phases=phases, recovery=Recovery(after="load", within_s=within_s))
    run = run_of(LOAD, Window(name="after", rate_per_s=1, starts_s=10, duration_s=10, settle_s=5))
    seen = [*records(), *records(3, phase="after", from_s=10, latency_s=2), *records(7, phase="after", from_s=13)]
    verdict = judge(run, seen, SLO, shape)
    assert (verdict.outcome, verdict.recovery_s) == (outcome, 2)


def rise(*rungs: list[Record], minimum_per_s: float | None = None) -> Verdict:
    shape = Shape(rise=Rise(from_per_s=1, factor=2), minimum_per_s=minimum_per_s)
    ran = [
        Window(name=f"{2**i} per second", rate_per_s=2**i, starts_s=20 * i, duration_s=10) for i in range(len(rungs))
    ]
    seen = [record for window, made in zip(ran, rungs, strict=True) for record in made]
    for window, made in zip(ran, rungs, strict=True):
        for record in made:
            record.phase = window.name
            for key in ("intended_s", "sent_s", "answered_s"):
                setattr(record, key, getattr(record, key) + window.starts_s)
    return judge(run_of(*ran), seen, SLO, shape)


def test_a_rise_reports_what_it_held_and_what_broke_it():
    verdict = rise(records(), records(), records(latency_s=2), minimum_per_s=2)
    assert verdict.outcome == "passed"
    assert verdict.breakpoint is not None
    assert (verdict.breakpoint.holds_per_s, verdict.breakpoint.breaks_per_s) == (2, 4)
    assert "p95_ms" in verdict.breakpoint.by
    assert rise(records(), records(latency_s=2), minimum_per_s=2).outcome == "failed"
    assert rise(records(latency_s=2)).outcome == "failed"
    assert rise(records(), records()).reason == "holds 2 per second, the most that was tried"


def test_a_rise_that_ends_in_wrong_answers_fails_and_one_that_the_sender_could_not_climb_is_inconclusive():
    assert rise(records(), records(problem="broken")).outcome == "failed"
    late = rise(records(), records(lag_s=1))
    assert late.outcome == "inconclusive"
    assert "holds 1 per second at least" in late.reason
    assert rise(records(), records(status=429, retry_after_s=1)).outcome == "passed"


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1), st.floats(min_value=0, max_value=1))
def test_a_percentile_is_one_of_the_values_and_enough_of_them_are_not_above_it(values, share):
    value = percentile(values, share)
    assert value in values
    assert sum(v <= value for v in values) >= math.ceil(share * len(values))


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=5, max_size=40), st.floats(min_value=0, max_value=5))
def test_making_every_answer_slower_never_turns_a_fail_into_a_pass(latencies, more_s):
    def outcome(extra_s: float) -> str:
        made = [Record("load", "x", "stylize", 0, sent_s=0, answered_s=v + extra_s, status=200) for v in latencies]
        return verdict_of(made).outcome

    assert not (outcome(0) == "failed" and outcome(more_s) == "passed")


def test_records_come_back_as_they_were_written_and_a_torn_file_is_named(tmp_path):
    run, seen = run_of(LOAD), [*records(3), Record("load", "x", "stylize", 1.5)]
    write_run(tmp_path / "records.jsonl", run, seen)
    assert read_run(tmp_path / "records.jsonl") == (run, seen)
    assert [path.name for path in tmp_path.iterdir()] == ["records.jsonl"]
    text = (tmp_path / "records.jsonl").read_text()
    (tmp_path / "torn.jsonl").write_text(text[:-30])
    (tmp_path / "other.jsonl").write_text("{}\n")
    for name, says in (("torn", "cut off"), ("other", "pentimento-load-records/1"), ("none", "cannot be read")):
        with pytest.raises(RecordsError, match=says):
            read_run(tmp_path / f"{name}.jsonl")


GOOD = "endpoints: {stylize: {}}\nshapes: {smoke: {phases: [{name: a, rate_per_s: 1, duration_s: 1}]}}\n"


NOTHING = """mix: {preview: 0, picture: 0, large: 0, own style: 0, kept photo: 0, upload: 0, styles: 0,
  thumbnail: 0, model: 0, bad input: 0}"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("{}", "{p95: 5}", 1), "endpoints.stylize.p95"),
        (GOOD.replace("{stylize: {}}", "{}"), "endpoints"),
        (GOOD.replace("{}", "{p95_ms: -1}", 1), "p95_ms"),
        (GOOD + "mix: {picnic: 1}", "mix.picnic"),
        (GOOD + NOTHING, "every weight is 0"),
        (GOOD.replace("rate_per_s: 1", "rate_per_s: 0"), "rate_per_s"),
        (GOOD.replace("duration_s: 1", "duration_s: 1, settle_s: 1"), "leaves nothing"),
        (GOOD.replace("duration_s: 1", "duration_s: 1, endpoints: {other: {}}"), "'other', which is not"),
        ("endpoints: {a: {}}\nshapes: {s: {}}", "either phases or rise"),
        ("endpoints: {a: {}}\nshapes: {s: {rise: {from_per_s: 1, factor: 1}}}", "factor"),
        (GOOD.replace("]}}", "], minimum_per_s: 1}}"), "belongs to a rise"),
        (GOOD.replace("]}}", "], recovery: {after: a, within_s: 1}}}"), "no phase with one behind it"),
        (GOOD.replace("]}", ", {name: a, rate_per_s: 1, duration_s: 1}]}"), "the same name"),
        ("a: [", "no YAML"),
    ],
)  # fmt: skip
def test_an_slo_file_that_cannot_be_used_names_the_key_and_an_example(tmp_path, text, says):
    (tmp_path / "slo.yaml").write_text(text)
    with pytest.raises(SloError, match=says) as told:
        load_slo(tmp_path / "slo.yaml")
    assert "configs/slo.yaml" in str(told.value)


def test_an_slo_file_that_is_missing_and_a_shape_that_is_missing_are_named(tmp_path):
    with pytest.raises(SloError, match="cannot be read"):
        load_slo(tmp_path / "none.yaml")
    with pytest.raises(SloError, match="have: smoke"):
        SLO.shape("spike")
