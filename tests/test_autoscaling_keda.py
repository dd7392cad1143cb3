"""KEDA's part: what an answer means, what silence leads to, and going to zero and back."""

import json
import math
from dataclasses import replace

import pytest

from loadtests.keda import Answer, Keda
from loadtests.manifests import Fallback, Scaling, Trigger
from loadtests.prometheus import read_answer
from loadtests.scaling import Behaviour, Bounds, Policy

FREE = Behaviour(stabilisation_s=0, policies=(Policy(kind="Pods", value=1000, period_s=15),))
SILENT = Answer(failed=True)


def scaling(minimum: int = 1, fallback: Fallback | None = None, **trigger: object) -> Scaling:
    asked = replace(Trigger(name="queue", query="q", threshold=10, null_is_zero=False), **trigger)  # type: ignore[arg-type]
    bounds = Bounds(minimum=minimum, maximum=9, up=FREE, down=FREE)
    return Scaling(bounds=bounds, triggers=(asked,), cooldown_s=60, scrape_s=15, fallback=fallback)


def decide(keda: Keda, answer: Answer, current: int, now_s: float = 0) -> int:
    return keda.decide({"queue": answer}, current=current, now_s=now_s)


def test_no_series_is_zero_only_where_null_is_ignored():
    assert decide(Keda(scaling(null_is_zero=True)), Answer(None), 4) == 1
    assert decide(Keda(scaling()), Answer(None), 4) == 4


def test_a_failed_question_is_never_zero():
    assert decide(Keda(scaling(null_is_zero=True)), SILENT, 4) == 4


@pytest.mark.parametrize(
    ("behaviour", "current", "after"),
    [
        ("static", 6, 4),
        ("currentReplicas", 6, 6),
        ("currentReplicasIfHigher", 6, 6),
        ("currentReplicasIfHigher", 2, 4),
        ("currentReplicasIfLower", 6, 4),
        ("currentReplicasIfLower", 2, 2),
    ],
)
def test_after_too_much_silence_the_fallback_counts_and_an_answer_ends_it(behaviour, current, after):
    keda = Keda(scaling(fallback=Fallback(failure_threshold=3, replicas=4, behaviour=behaviour)))
    for number in range(3):
        assert decide(keda, SILENT, current, 15.0 * number) == current
    assert decide(keda, SILENT, current, 45) == after
    assert decide(keda, Answer(10), after, 60) == 1
    assert decide(keda, SILENT, after, 75) == after


def test_work_wakes_it_up_and_only_a_whole_cooldown_without_any_puts_it_to_sleep():
    keda = Keda(scaling(minimum=0, activation_threshold=2))
    assert decide(keda, Answer(2), 0, 0) == 0
    assert decide(keda, Answer(3), 0, 15) == 1
    assert decide(keda, Answer(55), 1, 30) == 6
    assert decide(keda, Answer(0), 6, 45) == 1
    assert decide(keda, Answer(0), 1, 89) == 1
    assert decide(keda, SILENT, 1, 95) == 1  # who cannot see must not send anybody to sleep
    assert decide(keda, Answer(0), 1, 105) == 0


def answered(*values: str) -> bytes:
    return json.dumps({"data": {"result": [{"value": [1.0, value]} for value in values]}}).encode()


def test_prometheus_answers_are_read_as_keda_reads_them():
    assert read_answer(answered("12.5")) == Answer(12.5)
    assert read_answer(answered()) == Answer(None)
    assert read_answer(answered("NaN")) == read_answer(answered("+Inf")) == Answer(None)
    assert read_answer(answered("1", "2")).failed
    assert read_answer(b"<html>").failed
    assert read_answer(b"{}").failed
    assert not math.isnan(read_answer(answered("0")).value or 0)
