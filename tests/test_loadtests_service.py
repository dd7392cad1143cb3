"""The load test against the real service: it passes when well, and a stall of the real process is seen."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from loadtests_world import ENDPOINTS, ROOT, load_test, slo_file

from registry.settings import Settings
from registry.styles import StyleLibrary
from stylenet.images import Pixels

SERVE = """
import sys
from service.launch import serve
sys.exit(serve(sys.argv[1], port=0, engine="torch", on_ready=lambda url: print(url, flush=True)))
"""
LOOSE = {"golden": {"min_structure": 0.0}}  # the tiny network's weights are random: it paints no skyline


@pytest.fixture(scope="module")
def served(
    tiny_package: Path, painting: Pixels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, "subprocess.Popen[str]", Settings]]:
    """(URL, process, where its styles are) of a service of the tiny package with one style."""
    settings = Settings.at(tmp_path_factory.mktemp("load-home"))
    library = StyleLibrary.from_settings(settings)
    library.add("waves", [painting])
    library.close()
    own = {"PENTIMENTO_HOME": str(settings.home), "PENTIMENTO_SEED_STYLES": "0", "PENTIMENTO_STYLES_URL": ""}
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(tiny_package)], cwd=ROOT, env={**os.environ, **own},
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, "the service did not start"
    yield url, process, settings
    process.terminate()
    process.wait(60)


def painted(url: str) -> float:
    """How many paintings the service has counted."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    counts = [line for line in lines if line.startswith("pentimento_requests_total") and "stylize" in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in counts)


def test_the_smoke_load_passes_on_the_real_service_and_leaves_no_style_behind(served, tmp_path):
    url, _, settings = served
    code, verdict = load_test(url, slo_file(tmp_path, mix={"upload": 2, "large": 0.5}, drain_s=60, **LOOSE))
    assert (code, verdict["outcome"], verdict["problems"]) == (0, "passed", {}), verdict
    assert set(verdict["phases"][0]["endpoints"]) == set(ENDPOINTS)
    library = StyleLibrary.from_settings(settings)
    assert [style.name for style in library.list()] == ["waves"]
    library.close()


def test_a_five_second_stall_of_the_real_service_fails_by_latency(served, tmp_path):
    url, process, _ = served
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    before = painted(url)
    stalled = threading.Event()

    def stall() -> None:
        """Stand still for five seconds once the load has begun (idle, each kind is asked for once)."""
        deadline_s = time.monotonic() + 60
        while painted(url) < before + 12 and time.monotonic() < deadline_s:
            time.sleep(0.1)
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(5)
        for pid in family:
            os.kill(pid, signal.SIGCONT)
        stalled.set()

    thread = threading.Thread(target=stall, daemon=True)
    thread.start()
    phases = [{"name": "load", "rate_per_s": 4, "duration_s": 8}]
    endpoints = {name: {} for name in ENDPOINTS} | {"stylize": {"p99_ms": 3500}}
    code, verdict = load_test(
        url, slo_file(tmp_path, shape={"phases": phases}, endpoints=endpoints, drain_s=60, **LOOSE)
    )
    thread.join(30)
    assert stalled.is_set()
    assert (code, verdict["outcome"], verdict["problems"]) == (3, "failed", {}), verdict
    assert "stylize p99_ms" in verdict["reason"]
