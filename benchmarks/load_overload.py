"""Three times as much as the service can: what is accepted, how fast the rest is refused, when all is well again.

    python -m benchmarks.load_overload --out build/overload        (about 2 minutes; 2 cores shared with the sender)

1x is what the service paints when four clients never pause. Its queue is bounded to one SLO's worth of that, so that
whoever is accepted at the end of a full queue still waits no longer than about the SLO. Exit code 0 where all was held.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.load_common import handling_ms, latencies_ms, percentiles_ms, send
from benchmarks.service_common import Client, photograph, service, stored
from loadtests.plots import Line, Panel, draw
from loadtests.records import Record, Run

PREVIEW_PIXELS = 256 * 192  # of the kind "preview": 640x480 sent, max_side 256
_OTHERS = ("picture", "large", "own style", "kept photo", "upload", "styles", "thumbnail", "model", "bad input")
_ONLY_PREVIEWS = {"preview": 1, **dict.fromkeys(_OTHERS, 0)}


def main() -> int:
    """Measure, print, write; 0 where every promise was held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/overload"))
    parser.add_argument("--model", default="pretrained:compact")
    parser.add_argument("--slo-ms", type=float, default=1000.0, help="95th percentile that is promised (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of overload (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with service(Path(folder) / "calibration", options.model) as replica:
            most_per_s = saturated_per_s(replica.base_url, seconds=10)
        queue_pixels = max(PREVIEW_PIXELS, int(most_per_s * options.slo_ms / 1000 * PREVIEW_PIXELS))
        print(f"1x: {most_per_s:.1f} per second; queue bounded to {queue_pixels:,} pixels", file=sys.stderr)
        with service(Path(folder) / "service", options.model, queue_pixels=str(queue_pixels)) as replica:
            slo = overload_slo(most_per_s, options.slo_ms, options.seconds)
            code, run, records = send("overload", slo, host=replica.base_url, out=options.out)
    found = {"slo_ms": options.slo_ms, "most_per_s": round(most_per_s, 1), "queue_pixels": queue_pixels}
    found |= {"verdict_exit_code": code} | measured(run, records)
    (options.out / "overload.json").write_text(json.dumps(found, indent=1))
    (options.out / "overload.svg").write_text(plot(run, records, options.slo_ms))
    print(json.dumps(found, indent=1))
    return code


def saturated_per_s(base_url: str, *, seconds: float) -> float:
    """Previews painted per second while four clients never pause."""
    photo, counts = stored(photograph(640, 480)), [0] * 4
    end_s = time.monotonic() + 2 + seconds

    def send_all(number: int) -> None:
        client = Client(base_url)
        while time.monotonic() < end_s:
            answer = client.stylize(photo, format="jpeg", max_side="256")
            if time.monotonic() > end_s - seconds and answer.status == 200:  # the first two seconds warm up
                counts[number] += 1

    threads = [threading.Thread(target=send_all, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def overload_slo(most_per_s: float, slo_ms: float, seconds: float) -> dict[str, Any]:
    """A third of 1x, three times 1x, a third of 1x."""
    third, triple = round(most_per_s / 3, 2), round(most_per_s * 3, 2)
    during = {"p95_ms": 2 * slo_ms, "refused_p99_ms": 50, "max_shed_share": 0.95}
    return {
        "mix": _ONLY_PREVIEWS,
        "drain_s": 30,
        "endpoints": {"stylize": {"p95_ms": slo_ms}},
        "shapes": {
            "overload": {
                "phases": [
                    {"name": "before", "rate_per_s": third, "duration_s": 15},
                    {"name": "3x", "rate_per_s": triple, "duration_s": seconds, "endpoints": {"stylize": during}},
                    {"name": "after", "rate_per_s": third, "duration_s": 20, "settle_s": 5},
                ],
                "recovery": {"after": "3x", "within_s": 5},
            }
        },
    }


def measured(run: Run, records: Sequence[Record]) -> dict[str, Any]:
    """The figures of every phase."""
    found: dict[str, Any] = {}
    for phase in run.phases:
        sent = [record for record in records if record.phase == phase.name]
        accepted = [record for record in sent if record.status == 200]
        refused = [record for record in sent if record.was_shed]
        found[phase.name] = {
            "asked_per_s": phase.rate_per_s,
            "sent": len(sent),
            "accepted": len(accepted),
            "accepted_ms": latencies_ms(accepted),
            "refused": len(refused),
            "refused_ms_from_intended": latencies_ms(refused),
            "refused_ms_from_sent": percentiles_ms(handling_ms(refused)),
            "wrong": sum(record.is_wrong for record in sent),
            "sender_late_ms": percentiles_ms([record.lag_ms for record in sent]),
        }
    return found


def plot(run: Run, records: Sequence[Record], slo_ms: float) -> str:
    """Every request: accepted above, refused below."""
    sent = [record for record in records if record.intended_s >= 0]
    accepted = [(r.intended_s, r.latency_ms) for r in sent if r.status == 200]
    refused = [(r.intended_s, r.latency_ms) for r in sent if r.was_shed]
    panels = [
        Panel(
            title="accepted: latency, ms",
            lines=[Line(label="each", points=accepted, dots=True)],
            marks=[("SLO", slo_ms), ("twice the SLO", 2 * slo_ms)],
        ),
        Panel(
            title="refused with 429: latency, ms",
            lines=[Line(label="each", points=refused, dots=True)],
            marks=[("50 ms", 50)],
        ),
    ]
    shades = [(phase.name, phase.starts_s, phase.ends_s) for phase in run.phases]
    return draw("Three times what it can", panels, shades)


if __name__ == "__main__":
    sys.exit(main())
