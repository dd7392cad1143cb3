"""A load test as a user starts it: the healthy service passes, each injected fault fails, and the verdict says how."""

import json
import os
import socket
import xml.etree.ElementTree as ElementTree

import pytest
from loadtests_world import IDLE_PAINTINGS, load_test, nobody, service, slo_file

from loadtests.records import read_run


def test_a_healthy_service_passes_every_answer_is_kept_and_no_upload_stays(tmp_path):
    with service() as (host, seen):
        code, verdict = load_test(host, slo_file(tmp_path), "--out", str(tmp_path / "out"))
        assert seen.styles == {"waves": "waves"}
    assert (code, verdict["outcome"], verdict["problems"]) == (0, "passed", {}), verdict
    run, records = read_run(tmp_path / "out" / "records.jsonl")
    assert {record.endpoint for record in records if record.phase == "load"} >= {
        "stylize",
        "style removal",
        "bad input",
    }
    assert sum(record.phase == "load" and not record.follows for record in records) == 25
    assert run.phases[0].name == "load"
    assert json.loads((tmp_path / "out" / "verdict.json").read_text())["outcome"] == "passed"
    cases = list(ElementTree.parse(tmp_path / "out" / "junit.xml").iter("testcase"))
    assert len(cases) > 20
    assert not [case for case in cases if len(case)]


@pytest.mark.parametrize(
    ("ill", "says"),
    [
        ("never answers", "no answer within"),
        ("wrong size", "instead of"),
        ("broken picture", "broken picture"),
        ("somebody else's picture", "SSIM below 0.95"),
        ("errs", "status 500"),
        ("cut off", "cut off"),
        ("sheds without saying until when", "without a Retry-After"),
    ],
)
def test_a_fault_that_begins_under_load_fails_and_the_verdict_says_how(tmp_path, ill, says):
    with service(ill, well_for=IDLE_PAINTINGS) as (host, _):
        code, verdict = load_test(host, slo_file(tmp_path, drain_s=2 if ill == "never answers" else 20))
    assert (code, verdict["outcome"]) == (3, "failed"), verdict
    assert says in json.dumps(verdict["problems"])
    assert "error_share" in verdict["reason"]


@pytest.mark.parametrize(
    ("ill", "says"), [("broken picture", "broken picture"), ("sheds", "status 429"), ("errs", "status 500")]
)
def test_a_fault_that_was_always_there_fails_before_the_load_begins(tmp_path, ill, says):
    with service(ill) as (host, seen):
        code, verdict = load_test(host, slo_file(tmp_path))
    assert (code, verdict["outcome"]) == (3, "failed"), verdict
    assert says in verdict["reason"]
    assert seen.asked <= 3


def test_a_service_that_sheds_everything_under_load_fails_by_its_shed_share_not_by_errors(tmp_path):
    with service("sheds", well_for=IDLE_PAINTINGS) as (host, _):
        code, verdict = load_test(host, slo_file(tmp_path))
    assert (code, verdict["outcome"], verdict["problems"]) == (3, "failed", {}), verdict
    assert "shed_share 1" in verdict["reason"]
    stylize = verdict["phases"][0]["endpoints"]["stylize"]
    assert (stylize["error_share"], stylize["shed_share"], stylize["retry_after_s"]) == (0, 1, 1)
    assert stylize["refused"]["p99_ms"] > 0


def test_a_five_second_stall_fails_by_latency_although_every_answer_is_right(tmp_path):
    promises = {name: {} for name in ("photos", "styles", "model", "bad input", "style upload", "style removal")}
    phases = [{"name": "load", "rate_per_s": 10, "duration_s": 3}]
    slo = slo_file(tmp_path, shape={"phases": phases}, endpoints={"stylize": {"p95_ms": 3000}, **promises})
    with service("stalls", well_for=IDLE_PAINTINGS) as (host, _):
        code, verdict = load_test(host, slo)
    assert (code, verdict["outcome"], verdict["problems"]) == (3, "failed", {}), verdict
    assert "stylize p95_ms" in verdict["reason"]


