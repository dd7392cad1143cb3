"""One master, several workers, real processes on one machine: one verdict about everything that all of them sent."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadtests_world import ROOT, service, slo_file

from loadtests.records import read_run

LOADTESTS = [sys.executable, "-m", "loadtests"]


@contextmanager
def workers(count: int, port: int, env: dict[str, str] | None = None) -> Iterator[list["subprocess.Popen[str]"]]:
    command = [*LOADTESTS, "--worker", "--master-port", str(port)]
    started = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True)
        for _ in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def start_master(host: str, slo: Path, port: int, *arguments: str, expect: int = 2) -> "subprocess.Popen[str]":
    command = [*LOADTESTS, "smoke", "--host", host, "--slo", str(slo), "--json", "--master", *arguments]
    command += ["--expect-workers", str(expect), "--master-bind-port", str(port)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def verdict_of(master: "subprocess.Popen[str]") -> tuple[int, dict[str, Any]]:
    out, err = master.communicate(timeout=120)
    assert out, err
    assert "Traceback" not in err, err
    return master.returncode, json.loads(out)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_two_workers_send_each_arrival_once_and_one_verdict_judges_all(tmp_path):
    port = free_port()
    with service() as (host, seen), workers(2, port) as started:
        code, verdict = verdict_of(start_master(host, slo_file(tmp_path), port, "--out", str(tmp_path / "out")))
        assert (code, verdict["outcome"]) == (0, "passed"), verdict
        assert [process.wait(30) for process in started] == [0, 0]
        assert seen.styles == {"waves": "waves"}
    _, records = read_run(tmp_path / "out" / "records.jsonl")
    asked = Counter(record.worker for record in records if record.phase == "load" and not record.follows)
    assert asked == {0: 13, 1: 12}
    assert verdict["run"]["workers"] == 2


def test_a_worker_that_is_lost_leaves_the_verdict_open(tmp_path):
    port = free_port()
    slo = slo_file(tmp_path, shape={"phases": [{"name": "load", "rate_per_s": 5, "duration_s": 6}]}, drain_s=5)
    with service() as (host, seen), workers(2, port) as started:
        master = start_master(host, slo, port)
        deadline_s = time.monotonic() + 60
        while seen.asked < 12 and time.monotonic() < deadline_s:  # the load has begun
            time.sleep(0.05)
        os.kill(started[0].pid, signal.SIGKILL)
        code, verdict = verdict_of(master)
    assert (code, verdict["outcome"]) == (5, "inconclusive"), verdict
    assert "1 of 2 workers were lost" in verdict["reason"]
    assert verdict["requests"] > 0


def test_a_fault_that_only_workers_see_fails_and_a_master_without_workers_could_not_run(tmp_path):
    port = free_port()
    with service("broken picture", well_for=9) as (host, _), workers(1, port):
        code, verdict = verdict_of(start_master(host, slo_file(tmp_path), port, expect=1))
        assert (code, verdict["outcome"]) == (3, "failed"), verdict
        assert "broken picture" in json.dumps(verdict["problems"])
        alone = start_master(host, slo_file(tmp_path), free_port(), "--expect-workers-max-wait", "0.5")
        code, verdict = verdict_of(alone)
    assert (code, verdict["outcome"]) == (4, "could_not_run")
    assert "0 of 2 workers came" in verdict["reason"]
    assert "--worker" in verdict["reason"]


def test_a_worker_without_the_token_is_a_reason_not_to_run(tmp_path):
    port, token = free_port(), {"PENTIMENTO_TOKEN": "open-sesame"}
    without = {key: value for key, value in os.environ.items() if key != "PENTIMENTO_TOKEN"}
    with service(token="open-sesame") as (host, _), workers(1, port, without):
        command = [*LOADTESTS, "smoke", "--host", host, "--slo", str(slo_file(tmp_path)), "--json", "--master"]
        done = subprocess.run([*command, "--master-bind-port", str(port)], cwd=ROOT, env=without | token, text=True,
                              capture_output=True, timeout=120)  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "PENTIMENTO_TOKEN" in json.loads(done.stdout)["reason"]
