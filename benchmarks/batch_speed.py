"""What a batch costs beside its engine: throughput against the bare engine in one run, and peak memory by job size.

    python -m benchmarks.batch_speed speed --pictures 12 --rounds 5 --width 512 --height 384
    python -m benchmarks.batch_speed memory --pictures 500 --width 128 --height 96

`speed` takes turns: the engine alone on pixels in memory, then the batch on the same pictures from file to file.
`memory` is run once per size, each in a process of its own.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from batch.job import run_job
from batch.pipeline import paint_here
from batch.tasks import find_tasks
from cli.stylize import style_code
from registry.references import resolve
from registry.settings import Settings
from runtime.loading import load_engine
from stylenet.dials import Dials
from stylenet.pictures import read_picture, write_picture

STYLE = "night-swirls"


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "memory"])
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=384)
    parser.add_argument("--suffix", default=".jpg")
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--engine", default="auto")
    arguments = parser.parse_args()
    settings = Settings.from_env()
    engine = load_engine(resolve(arguments.model, settings), arguments.engine)
    codes = {STYLE: style_code(STYLE, engine, settings)}
    with tempfile.TemporaryDirectory() as folder:
        shots = Path(folder) / "shots"
        for number in range(arguments.pictures):
            draw(shots / f"{number:04d}{arguments.suffix}", number, arguments.width, arguments.height)
        seconds: dict[str, list[float]] = {"engine": [], "batch": []}
        rounds = arguments.rounds if arguments.what == "speed" else 1
        pixels = [read_picture(path) for path in sorted(shots.iterdir())] if arguments.what == "speed" else []
        for turn in range(rounds + (arguments.what == "speed")):  # the first turn of `speed` warms up
            started = time.perf_counter()
            for photograph in pixels:
                engine.stylize(photograph, codes[STYLE])
            seconds["engine"].append(time.perf_counter() - started)
            out = Path(folder) / f"out-{turn}"
            tasks = find_tasks(str(shots), out, style=STYLE, dials=Dials()).tasks
            result = run_job(tasks, out, lambda orders: paint_here(orders, engine, codes), codes, made_by="benchmark")
            seconds["batch"].append(result.seconds)
    row: dict[str, object] = {"pictures": arguments.pictures, "size": f"{arguments.width}x{arguments.height}"}
    if arguments.what == "speed":
        row |= {f"{name}_pictures_per_s": arguments.pictures / statistics.median(s[1:]) for name, s in seconds.items()}
        ratios = [one / other for one, other in zip(seconds["engine"][1:], seconds["batch"][1:], strict=True)]
        row |= {"throughput_share": statistics.median(ratios), "shares": ratios}
    row["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(row | {"engine": engine.name, "precision": engine.precision}))


def draw(path: Path, number: int, width_px: int, height_px: int) -> None:
    """A photograph of light and noise."""
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    light = 128 + 60 * np.sin((rows * (1 + number % 7) + columns * (1 + number % 5)) / 40)
    grain = np.random.default_rng(number).normal(0, 12, (height_px, width_px, 3))
    write_picture(np.clip(light[:, :, None] + grain, 0, 255).astype(np.uint8), path)


if __name__ == "__main__":
    main()
