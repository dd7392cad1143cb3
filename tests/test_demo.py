"""The demo, interrupted: no process stays, no half version is registered, and the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from registry.settings import Settings
from registry.versions import Registry

ROOT = Path(__file__).resolve().parents[1]


def start_demo(out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "demo", "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("delay_s", [0.0, 4.0])
def test_ctrl_c_in_training_leaves_no_process_and_no_half_version(tmp_path: Path, delay_s: float):
    demo = start_demo(tmp_path)
    assert demo.stderr is not None
    for line in demo.stderr:
        if line.startswith("1/6"):
            break
    time.sleep(delay_s)
    family = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(signal.SIGINT)
    _, err = demo.communicate(timeout=60)
    assert demo.returncode == 130, err
    assert "Traceback" not in err
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert Registry(Settings.at(tmp_path / "home")).versions() == []
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]  # nothing written aside was left behind
