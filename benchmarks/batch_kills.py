"""A batch that is killed again and again ends as one that never was: each painting once, whole, byte for byte.

    python -m benchmarks.batch_kills --pictures 200 --kills 10 --side 64 --out build/batch-kills

Runs the command line itself, kills it by SIGKILL at random moments, lets it finish, and compares with an undisturbed
run.
"""

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from stylenet.pictures import write_picture

ROOT = Path(__file__).resolve().parents[1]
MOST_BETWEEN_KILLS = 24  # paintings


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    shots, killed, whole = (arguments.out / name for name in ("shots", "killed", "whole"))
    draw_pictures(shots, arguments.pictures, arguments.side)
    words = [
        "--style",
        "night-swirls",
        "--no-sheet",
        "--json",
        "--model",
        arguments.model,
        "--engine",
        arguments.engine,
    ]
    kept_at_kills = []
    for _ in range(arguments.kills):
        kept_at_kills.append(run_and_kill(shots, killed, words, chance))
        print(f"killed with {kept_at_kills[-1]} paintings there", file=sys.stderr, flush=True)
    last = finish(shots, killed, words)
    finish(shots, whole, words)
    one, other = digests(killed), digests(whole)
    print(
        json.dumps(
            {
                "pictures": arguments.pictures,
                "kills": arguments.kills,
                "paintings_at_kills": kept_at_kills,
                "painted_by_last_run": len(last["painted"]),
                "there": len(one),
                "identical": one == other and len(one) == arguments.pictures,
                "leftovers": [path.name for path in killed.rglob(".*.png.*")],
            }
        )
    )


def draw_pictures(folder: Path, count: int, side_px: int) -> None:
    """Different small photographs of noise and light."""
    rows, columns = np.mgrid[0:side_px, 0:side_px]
    for number in range(count):
        light = 128 + 60 * np.sin((rows * (1 + number % 7) + columns * (1 + number % 5)) / 9)
        grain = np.random.default_rng(number).normal(0, 20, (side_px, side_px, 3))
        write_picture(np.clip(light[:, :, None] + grain, 0, 255).astype(np.uint8), folder / f"{number:04d}.png")


def run_and_kill(shots: Path, out: Path, words: list[str], chance: random.Random) -> int:
    """Start, wait for some paintings and a random moment more, kill; returns how many files are there then."""
    running = subprocess.Popen(
        _command(shots, out, words), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    enough = len(digests(out, read=False)) + chance.randint(1, MOST_BETWEEN_KILLS)
    while running.poll() is None and len(digests(out, read=False)) < enough:
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 0.2))
    running.send_signal(signal.SIGKILL)
    running.wait()
    return len(digests(out, read=False))


def finish(shots: Path, out: Path, words: list[str]) -> dict[str, list[str]]:
    """Run to the end; returns what the command said."""
    finished = subprocess.run(_command(shots, out, words), cwd=ROOT, stdout=subprocess.PIPE, check=True)
    said: dict[str, list[str]] = json.loads(finished.stdout)
    return said


def digests(out: Path, *, read: bool = True) -> dict[str, str]:
    """sha256 of every painting by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() if read else ""
        for path in out.glob("*.png")
        if not path.name.startswith(".")
    }


def _command(shots: Path, out: Path, words: list[str]) -> list[str]:
    return [sys.executable, "-m", "cli.main", "batch", str(shots), str(out), *words]


if __name__ == "__main__":
    main()