def test_a_server_that_hangs_up_is_not_asked_again_in_secret(tmp_path):
    with service("hangs up on reading") as (host, seen):
        code, verdict = load_test(host, slo_file(tmp_path))
    assert (code, verdict["outcome"]) == (3, "failed"), verdict
    sent = 2 + sum(count for problem, count in verdict["problems"].items() if problem.startswith("model"))
    assert seen.paths.count("/v1/model") == sent


def test_an_upload_that_cannot_be_removed_fails_and_is_named(tmp_path):
    with service("keeps uploads") as (host, seen):
        code, verdict = load_test(host, slo_file(tmp_path))
    assert (code, verdict["outcome"]) == (3, "failed"), verdict
    assert "remove the uploaded style" in verdict["reason"]
    assert len(seen.styles) == 2


def test_a_read_only_library_is_not_changed_and_the_verdict_says_so(tmp_path):
    with service(writable=False) as (host, _):
        code, verdict = load_test(host, slo_file(tmp_path))
    assert (code, verdict["outcome"]) == (0, "passed"), verdict
    assert "may not be changed" in verdict["run"]["notes"][0]
    assert "style upload" not in verdict["phases"][0]["endpoints"]


def test_somebody_who_accepts_and_says_nothing_at_all_fails(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        code, verdict = load_test(f"http://127.0.0.1:{listener.getsockname()[1]}", slo_file(tmp_path, drain_s=1))
    assert (code, verdict["outcome"], verdict["unanswered"]) == (3, "failed", 1)


def test_nobody_listening_could_not_run(tmp_path):
    code, verdict = load_test(nobody(), slo_file(tmp_path))
    assert (code, verdict["outcome"]) == (4, "could_not_run")
    assert "is the service running" in verdict["reason"]


def test_a_token_is_asked_for_and_used(tmp_path):
    slo = slo_file(tmp_path)
    without = {key: value for key, value in os.environ.items() if key != "PENTIMENTO_TOKEN"}
    with service(token="open-sesame") as (host, _):
        code, verdict = load_test(host, slo, env=without)
        assert (code, verdict["outcome"]) == (4, "could_not_run")
        assert "PENTIMENTO_TOKEN" in verdict["reason"]
        code, verdict = load_test(host, slo, env={**without, "PENTIMENTO_TOKEN": "open-sesame"})
        assert code == 0, verdict


def test_a_file_or_a_shape_that_is_not_there_could_not_run(tmp_path):
    code, verdict = load_test("http://127.0.0.1:9", tmp_path / "none.yaml")
    assert code == 4
    assert "configs/slo.yaml" in verdict["reason"]
    code, verdict = load_test("http://127.0.0.1:9", slo_file(tmp_path, shapes={"other": {"rise": {"from_per_s": 1}}}))
    assert code == 4
    assert "have: other" in verdict["reason"]


def test_a_sender_that_did_not_keep_its_times_is_inconclusive_however_good_the_answers(tmp_path):
    generator = {"max_lag_ms": 1e-6, "minimum_on_time_share": 1.0}
    with service() as (host, _):
        code, verdict = load_test(host, slo_file(tmp_path, generator=generator))
    assert (code, verdict["outcome"], verdict["problems"]) == (5, "inconclusive", {}), verdict
    assert "lower the rate" in verdict["reason"]


def test_a_rise_stops_where_the_service_begins_to_refuse_and_says_what_it_held(tmp_path):
    only = dict.fromkeys(("own style", "kept photo", "upload", "styles", "thumbnail", "model", "bad input"), 0)
    slo = slo_file(tmp_path, shape={"rise": {"from_per_s": 10, "factor": 2, "duration_s": 1}}, mix=only)
    with service("sheds", well_for=2 + 10 + 5) as (host, seen):  # asked when idle, the first rung, a part of the second
        code, verdict = load_test(host, slo)
        assert seen.asked == 2 + 10 + 20
    assert (code, verdict["outcome"]) == (0, "passed"), verdict
    assert (verdict["breakpoint"]["holds_per_s"], verdict["breakpoint"]["breaks_per_s"]) == (10, 20)
    assert "shed_share 0.75" in verdict["breakpoint"]["by"]
