"""Judging is arithmetic: what fails, what passes, what cannot be told."""

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from loadtests import checks
from loadtests.checks import Answer
from loadtests.pictures import photograph_jpeg
from loadtests.slo import Promise, Slo, SloError, load_slo
from loadtests.verdict import Record, judge, percentile

SLO = Slo(endpoints={"stylize": Promise(p95_ms=1000, minimum_requests=5)})


def records(count: int = 10, *, latency_s: float = 0.1, lag_s: float = 0.0, **fields: object) -> list[Record]:
    answered = {"status": 200, "answered_s": None, "problem": None, **fields}
    made = []
    for at_s in range(count):
        record = Record("x", "stylize", intended_s=at_s, sent_s=at_s + lag_s)
        record.answered_s = at_s + latency_s
        record.status, record.problem = int(str(answered["status"])), answered["problem"]  # type: ignore[assignment]
        made.append(record)
    return made


def test_right_answers_in_time_pass():
    assert judge(records(), SLO, duration_s=10).outcome == "passed"


def test_one_wrong_answer_fails_whatever_the_speed():
    assert judge([*records(50), *records(1, problem="size")], SLO, duration_s=10).outcome == "failed"


def test_an_answer_that_never_comes_fails_and_is_counted():
    verdict = judge([*records(50), Record("x", "stylize", 0.0, sent_s=0.0)], SLO, duration_s=10)
    assert (verdict.outcome, verdict.unanswered) == ("failed", 1)


def test_a_slow_server_fails_by_latency_from_the_intended_start():
    verdict = judge(records(latency_s=1.5), SLO, duration_s=10)
    assert verdict.outcome == "failed"
    assert "p95_ms" in verdict.reason


def test_a_server_that_sheds_everything_fails():
    assert judge(records(status=429, problem="shed"), SLO, duration_s=10).outcome == "failed"


def test_a_generator_that_was_late_is_inconclusive_however_good_the_answers():
    assert judge(records(lag_s=0.5, latency_s=0.6), SLO, duration_s=10).outcome == "inconclusive"


def test_too_few_requests_and_none_at_all_are_inconclusive():
    assert judge(records(4), SLO, duration_s=10).outcome == "inconclusive"
    assert judge([], SLO, duration_s=10).outcome == "inconclusive"


def test_an_endpoint_without_a_promise_may_still_not_be_wrong():
    wrong = Record("y", "other", 0.0, sent_s=0.0, answered_s=0.1, status=200, problem="broken")
    assert judge([*records(), wrong], SLO, duration_s=10).outcome == "failed"


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1), st.floats(min_value=0, max_value=1))
def test_a_percentile_is_one_of_the_values_and_enough_of_them_are_not_above_it(values, share):
    value = percentile(values, share)
    assert value in values
    assert sum(v <= value for v in values) >= math.ceil(share * len(values))


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=5, max_size=40), st.floats(min_value=0, max_value=5))
def test_making_every_answer_slower_never_turns_a_fail_into_a_pass(latencies, more_s):
    def outcome(extra_s: float) -> str:
        made = [Record("x", "stylize", 0, sent_s=0, answered_s=v + extra_s, status=200) for v in latencies]
        return judge(made, SLO, duration_s=1).outcome

    assert not (outcome(0) == "failed" and outcome(more_s) == "passed")


def picture_answer(**changes: object) -> Answer:
    buffer = io.BytesIO()
    Image.new("RGB", (192, 144), "red").save(buffer, "PNG")
    headers = {
        "content-type": "image/png",
        "x-model-version": "pentimento/1",
        "x-model-digest": "a" * 64,
        "server-timing": "stylize;dur=1",
        "x-request-id": "1",
    }
    fields: dict[str, object] = {"status": 200, "headers": headers, "body": buffer.getvalue(), **changes}
    return Answer(**fields)  # type: ignore[arg-type]


def test_a_right_picture_is_right_and_every_way_to_be_wrong_is_named():
    sent = photograph_jpeg(192, 144)

    def wrong(answer: Answer, size: tuple[int, int] = (192, 144)) -> str:
        return str(checks.wrong_picture(answer, size_px=size, picture_format="png", sent=sent))

    right = picture_answer()
    assert wrong(right) == "None"
    assert "status 500" in wrong(picture_answer(status=500))
    assert "192x144 instead of 10x10" in wrong(right, (10, 10))
    assert "broken picture" in wrong(picture_answer(body=right.body[: len(right.body) // 2]))
    assert "broken picture" in wrong(picture_answer(body=b"<html>"))
    assert "content type" in wrong(picture_answer(headers={"content-type": "text/html"}))
    assert "is JPEG" in wrong(picture_answer(body=sent))
    assert "x-model-digest" in wrong(picture_answer(headers={**right.headers, "x-model-digest": ""}))
    assert "sha256" in wrong(picture_answer(headers={**right.headers, "x-model-digest": "abc"}))
    unpainted = io.BytesIO()
    Image.open(io.BytesIO(sent)).save(unpainted, "PNG")
    assert "unpainted" in wrong(picture_answer(body=unpainted.getvalue()))


def test_json_answers_and_refusals_are_held_to_their_form():
    assert checks.wrong_styles(Answer(200, {}, b'{"styles": [{"id": "x"}]}')) is None
    assert checks.wrong_styles(Answer(200, {}, b'{"styles": []}'))
    assert checks.wrong_styles(Answer(200, {}, b"[]"))
    assert checks.wrong_model(Answer(200, {}, b'{"version": "1"}'))
    assert checks.wrong_model(Answer(503, {}, b"{}"))
    good = Answer(422, {"content-type": "application/problem+json"}, b'{"detail": "what"}')
    assert checks.wrong_refusal(good, statuses=(422,)) is None
    assert checks.wrong_refusal(good, statuses=(400, 404))
    assert checks.wrong_refusal(Answer(422, {}, b""), statuses=(422,))
    assert checks.wrong_refusal(Answer(422, good.headers, b"{}"), statuses=(422,))


def test_the_sent_picture_is_the_same_every_time():
    assert photograph_jpeg(64, 48) == photograph_jpeg(64, 48)
    assert photograph_jpeg(64, 48) != photograph_jpeg(64, 48, seed=2)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("endpoints: {stylize: {p95: 5}}", "endpoints.stylize.p95"),
        ("endpoints: {}", "endpoints"),
        ("endpoints: {a: {p95_ms: -1}}", "p95_ms"),
        ("a: [", "no YAML"),
    ],
)
def test_an_slo_file_that_cannot_be_used_names_the_key(tmp_path, text, key):
    (tmp_path / "slo.yaml").write_text(text)
    with pytest.raises(SloError, match=key):
        load_slo(tmp_path / "slo.yaml")
