"""What HTTP costs: `python -m benchmarks.service_overhead [--requests 60] [--side 512]`.

The service and the bare engine take turns in one run, so that a noisy machine disturbs both alike. Latency: the median
of a JPEG's POST minus the median of the engine's own time in those very requests (Server-Timing). Throughput: pictures
per second of four clients at the service against the bare engine's, in alternating blocks.
"""

import argparse
import json
import re
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.service_common import STYLE, Client, photograph, service, stored
from registry.references import resolve
from registry.settings import Settings
from registry.styles import StyleLibrary
from runtime.loading import load_engine

CLIENTS = 4
BLOCKS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--model", default="pretrained:compact")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), options.model, options.requests, options.side), indent=1))


def measure(home: Path, model: str, requests: int, side: int) -> dict[str, float]:
    """The figures, times in milliseconds."""
    pixels = photograph(side, side)
    jpeg = stored(pixels, quality=92)
    with service(home, model) as replica:
        settings = Settings.at(home)
        engine = load_engine(resolve(model, settings), "auto")
        library = StyleLibrary.from_settings(settings)
        code = library.code(STYLE, engine)
        client = Client(replica.base_url)
        for _ in range(5):
            assert client.stylize(jpeg, format="jpeg").status == 200
            engine.stylize(pixels, code)
        posts, own, bare = [], [], []
        for _ in range(requests):
            answer = client.stylize(jpeg, format="jpeg")
            assert answer.status == 200, answer.body
            posts.append(answer.seconds * 1000)
            own.append(float(re.search(r"stylize;dur=([\d.]+)", answer.headers["server-timing"])[1]))  # type: ignore[index]
            begun = time.perf_counter()
            engine.stylize(pixels, code)
            bare.append((time.perf_counter() - begun) * 1000)
        spent_served, spent_bare = 0.0, 0.0
        for _ in range(BLOCKS):
            spent_served += _served_s(replica.base_url, jpeg, requests)
            begun = time.perf_counter()
            for _ in range(requests):
                engine.stylize(pixels, code)
            spent_bare += time.perf_counter() - begun
        engine.close()
        library.close()
    engine_ms = statistics.median(own)
    overhead = statistics.median([post - painted for post, painted in zip(posts, own, strict=True)])
    return {
        "post_ms": round(statistics.median(posts), 1),
        "engine_in_service_ms": round(engine_ms, 1),
        "bare_engine_ms": round(statistics.median(bare), 1),
        "overhead_ms": round(overhead, 1),
        "overhead_share_of_engine": round(overhead / engine_ms, 3),
        "served_per_s": round(BLOCKS * requests / spent_served, 2),
        "bare_per_s": round(BLOCKS * requests / spent_bare, 2),
        "throughput_share": round(spent_bare / spent_served, 3),
    }


def _served_s(base_url: str, jpeg: bytes, requests: int) -> float:
    """How long the clients together take for so many requests."""
    kept = threading.local()

    def send(_: int) -> int:
        if not hasattr(kept, "client"):
            kept.client = Client(base_url)
        return int(kept.client.stylize(jpeg, format="jpeg").status)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(send, range(CLIENTS)))  # connections are open
        begun = time.perf_counter()
        statuses = set(clients.map(send, range(requests)))
        spent = time.perf_counter() - begun
    assert statuses == {200}, statuses
    return spent


if __name__ == "__main__":
    main()
