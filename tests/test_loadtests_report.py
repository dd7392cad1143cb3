"""What is left behind: a page that needs no other, JUnit, JSON, the version's MLflow run; and Locust's own command."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from loadtests_world import IDLE_PAINTINGS, ROOT, nobody, service, slo_file
from registry_world import settings_in

from loadtests.files import write_report
from loadtests.page import as_html
from loadtests.records import Record, Run, Window
from loadtests.report import as_json, as_junit, as_text
from loadtests.slo import Phase, Promise, Recovery, Shape, Slo
from loadtests.tracking import TrackingError, log_to_mlflow, metrics_of
from loadtests.verdict import Verdict, judge
from registry.store import open_client

PHASES = (
    Window(name="spike & co", rate_per_s=2, starts_s=0, duration_s=10),
    Window(name="after", rate_per_s=1, starts_s=10, duration_s=10),
)


def seen() -> list[Record]:
    """Twenty right answers in the first phase, ten in the second; three shed, one broken, one that never came."""
    records = [
        Record("spike & co" if i < 20 else "after", "preview <b>", "stylize", i / 2 if i < 20 else i - 10, status=200)
        for i in range(30)
    ]
    for record in records:
        record.sent_s, record.answered_s = record.intended_s, record.intended_s + 0.2
    for record in records[:3]:
        record.status, record.retry_after_s = 429, 1.0
    records[4].problem = "size <1x1>"
    records[5].status, records[5].answered_s = 0, None
    return records


def verdict(version: str = "pentimento/1") -> Verdict:
    phases = [Phase(name=w.name, rate_per_s=w.rate_per_s, duration_s=w.duration_s) for w in PHASES]
    shape = Shape(phases=phases, recovery=Recovery(after="spike & co", within_s=5))
    slo = Slo(endpoints={"stylize": Promise(p95_ms=500, max_error_share=0.5)}, shapes={"spike": shape})
    run = Run(shape="spike", host="http://x", started_at="2026-11-24T00:00:00+00:00", seed=1, phases=PHASES,
              model={"version": version, "digest": "a" * 64}, notes=("no styles were uploaded",))  # fmt: skip
    return judge(run, seen(), slo, shape)


def test_the_page_shows_verdict_numbers_and_time_and_asks_nobody_for_anything():
    page = as_html(verdict(), seen())
    for needed in (
        "failed",
        "spike &amp; co",
        "preview &lt;b&gt;",
        "size &lt;1x1&gt;",
        "<svg",
        "shed_share",
        "no styles were",
    ):
        assert needed in page, needed
    assert not re.search(r"(src|href)=", page)
    assert "<b>" not in page
    could_not = as_html(Verdict(outcome="could_not_run", reason="nobody <there>"), [])
    assert "nobody &lt;there&gt;" in could_not


def test_junit_counts_what_it_lists_and_tells_failures_from_what_was_not_measured():
    root = ElementTree.fromstring(as_junit(verdict()))
    for suite in root.iter("testsuite"):
        cases = list(suite)
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
        assert int(suite.attrib["errors"]) == sum(case.find("error") is not None for case in cases)
    assert int(root.attrib["tests"]) == len(list(root.iter("testcase")))
    assert sum(case.find("failure") is not None for case in root.iter("testcase")) == 3  # shed, never, verdict
    could_not = ElementTree.fromstring(as_junit(Verdict(outcome="could_not_run", reason="nobody")))
    assert next(could_not.iter("error")).attrib["message"] == "nobody"


def test_json_is_strict_has_a_schema_and_the_table_names_what_broke():
    told = json.loads(as_json(verdict()))
    assert (told["schema"], told["exit_code"], told["recovery_s"]) == ("pentimento-load-verdict/1", 3, 0)
    assert told["phases"][0]["endpoints"]["stylize"]["accepted"]["p99_ms"] is None  # one of them never came
    text = as_text(verdict())
    assert "FAIL spike & co: stylize shed_share 0.15, promised <= 0" in text
    assert "2 x" not in text
    assert text.endswith("failed: spike & co: stylize shed_share 0.15, promised <= 0")


def test_the_verdict_is_logged_to_the_run_of_the_version_that_was_tested(tmp_path, monkeypatch):
    settings = settings_in(tmp_path / "home")
    monkeypatch.setenv("PENTIMENTO_HOME", str(settings.home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = open_client(settings)
    experiment = client.create_experiment("load", artifact_location=str(tmp_path / "artifacts"))
    run_id = client.create_run(experiment).info.run_id
    client.create_registered_model("pentimento")
    client.create_model_version("pentimento", source=str(tmp_path), run_id=run_id)
    client.create_model_version("pentimento", source=str(tmp_path))
    files = write_report(verdict(), seen(), tmp_path / "out")
    assert log_to_mlflow(verdict(), files) == run_id
    data = client.get_run(run_id).data
    assert data.metrics == pytest.approx(metrics_of(verdict()))
    assert data.metrics["load.spike.spike___co.stylize.shed_share"] == pytest.approx(0.15)
    assert data.tags["load.spike"].startswith("failed: ")
    assert {Path(entry.path).name for entry in client.list_artifacts(run_id, "load/spike")} == {
        "verdict.json", "junit.xml", "report.html",
    }  # fmt: skip
    for version, says in (
        ("pentimento/9", "cannot be found"),
        ("pentimento/2", "without a run"),
        ("compact-1", "did not name"),
    ):
        with pytest.raises(TrackingError, match=says):
            log_to_mlflow(verdict(version), files)
    with pytest.raises(TrackingError, match="nothing"):
        log_to_mlflow(replace(verdict(), run=None), files)


def locust(host: str, slo: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--host", host, "--headless"]
    command += ["--shape", "smoke", "--slo", str(slo), "--per-user", "5", "--out", str(out), "--only-summary"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("ill", "code"), [("", 0), ("broken picture", 3)])
def test_locust_s_own_command_sends_the_same_and_gives_a_verdict(tmp_path, ill, code):
    slo = slo_file(tmp_path, shape={"phases": [{"name": "load", "rate_per_s": 20, "duration_s": 3}]}, drain_s=3)
    with service(ill, well_for=IDLE_PAINTINGS if ill else 0) as (host, _):
        done = locust(host, slo, tmp_path / "out")
    assert done.returncode == code, done.stderr
    told = json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert told["exit_code"] == code
    assert told["requests"] > 20
    assert bool(ill) == ("broken picture" in json.dumps(told["problems"]))


def test_locust_s_own_command_says_what_it_could_not_run(tmp_path):
    rising = locust(nobody(), slo_file(tmp_path, shape={"rise": {"from_per_s": 1}}), tmp_path)
    assert rising.returncode == 4
    assert "python -m loadtests smoke" in rising.stderr
    alone = locust(nobody(), slo_file(tmp_path), tmp_path)
    assert alone.returncode == 4
    assert "is the service running" in alone.stderr
