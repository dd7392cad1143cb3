"""How the service goes away, and what it tells about itself while it is there: log, traces, metrics, dashboard."""

import _thread
import asyncio
import json
import logging
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from service_world import gate, opened, picture, run, stylize, until

from service.drain import Drain
from service.launch import running_replica, wait_until
from service.logs import JsonFormatter, TextFormatter, configure_logging
from service.traces import NoTracing, OpenTelemetryTracing, tracing_from_env

ROOT = Path(__file__).resolve().parents[1]
DASHBOARD = ROOT / "deploy" / "grafana" / "pentimento.json"


def test_while_draining_what_was_accepted_is_finished_and_what_is_new_is_503(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (studio, client, _):
            gated = gate(studio)
            accepted = asyncio.create_task(stylize(client, picture(64)))
            await until(gated.reached.is_set)
            ended = asyncio.Event()
            draining = asyncio.create_task(studio.drain.finish(ended.set))
            await until(lambda: studio.drain.begun)
            for answer in (await stylize(client, picture(64)), await client.get("/readyz")):
                assert answer.status_code == 503
                assert answer.headers["retry-after"]
                assert answer.headers["connection"] == "close"
                assert answer.json()["type"].endswith(":draining")
            assert (await client.get("/livez")).status_code == 200
            assert not ended.is_set()
            gated.let.set()
            assert (await accepted).status_code == 200
            await draining
            assert ended.is_set()

    run(test)


@pytest.mark.timeout(180)
def test_sigterm_lets_a_running_request_finish_and_the_process_goes(service_settings, tmp_path):
    environment = {
        "PENTIMENTO_HOME": str(service_settings.registry.home),
        "PENTIMENTO_SEED_STYLES": "0",
        "PENTIMENTO_STYLES_URL": "",
        "PENTIMENTO_DRAIN_S": "20",
    }
    log_path = tmp_path / "service.log"
    with running_replica(service_settings.model, engine="torch", environment=environment, log_path=log_path) as replica:
        wait_until(replica, "/livez", timeout_s=90)
        with httpx.Client(base_url=replica.base_url, trust_env=False, timeout=60) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.1)
            body = upload(client)
            sent = iter(body)
            status = []

            def slowly() -> Iterator[bytes]:
                yield next(sent)
                replica.process.send_signal(signal.SIGTERM)
                time.sleep(1.5)  # the request has begun, and SIGTERM has arrived
                status.append(httpx.get(f"{replica.base_url}/readyz", trust_env=False).status_code)
                yield from sent

            request = client.build_request("POST", "/v1/stylize", content=slowly(), headers=FORM)
            answer = client.send(request)
        assert answer.status_code == 200, answer.text
        assert status == [503]
        assert replica.process.wait(25) == 0
    lines = [json.loads(line) for line in log_path.read_text().splitlines() if line.startswith("{")]
    assert any("draining" in line["message"] for line in lines)
    painted = next(line for line in lines if line.get("route") == "stylize")
    assert (painted["status"], painted["request_id"]) == (200, answer.headers["x-request-id"])


FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def upload(client: httpx.Client) -> list[bytes]:
    files = {"image": ("x", picture(64)), "style": (None, "waves")}
    request = client.build_request("POST", "/v1/stylize", files=files, headers=FORM)
    blob = request.read()
    return [blob[:100], blob[100:]]


def test_a_drain_that_takes_too_long_ends_the_process_all_the_same():
    program = (
        "import asyncio, service.drain as d\n"
        "d._LAST_WORDS_S = 60\n"
        "async def main():\n"
        "    drain = d.Drain(0.5)\n"
        "    drain.in_flight = 1\n"
        "    await drain.finish(lambda: None)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    begun = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=30, capture_output=True)
    assert (ended.returncode, time.monotonic() - begun < 20) == (1, True)


def test_sigterm_is_passed_on_when_everything_is_answered_and_at_once_when_it_comes_twice():
    async def test() -> None:
        told: list[int] = []
        before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
        try:
            drain = Drain(30)
            drain.on_sigterm()
            with drain.counted():
                _thread.interrupt_main(signal.SIGTERM)
                await until(lambda: drain.begun)
                assert told == []
                _thread.interrupt_main(signal.SIGTERM)
                await until(lambda: len(told) == 1)
            await until(lambda: len(told) == 2)
            drain.close()
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)

    run(test)


