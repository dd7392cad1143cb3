"""Small questions to processes on this machine: never through a proxy, never for long."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from loadtests.children import ChildError, last_words


def get(url: str, *, timeout_s: float = 5.0) -> tuple[int, bytes]:
    """(status, body); (0, b"") where nobody answers in time."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def wait_for(url: str, process: subprocess.Popen[bytes], *, timeout_s: float, log: Path) -> None:
    """Wait until `url` answers 200.

    Raises:
        ChildError: the process ended, or the time did.
    """
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if get(url)[0] == 200:
            return
        if process.poll() is not None:
            raise ChildError(f"{url} never answered: its process ended; its last words:\n{last_words(log)}")
        time.sleep(0.1)
    raise ChildError(f"{url} did not answer 200 within {timeout_s:g} s; its last words:\n{last_words(log)}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
