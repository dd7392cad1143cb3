"""A soak: does the service need more memory, answer later, or fail, the longer it runs?

    python -m benchmarks.load_soak --minutes 20 --out build/soak     (2 cores shared with the sender)

Sends the mixture of configs/slo.yaml at --rate, samples the memory of the service's process tree, and writes soak.json,
soak.svg (the figures and the plot of docs/LOAD.md) beside the load test's own files.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks.load_common import ROOT, latencies_ms, send
from benchmarks.service_common import MEBIBYTE, resident_bytes, service
from loadtests.figures import percentile
from loadtests.plots import Line, Panel, draw
from loadtests.records import IDLE, Record
from service.launch import Replica

_SAMPLE_S = 5.0


def main() -> int:
    """Measure, print, write; the load test's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/soak"))
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=2.0, help="requests per second (%(default)s)")
    options = parser.parse_args()
    slo = yaml.safe_load((ROOT / "configs" / "slo.yaml").read_text())
    phase = {"name": "soak", "rate_per_s": options.rate, "duration_s": options.minutes * 60}
    slo["shapes"] = {"soak": {"phases": [phase]}}
    with tempfile.TemporaryDirectory() as folder, service(Path(folder), options.model) as replica:
        memory = Memory(replica)
        with memory:
            code, run, records = send("soak", slo, host=replica.base_url, out=options.out)
    began_s = time.time() - time.monotonic()  # of the monotonic clock, on the wall's
    zero_s = _seconds(run.started_at) - began_s
    samples = [(at_s - zero_s, value) for at_s, value in memory.samples if at_s >= zero_s]
    sent = [record for record in records if record.phase != IDLE]
    found = {"minutes": options.minutes, "rate_per_s": options.rate, "verdict_exit_code": code}
    found |= memory_figures(samples) | latency_figures(sent, options.minutes * 60)
    (options.out / "soak.json").write_text(json.dumps(found, indent=1))
    (options.out / "soak.svg").write_text(plot(samples, sent, options.minutes))
    print(json.dumps(found, indent=1))
    return code


class Memory:
    """Samples a process tree's memory (PSS: what processes share is counted once) while the body runs.

    Args:
        replica: the service.
    """

    def __init__(self, replica: Replica) -> None:
        self.samples: list[tuple[float, float]] = []  # seconds (monotonic), MiB
        self._replica = replica
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            try:
                self.samples.append((time.monotonic(), resident_bytes(self._replica) / MEBIBYTE))
            except psutil.NoSuchProcess:  # a child that came and went while it was looked at
                continue


def memory_figures(samples: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """First, last, most; and the slope of the second half, when all caches are warm, by least squares."""
    late = samples[len(samples) // 2 :]
    return {
        "memory_mib": {
            "first": round(samples[0][1]),
            "last": round(samples[-1][1]),
            "most": round(max(value for _, value in samples)),
            "slope_per_hour_second_half": round(slope(late) * 3600, 1),
            "slope_per_hour_all": round(slope(samples) * 3600, 1),
        }
    }


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares: how much y grows when x grows by one; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def latency_figures(sent: Sequence[Record], duration_s: float) -> dict[str, Any]:
    """Of what is painted, the first quarter against the last; and everything that was not answered as promised."""
    painted = [record for record in sent if record.endpoint == "stylize" and record.status == 200]
    first = [record for record in painted if record.intended_s < duration_s / 4]
    last = [record for record in painted if record.intended_s >= duration_s * 3 / 4]
    return {
        "requests": len(sent),
        "wrong": sum(record.is_wrong for record in sent),
        "shed": sum(record.was_shed for record in sent),
        "painted": len(painted),
        "painted_ms": latencies_ms(painted),
        "painted_ms_first_quarter": latencies_ms(first),
        "painted_ms_last_quarter": latencies_ms(last),
    }


def plot(samples: Sequence[tuple[float, float]], sent: Sequence[Record], minutes: float) -> str:
    """Memory, latency and errors over time."""
    width_s = max(5.0, minutes)  # sixty slices
    grouped: dict[int, list[Record]] = {}
    for record in sent:
        grouped.setdefault(int(record.intended_s // width_s), []).append(record)
    rows = [((number + 0.5) * width_s, members) for number, members in sorted(grouped.items())]
    painted = [
        (at_s, [r.latency_ms for r in members if r.status == 200 and r.endpoint == "stylize"]) for at_s, members in rows
    ]
    panels = [
        Panel(title="memory of the process tree, MiB", lines=[Line(label="PSS", points=samples)]),
        Panel(
            title=f"latency of paintings, ms (slices of {width_s:g} s)",
            lines=[
                Line(label="p50", points=[(at_s, percentile(values, 0.5)) for at_s, values in painted]),
                Line(label="p95", points=[(at_s, percentile(values, 0.95)) for at_s, values in painted]),
            ],
        ),
        Panel(
            title="requests that failed or were shed",
            lines=[
                Line(label="each slice", points=[(at_s, sum(r.is_wrong or r.was_shed for r in m)) for at_s, m in rows])
            ],
        ),
    ]
    return draw(f"Soak of {minutes:g} minutes", panels)


def _seconds(started_at: str) -> float:
    return datetime.fromisoformat(started_at).timestamp()


if __name__ == "__main__":
    sys.exit(main())
