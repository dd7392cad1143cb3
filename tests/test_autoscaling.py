"""Replicas that come and go for real: nginx, Prometheus and `pentimento serve`, on this machine."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from stylenet.images import Pixels
from stylenet.pictures import encode_picture

ROOT = Path(__file__).resolve().parents[1]
MISSING = [program for program in ("nginx", "prometheus", "setpriv") if shutil.which(program) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"needs {', '.join(MISSING)} (apt-get install --no-install-recommends nginx prometheus)"
)


class Controller:
    """`python -m loadtests autoscale` as a process, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def wait_for(self, pattern: str, *, timeout_s: float = 150) -> str:
        """What the pattern's group caught, as soon as a line has it."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            for line in list(self.said):
                if found := re.search(pattern, line):
                    return found.group(1)
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.1)
        raise AssertionError(f"never said {pattern!r}: {''.join(self.said)}")


@contextmanager
def controller(package: Path, out: Path) -> Iterator[Controller]:
    """Two replicas at most, one request each, a minute in a second."""
    targets = ["--target", "in-progress=1", "--target", "queue-pixels=1000000000"]
    command = [sys.executable, "-m", "loadtests", "autoscale", "--model", str(package), "--max", "2", "--faster", "60"]
    environment = {**os.environ, "PENTIMENTO_ENGINE": "torch", "PENTIMENTO_SEED_STYLES": "0"}
    process = subprocess.Popen(
        [*command, *targets, "--out", str(out)], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Controller(process)
    finally:
        process.kill()
        process.wait()


class Crowd:
    """Clients that each send one picture after the other, and never excuse a failure."""

    def __init__(self, url: str, photo: Pixels, painting: Pixels) -> None:
        self.sent, self.failures, self.busy, self.rest_s = 0, [], 3, 0.0
        self._files = {
            "image": encode_picture(np.tile(photo, (2, 2, 1)), "png"),
            "style_image": encode_picture(painting, "png"),
        }
        self._url, self._ended = f"{url}/v1/stylize", False
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(3)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        with httpx.Client(timeout=60, trust_env=False) as client:
            while not self._ended:
                if number >= self.busy:
                    time.sleep(0.05)
                    continue
                try:
                    answer = client.post(self._url, files={name: ("x", blob) for name, blob in self._files.items()})
                    wrong = None if answer.status_code == 200 else answer.text
                except httpx.HTTPError as error:
                    wrong = repr(error)
                self.sent += 1
                if wrong is not None:
                    self.failures.append(wrong)
                time.sleep(self.rest_s)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def all_gone(processes: list[psutil.Process], *, timeout_s: float = 60) -> bool:
    return not psutil.wait_procs(processes, timeout=timeout_s)[1]


def until(condition: Callable[[], bool], *, timeout_s: float = 60) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_under_load_one_becomes_two_and_one_again_and_no_request_fails(tiny_package, tmp_path, photo, painting):
    with controller(tiny_package, tmp_path) as running:
        url = running.wait_for(r"ready: (\S+) \(replicas")
        with Crowd(url, photo, painting) as crowd:
            running.wait_for(r"(replica 2 is ready)")
            after = crowd.sent
            until(lambda: crowd.sent > after + 8)  # both of them paint
            # Replicas are scraped one after the other: a client that never rests is now and then seen at both of them,
            # and one such look in the window keeps both.
            crowd.busy, crowd.rest_s = 1, 0.5
            running.wait_for(r"(replica 2 is gone)")
            after = crowd.sent
            until(lambda: crowd.sent > after + 4)  # the one that stayed still does
        assert crowd.failures == []
        children = family(running.process)
        assert len(children) >= 3
        running.process.send_signal(signal.SIGINT)
        running.process.wait(60)
        assert all_gone(children)
    measured = json.loads((tmp_path / "autoscale.json").read_text())
    assert (measured["most_replicas"], measured["left_replicas"], measured["killed"]) == (2, 1, 0)
    assert (tmp_path / "autoscale.svg").read_text().startswith("<svg")


def test_a_killed_controller_leaves_no_process_behind(tiny_package, tmp_path):
    with controller(tiny_package, tmp_path) as running:
        running.wait_for(r"(replica 1 starts)")
        until(lambda: any("bentoml" in child.cmdline() for child in family(running.process) if child.is_running()))
        children = family(running.process)
        assert {child.name() for child in children} >= {"nginx", "prometheus"}
        running.process.kill()
        assert all_gone(children)


def test_an_unknown_target_could_not_run():
    command = [sys.executable, "-m", "loadtests", "autoscale", "--target", "no-such=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "in-progress=2" in done.stderr
