"""How quick a library of 10,000 styles is, and whether its memory stays flat.

    .venv/bin/python benchmarks/styles_library.py --styles 10000
    .venv/bin/python benchmarks/styles_library.py --styles 10000 --postgres

The library is filled through the database (the rows that `add` writes; all styles share a few small pictures' files),
then asked through `StyleLibrary` in random order. Prints medians and 95th percentiles in milliseconds, the median of
CPU time alone (it counts on a machine that others use too), and the resident memory, as JSON.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from styles_world import pixels_of

from registry.settings import Settings
from registry.style_entries import thumbnail
from registry.style_rows import new_row
from registry.style_tables import PictureRow
from registry.styles import StyleLibrary
from stylenet.pictures import encode_picture

WORDS = ("wave", "harbour", "night", "tree", "guitar", "dancer", "window", "mill", "lagoon", "mountain", "red", "blue")
MOVEMENTS = ("impressionism", "cubism", "baroque", "ukiyo-e", "realism", "pop-art")


def fill(library: StyleLibrary, count: int) -> None:
    """Add `count` styles of one picture each, with two tags, a title, an author and a licence."""
    random = np.random.default_rng(0)
    pictures = [pixels_of(seed, 256, 320) for seed in range(20)]
    files = [(library.blobs.put(encode_picture(pixels)), library.blobs.put(thumbnail(pixels))) for pixels in pictures]
    for start in range(0, count, 1000):
        with library.database.writing() as session:
            for number in range(start, min(count, start + 1000)):
                original, small = files[number % len(files)]
                content = f"{number:016x}" * 4
                title = " ".join(random.choice(WORDS, 3))
                texts = {"title": title, "author": f"Painter {number % 97}", "licence": "CC0", "note": "n" * 80}
                tags = [str(random.choice(MOVEMENTS)), f"set-{number % 50}"]
                rows = [PictureRow(position=0, blob=original, pixel_digest=content, width_px=320, height_px=256)]
                row = new_row(f"style-{number:05}", texts, tags, content=content, builtin=False, pictures=rows)
                row.thumbnail = small
                session.add(row)


def questions(library: StyleLibrary, count: int) -> dict[str, Callable[[int], object]]:
    """What is asked; each takes a random number."""
    name = lambda n: f"style-{n % count:05}"  # noqa: E731 - one line, used six times below
    return {
        "list a page of 50": lambda n: library.list(limit=50, after=name(n)),
        "list a tag's page of 50": lambda n: library.list(tag=MOVEMENTS[n % len(MOVEMENTS)], limit=50, after=name(n)),
        "search two words, 50": lambda n: library.list(f"{WORDS[n % 12]} {WORDS[n // 12 % 12]}", limit=50),
        "search without a hit": lambda n: library.list(f"nothing{n}"),
        "count a search": lambda n: library.count(WORDS[n % 12]),
        "fetch one by name": lambda n: library.get(name(n)),
        "fetch its thumbnail": lambda n: library.thumbnail(name(n)),
        "fetch its pictures": lambda n: library.pictures(name(n)),
    }


def measure(library: StyleLibrary, count: int, rounds: int) -> dict[str, object]:
    """Ask everything `rounds` times, interleaved; the first tenth warms up."""
    random, process = np.random.default_rng(1), psutil.Process()
    asked = questions(library, count)
    times: dict[str, list[tuple[float, float]]] = {what: [] for what in asked}
    memory_mb: list[float] = []
    for number in range(rounds):
        for what, ask in asked.items():
            draw = int(random.integers(1 << 30))
            started, started_cpu = time.perf_counter(), time.process_time()
            ask(draw)
            times[what].append((1000 * (time.perf_counter() - started), 1000 * (time.process_time() - started_cpu)))
        memory_mb.append(process.memory_info().rss / 1e6)
        if number == rounds // 10:
            times = {what: [] for what in asked}
    return {
        "median_ms": {what: round(statistics.median(wall for wall, _ in found), 2) for what, found in times.items()},
        "p95_ms": {what: round(float(np.quantile([w for w, _ in found], 0.95)), 2) for what, found in times.items()},
        "median_cpu_ms": {what: round(statistics.median(cpu for _, cpu in found), 2) for what, found in times.items()},
        "resident_mb": {"after a tenth": round(memory_mb[rounds // 10]), "at the end": round(memory_mb[-1])},
    }


def main() -> None:
    """Fill a library, measure it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own instead of SQLite")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="pentimento-styles-"))
    settings = Settings.at(home)
    if arguments.postgres:
        from postgres_server import start_postgres

        settings = replace(settings, styles_url=start_postgres().database())
    library = StyleLibrary.from_settings(settings)
    try:
        fill(library, arguments.styles)
        print(json.dumps({"styles": library.count(), **measure(library, arguments.styles, arguments.rounds)}, indent=1))
    finally:
        library.close()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
