"""A process that has used an engine still takes its signals."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_ctrl_c_after_two_engines_are_closed_is_ctrl_c_and_no_crash(tiny_package: Path):
    """OpenVINO once took the signal stack with it (`runtime/openvino_core.py`): exit code -11."""
    program = (
        "import os, signal, sys\n"
        "from runtime.loading import load_engine\n"
        "engines = [load_engine(sys.argv[1], 'openvino') for _ in range(2)]\n"
        "while engines:\n"
        "    engines.pop(0).close()\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    import time; time.sleep(5)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tiny_package)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "interrupted"), ended.stderr[-1000:]
