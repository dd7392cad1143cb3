"""Small versions of the proofs in `benchmarks/`, which are run in full by hand: docs/SERVICE.md has their figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.timeout(280)
def test_hostile_requests_get_no_5xx_and_the_service_paints_the_same_afterwards(tiny_package):
    command = [sys.executable, "-m", "benchmarks.service_hostile", "--requests", "200", "--model", str(tiny_package)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=270)
    assert ended.stdout, ended.stderr[-2000:]
    told = json.loads(ended.stdout)
    assert told["server_errors"] == 0, told
    assert told["same_bytes_afterwards"]
    assert told["still_in_progress"] == 0
    assert {"200", "400", "404", "408", "413", "415", "422"} <= told["statuses"].keys()
    assert all(told["by_kind"].values())  # every kind of attack was made
