"""Swaps under load: `python -m benchmarks.service_swaps [--requests 1000] [--swaps 20]`.

Versions of one network that differ by digest are registered; while four clients paint, the champion is changed again
and again. No request may fail, and each answer must name a version together with the digest that belongs to it. The
last change is a rollback, and how long it takes to be seen is measured.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.service_common import Client, photograph, service, stored
from registry.references import resolve
from registry.settings import Settings
from registry.versions import Registry
from runtime.package import Package, write_package

CLIENTS = 4
POLL_S = 1.0


def main() -> int:
    """Measure, print; 3 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--model", default="pretrained:compact", help="the package whose copies are registered")
    parser.add_argument("--side", type=int, default=128)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), options.model, options.requests, options.swaps, options.side)
    print(json.dumps(told, indent=1))
    held = not told["failed"] and not told["misnamed"] and told["rollback_s"] <= POLL_S + 1
    return 0 if held and told["versions_seen"] == options.swaps + 1 else 3


def measure(home: Path, model: str, requests: int, swaps: int, side: int) -> dict[str, object]:
    """What happened to the requests."""
    settings = Settings.at(home)
    registry = Registry(settings)
    digests = _register(registry, resolve(model, settings), home, swaps + 1)
    registry.promote(1, force_reason="a proof")
    image = stored(photograph(side, side))
    statuses: Counter[int] = Counter()
    seen: Counter[str] = Counter()
    misnamed: list[str] = []
    lock, stop = threading.Lock(), threading.Event()

    def load() -> None:
        client = Client(replica.base_url)
        while not stop.is_set():
            answer = client.stylize(image, format="jpeg")
            with lock:
                statuses[answer.status] += 1
                version = answer.headers.get("x-model-version", "")
                seen[version] += 1
                if digests.get(version) != answer.headers.get("x-model-digest"):
                    misnamed.append(f"{version}: {answer.headers.get('x-model-digest')}")

    with service(home, "models:/pentimento@champion", poll_s=str(POLL_S)) as replica:
        clients = [threading.Thread(target=load) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for number in range(2, swaps + 2):
            registry.promote(number, force_reason="a proof")
            _until_painted_by(replica.base_url, image, f"pentimento/{number}")
        registry.rollback()
        rolled_back = time.monotonic()
        _until_painted_by(replica.base_url, image, f"pentimento/{swaps}")
        rollback_s = time.monotonic() - rolled_back
        while statuses.total() < requests:
            time.sleep(0.1)
        stop.set()
        for client in clients:
            client.join()
        text = Client(replica.base_url).send("GET", "/metrics").body.decode()
    assert f'pentimento_model_changes_total{{outcome="swapped",role="champion"}} {swaps + 2}.0' in text, text
    return {
        "requests": statuses.total(),
        "failed": statuses.total() - statuses[200],
        "misnamed": len(misnamed),
        "swaps": swaps,
        "versions_seen": len(seen),
        "fewest_answers_of_a_version": min(seen.values()),
        "rollback_s": round(rollback_s, 2),
    }


def _register(registry: Registry, package: Package, home: Path, count: int) -> dict[str, str]:
    """Copies of a package that differ by their commit only, each a version; their digests by name."""
    files = {name: package.path(name).read_bytes() for name in package.manifest.files}
    fields = package.manifest.model_dump(exclude={"files", "schema_version", "git_commit"})
    digests = {}
    for number in range(count):
        copy = write_package(home / "copies" / str(number), files=files, git_commit=f"copy {number}", **fields)
        version = registry.register(copy.folder)
        digests[version.name] = version.digest
        print(f"registered {version.name}", file=sys.stderr)
    return digests


def _until_painted_by(base_url: str, image: bytes, version: str) -> None:
    client, deadline = Client(base_url), time.monotonic() + 120
    while client.stylize(image, format="jpeg").headers.get("x-model-version") != version:
        if time.monotonic() > deadline:
            raise SystemExit(f"{version} never painted")


if __name__ == "__main__":
    sys.exit(main())
