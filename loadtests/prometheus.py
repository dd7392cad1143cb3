"""A Prometheus of our own: a child process that scrapes targets from a file, which come and go, and answers queries."""

import json
import math
import os
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from loadtests import children
from loadtests.keda import Answer
from loadtests.web import free_port, get, wait_for

_CONFIGURATION = """\
global:
  scrape_interval: {scrape_ms}ms
  scrape_timeout: {timeout_ms}ms
scrape_configs:
  - job_name: pentimento # the ServiceMonitor's jobLabel makes the same
    file_sd_configs:
      - files: ["{targets}"]
"""


class Prometheus:
    """One Prometheus.

    Args:
        folder: for its configuration and data; an empty one.
        scrape_s: how often targets are scraped.
    """

    def __init__(self, folder: Path, *, scrape_s: float) -> None:
        children.need("prometheus", "setpriv")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._targets, self._log = folder / "targets.json", folder / "prometheus.log"
        self.scrape([])
        file = folder / "prometheus.yml"
        scrape_ms = round(scrape_s * 1000)
        file.write_text(
            _CONFIGURATION.format(scrape_ms=scrape_ms, timeout_ms=min(scrape_ms, 10_000), targets=self._targets)
        )
        command = [
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--storage.tsdb.retention.time=1d",
            "--log.level=warn",
        ]
        self._process = children.start(command, log=self._log)
        try:
            wait_for(f"{self.url}/-/ready", self._process, timeout_s=60, log=self._log)
        except BaseException:
            self.close()
            raise

    def scrape(self, ports: Sequence[int]) -> None:
        """From now on scrape these replicas; Prometheus watches the file, and replaces it whole."""
        content = json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}])
        aside = self._targets.with_suffix(".new")
        aside.write_text(content)
        os.replace(aside, self._targets)

    def ask(self, query: str) -> Answer:
        """What KEDA's Prometheus scaler would make of the answer."""
        status, body = get(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        return read_answer(body) if status == 200 else Answer(failed=True)

    def close(self) -> None:
        """End it."""
        children.stop(self._process, grace_s=10)


def read_answer(body: bytes) -> Answer:
    """One number; none where there is no series (or no finite number); a failure where there are several."""
    try:
        found = json.loads(body)["data"]["result"]
        if not found:
            return Answer()
        if len(found) > 1:
            return Answer(failed=True)
        value = float(found[0]["value"][1])
    except (ValueError, KeyError, TypeError, IndexError):
        return Answer(failed=True)
    return Answer(value) if math.isfinite(value) else Answer()
