"""The largest picture's memory: `python -m benchmarks.service_memory [--side 2048]`, on the CPU.

The service's whole process tree is watched every 20 ms while it paints one picture after the other.
"""

import argparse
import json
import tempfile
import threading
from pathlib import Path

from benchmarks.service_common import MEBIBYTE, Client, photograph, resident_bytes, service, stored

REQUESTS = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--model", default="pretrained:compact")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), options.model, options.side), indent=1))


def measure(home: Path, model: str, side: int) -> dict[str, float]:
    """MiB before, at the peak and afterwards; seconds of the first request."""
    image = stored(photograph(side, side), quality=92)
    with service(home, model, deadline_s="900") as replica:
        before, peak, done = resident_bytes(replica), 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.02):
                peak = max(peak, resident_bytes(replica))

        watching = threading.Thread(target=watch)
        watching.start()
        answers = [Client(replica.base_url, timeout_s=900).stylize(image, format="png") for _ in range(REQUESTS)]
        done.set()
        watching.join()
        after = resident_bytes(replica)
    assert [answer.status for answer in answers] == [200] * REQUESTS, answers[0].body[:300]
    return {
        "before_mib": round(before / MEBIBYTE),
        "peak_mib": round(peak / MEBIBYTE),
        "after_mib": round(after / MEBIBYTE),
        "seconds": round(answers[0].seconds, 1),
    }


if __name__ == "__main__":
    main()