def test_every_answer_is_one_line_of_json_that_no_client_can_forge(service_settings, caplog):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            await stylize(client, picture(64))
            await stylize(client, picture(64), style='x"}\n{"level": "forged')
            await client.get("/livez")

    with caplog.at_level(logging.INFO, "pentimento"):
        run(test)
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name == "pentimento.access"]
    entries = [json.loads(line) for line in lines]
    assert all("\n" not in line for line in lines)
    assert [entry["status"] for entry in entries] == [200, 422]  # probes are not logged while they are fine
    painted, refused = entries
    assert painted["stages_ms"].keys() == {"decode", "wait", "encode_style", "stylize", "encode"}
    assert painted["version"].startswith("compact-")
    assert (painted["pixels"], painted["route"]) == (64 * 64, "stylize")
    assert refused["problem"] == "bad-field"
    assert refused["request_id"]


def test_a_fault_is_logged_with_its_traceback_in_the_same_line():
    try:
        raise ZeroDivisionError("x")
    except ZeroDivisionError:
        record = logging.LogRecord("pentimento", logging.ERROR, "", 1, "it %s", ("broke",), sys.exc_info())
    entry = json.loads(JsonFormatter().format(record))
    assert (entry["message"], entry["level"]) == ("it broke", "error")
    assert "ZeroDivisionError" in entry["exception"]
    assert "it broke" in TextFormatter().format(record)


def test_the_log_goes_to_stderr_in_the_asked_form_and_only_once():
    logger = logging.getLogger("pentimento")
    before = logger.handlers[:], logger.propagate, logger.level
    try:
        configure_logging("json")
        configure_logging("text")
        assert [type(handler.formatter) for handler in logger.handlers] == [TextFormatter]
    finally:
        logger.handlers[:], logger.propagate = before[0], before[1]
        logger.setLevel(before[2])


def test_a_request_is_a_span_in_its_callers_trace_with_one_below_it_for_each_stage(service_settings):
    exporter = InMemorySpanExporter()
    tracing = OpenTelemetryTracing(exporter)
    trace_id, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

    async def test() -> None:
        async with opened(service_settings, tracing=tracing) as (_, client, _front):
            client.headers["traceparent"] = f"00-{trace_id}-{caller}-01"
            await stylize(client, picture(64))
            await client.get("/v1/styles/nobody")

    run(test)
    tracing.close()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    painted = spans["POST stylize"]
    assert f"{painted.context.trace_id:032x}" == trace_id
    assert f"{painted.parent.span_id:016x}" == caller
    stages = ("decode", "wait", "encode_style", "stylize", "encode")
    assert spans.keys() == {"POST stylize", "GET show_style", *stages}
    for stage in stages:
        assert spans[stage].parent.span_id == painted.context.span_id
        assert painted.start_time <= spans[stage].start_time <= spans[stage].end_time <= painted.end_time
    assert spans["GET show_style"].attributes["http.response.status_code"] == 404


def test_traces_are_only_made_where_they_are_asked_for(caplog):
    assert isinstance(tracing_from_env({}), NoTracing)
    assert isinstance(tracing_from_env({"OTEL_TRACES_EXPORTER": "none"}), NoTracing)
    console = tracing_from_env({"OTEL_TRACES_EXPORTER": "console"})
    assert isinstance(console, OpenTelemetryTracing)
    console.close()
    assert isinstance(tracing_from_env({"OTEL_TRACES_EXPORTER": "pigeon"}), NoTracing)
    assert "pigeon" in caplog.text


def test_every_metric_and_label_that_the_dashboard_asks_for_exists(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            await stylize(client, picture(64))
            await stylize(client, b"no picture")
            exposed = (await client.get("/metrics")).text
        dashboard = json.loads(DASHBOARD.read_text())
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        assert len(asked) >= 10
        assert [unknown(expression, exposed) for expression in asked] == [set()] * len(asked)
        assert unknown("sum by (path) (rate(pentimento_requests_total[1m]))", exposed) == {"path"}
        assert unknown("pentimento_no_such_thing", exposed) == {"pentimento_no_such_thing"}

    run(test)


def unknown(expression: str, exposed: str) -> set[str]:
    """The metrics and labels of an expression that the service does not expose."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    metrics = set(re.findall(r"pentimento_\w+", expression))
    known = set().union(*(labels.get(name, set()) for name in metrics))
    groups = ",".join(re.findall(r"\bby \(([^)]*)\)", expression) + re.findall(r"{(\w+)=", expression))
    return {name for name in metrics if name not in labels} | {
        label.strip() for label in groups.split(",") if label.strip() and label.strip() not in known
    }
