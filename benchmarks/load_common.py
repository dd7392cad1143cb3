"""What the proofs of the service under load share: one load of `python -m loadtests`, and figures from its records."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from loadtests.figures import percentile
from loadtests.records import Record, Run, read_run

ROOT = Path(__file__).resolve().parents[1]


def send(shape: str, slo: Mapping[str, Any], *, host: str, out: Path) -> tuple[int, Run, list[Record]]:
    """Send one shape; (exit code of its verdict, run, records). What was asked lies beside them as slo.yaml."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "slo.yaml"
    file.write_text(yaml.safe_dump(dict(slo), sort_keys=False))
    command = [sys.executable, "-m", "loadtests", shape, "--host", host, "--slo", str(file), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
    run, records = read_run(out / "records.jsonl")
    return done.returncode, run, records


def latencies_ms(records: Sequence[Record]) -> dict[str, float | None]:
    """Percentiles from the intended start, of whatever these are."""
    return percentiles_ms([record.latency_ms for record in records])


def percentiles_ms(values: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99, rounded; None of nothing."""
    found = {name: percentile(values, at) for name, at in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {name: None if value is None else round(value, 1) for name, value in found.items()}


def handling_ms(records: Sequence[Record]) -> list[float]:
    """From sent to answered: without the sender's own lateness."""
    return [
        (record.answered_s - record.sent_s) * 1000
        for record in records
        if record.answered_s is not None and record.sent_s is not None
    ]
