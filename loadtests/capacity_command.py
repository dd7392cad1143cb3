"""`python -m loadtests capacity RECORDS`: how many replicas a demand needs, and what their autoscaler should aim for.

RECORDS is the records.jsonl of a step or breakpoint run against one replica. The report ends with what KEDA and the HPA
would do when that demand arrives all at once, with the windows and policies of deploy/kubernetes.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from loadtests.capacity import Capacity, CapacityError, capacity
from loadtests.figures import percentile
from loadtests.manifests import ManifestError, Scaling, load_scaling
from loadtests.records import RecordsError, read_run
from loadtests.simulation import Machine, Simulated, simulate

_EXAMPLES = """examples:
  python -m loadtests breakpoint --host http://127.0.0.1:3000 --out build/load
  python -m loadtests capacity build/load/records.jsonl --demand 40 --slo-ms 1000
"""
_COULD_NOT_RUN = 4
_MINUTES = 15


def main(arguments: list[str]) -> int:
    """Read, compute, print; 0, or 4 where nothing follows from the records."""
    options = _parser().parse_args(arguments)
    try:
        run, records = read_run(options.records)
        found = capacity(
            run,
            records,
            slo_ms=options.slo_ms,
            demand_per_s=options.demand,
            headroom=options.headroom,
            replicas=options.replicas,
        )
        scaling = load_scaling()
    except (RecordsError, CapacityError, ManifestError) as error:
        print(f"could_not_run: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    ours, theirs = scaling, with_targets(scaling, found)
    runs = {"targets of deploy/kubernetes": arrive(found, ours, options.start_s),
            "targets that follow": arrive(found, theirs, options.start_s)}  # fmt: skip
    if options.json:
        print(json.dumps(asdict(found) | {"simulated": {n: told(r, found) for n, r in runs.items()}}, indent=1))
    else:
        print("\n".join([*lines(found, scaling), *(_line(name, told(one, found)) for name, one in runs.items())]))
    return 0


def lines(found: Capacity, scaling: Scaling) -> list[str]:
    """The report, without the simulation."""
    rows = [
        f"{rung.rate_per_s:8.2f} {rung.painted_per_s:9.2f} {_ms(rung.p95_ms):>8} {rung.in_progress:12.2f} "
        f"{rung.wrong + rung.shed:6d}  {'held' if rung.held else 'not held'}"
        for rung in found.rungs
    ]
    more = " or more: the highest rate that was tried held" if found.is_lower_bound else ""
    targets = {trigger.name: trigger.threshold for trigger in scaling.triggers}
    wanted = {"in-progress": found.in_progress_target, "queue-pixels": found.queue_pixels_target}
    return [
        "   asked   painted   p95 ms  in progress  failed   (per second; paintings)",
        *rows,
        f"one replica within {found.slo_ms:g} ms: {found.rate_per_s:.2f} requests per second{more}",
        f"for {found.demand_per_s:g} per second at {found.headroom:.0%} of that: {found.replicas} replicas",
        *(
            f"KEDA's target for {name}: {value:,} per replica (deploy/kubernetes has {targets.get(name, 0):,.0f})"
            for name, value in wanted.items()
        ),
        f"PENTIMENTO_QUEUE_PIXELS={found.queue_pixels_bound} bounds what may wait to one SLO's worth",
        f"simulated: {found.demand_per_s:g} per second from one moment to the next, for {_MINUTES} minutes",
    ]


def with_targets(scaling: Scaling, found: Capacity) -> Scaling:
    """The manifests with the targets that follow from the measurement."""
    targets = {"in-progress": float(found.in_progress_target), "queue-pixels": float(found.queue_pixels_target)}
    triggers = (replace(t, threshold=targets.get(t.name, t.threshold)) for t in scaling.triggers)
    return replace(scaling, triggers=tuple(triggers))


def arrive(found: Capacity, scaling: Scaling, start_s: float) -> Simulated:
    """The demand all at once, on replicas that each have cores of their own."""
    dice, now_s, arrivals = random.Random(1), 0.0, []
    while now_s < _MINUTES * 60:
        now_s += dice.expovariate(found.demand_per_s)
        arrivals.append(now_s)
    fastest_per_s = max(rung.answered_per_s for rung in found.rungs)
    machine = Machine(work_s=1 / fastest_per_s, pixels=found.pixels, start_s=start_s)
    return simulate(scaling, machine, arrivals, until_s=_MINUTES * 60)


def told(one: Simulated, found: Capacity) -> dict[str, Any]:
    """What a simulation says in numbers."""
    wanted = [sample.wanted for sample in one.samples]
    late = one.latencies_s[len(one.latencies_s) // 2 :]
    return {
        "begins_with": wanted[0],
        "most_replicas": max(wanted),
        "ends_with": wanted[-1],
        "seconds_until_most": next(s.at_s for s in one.samples if s.wanted == max(wanted)),
        "shed": one.shed,
        "p95_ms_second_half": round((percentile(late, 0.95) or 0.0) * 1000),
        "within_slo_share": round(_share_within(one.latencies_s, one.shed, found.slo_ms), 4),
    }


def _share_within(latencies_s: Sequence[float], shed: int, slo_ms: float) -> float:
    total = len(latencies_s) + shed
    return sum(value * 1000 <= slo_ms for value in latencies_s) / total if total else 0.0


def _line(name: str, one: dict[str, Any]) -> str:
    return (
        f"  {name}: {one['begins_with']} -> {one['most_replicas']} replicas after {one['seconds_until_most']:.0f} s, "
        f"then {one['ends_with']}; {one['shed']} shed, {one['within_slo_share']:.1%} within the SLO, "
        f"p95 of the second half {one['p95_ms_second_half']} ms"
    )


def _ms(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests capacity",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("records", type=Path, metavar="RECORDS", help="records.jsonl of a step or breakpoint run")
    add("--demand", type=_positive, required=True, metavar="PER_S", help="requests per second that shall be served")
    add("--slo-ms", type=_positive, default=1000.0, help="95th percentile of paintings that is promised (%(default)s)")
    add("--headroom", type=_share, default=0.8, help="part of its rate that a replica shall get (%(default)s)")
    add("--replicas", type=int, default=1, help="replicas that served the run (%(default)s)")
    add("--start-s", type=_positive, default=25.0, help="seconds until a new replica is ready (%(default)s)")
    add("--json", action="store_true", help="the report as JSON on stdout")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; use a number above 0 and up to 1")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
