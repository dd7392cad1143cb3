"""`python -m loadtests autoscale`: the service as it scales in a cluster, on this one machine, seen to lose nothing.

Prometheus and nginx are Debian's; the query, the targets, the windows and the policies are those of deploy/kubernetes.
"""

import argparse
import json
import math
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType

from loadtests import children
from loadtests.autoscaled import Outcome, Scaled, as_json, compare, judge_scaling, plot
from loadtests.children import ChildError
from loadtests.controller import Rig
from loadtests.manifests import ManifestError, Scaling, load_scaling
from loadtests.records import RecordsError, read_run
from loadtests.replicas import Settings

_EXAMPLES = """examples:
  python -m loadtests autoscale --model pretrained:compact
  python -m loadtests autoscale --slo configs/slo-autoscale.yaml --shape ramp --faster 10 --out build/autoscale
"""
COULD_NOT_RUN = 4


def main(arguments: list[str]) -> int:
    """Scale, under a load of ours or somebody else's; the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    signal.signal(signal.SIGINT, _as_ctrl_c)  # a shell's background job would ignore it
    try:
        scaling = _scaling(options)
        children.need("nginx", "prometheus", "setpriv")
        outcome = _scaled(options, scaling)
    except (ChildError, ManifestError, RecordsError, OSError) as error:
        print(f"could_not_run: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    print(json.dumps(as_json(outcome), indent=1, allow_nan=False) if options.json else "\n".join(outcome.lines()))
    return outcome.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests autoscale",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", default="pretrained:compact", help="what the replicas serve (%(default)s)")
    add("--slo", type=Path, help="an SLO file, one of whose shapes is sent; without one: scale until Ctrl-C")
    add("--shape", default="ramp", help="which of the SLO file's shapes (%(default)s)")
    add("--min", type=int, default=1, help="fewest replicas (%(default)s; the manifest's is for two nodes)")
    add("--max", type=int, default=3, help="most replicas (%(default)s; the manifest's is for a cluster)")
    add("--threads", type=int, default=1, help="of each replica's engine (%(default)s)")
    add("--faster", type=float, default=1.0, metavar="FACTOR",
        help="time lapse: scrapes, syncs, windows and policies are so much shorter (%(default)s)")  # fmt: skip
    add("--target", action="append", default=[], metavar="TRIGGER=VALUE",
        help="another target than the manifest's, for example in-progress=2")  # fmt: skip
    add("--speed", type=float, default=math.inf, metavar="REPLICAS",
        help="for the simulation: replicas that can work here at full speed at a time; default: all")  # fmt: skip
    add("--out", type=Path, default=Path("build/autoscale"), help="for what was measured (%(default)s)")
    add("--json", action="store_true", help="the result as JSON on stdout")
    return parser


def _scaled(options: argparse.Namespace, scaling: Scaling) -> Outcome:
    options.out.mkdir(parents=True, exist_ok=True)
    begun_s = time.time()

    def tell(line: str) -> None:
        print(f"{time.time() - begun_s:6.1f} s  {line}", file=sys.stderr, flush=True)

    settings = Settings(
        model=options.model,
        environment={"PENTIMENTO_THREADS": str(options.threads), "OMP_NUM_THREADS": str(options.threads)},
        before_stop_s=scaling.before_stop_s,
        grace_s=scaling.grace_s,
    )
    with tempfile.TemporaryDirectory(prefix="pentimento-autoscale-") as folder:
        with Rig(Path(folder), scaling, settings, tell) as rig:
            rig.open()
            tell(f"ready: {rig.proxy.url} (replicas behind nginx), {rig.prometheus.url} (Prometheus)")
            load_code = _until_ctrl_c(rig) if options.slo is None else _under_load(options, rig, tell)
            left = rig.fleet.wanted
        scaled = Scaled(samples=rig.samples, start_seconds=rig.fleet.start_seconds, killed=rig.fleet.killed, left=left)
    run, records = read_run(options.out / "load" / "records.jsonl") if options.slo else (None, [])
    outcome = judge_scaling(scaled, minimum=options.min, run=run, records=records, load_code=load_code)
    if run:
        outcome = compare(outcome, scaling, records, speed=options.speed)
    (options.out / "autoscale.json").write_text(json.dumps(as_json(outcome), indent=1, allow_nan=False))
    (options.out / "autoscale.svg").write_text(plot(outcome, scaling))
    return outcome


def _under_load(options: argparse.Namespace, rig: Rig, tell: Callable[[str], None]) -> int:
    """Send the shape while scaling, then scale on until the fewest replicas are left; the load's own exit code."""
    out = options.out / "load"
    command = [sys.executable, "-m", "loadtests", options.shape, "--host", rig.proxy.url]
    log = options.out / "load.log"
    log.unlink(missing_ok=True)
    load = children.start([*command, "--slo", str(options.slo), "--out", str(out)], log=log)
    try:
        rig.run(until=lambda: load.poll() is not None)
        tell(f"the load has ended (exit code {load.returncode})")
        if not (out / "records.jsonl").is_file():
            raise ChildError(f"the load left no records; its last words:\n{children.last_words(log)}")
        windows_s = rig.scaling.bounds.down.stabilisation_s + sum(p.period_s for p in rig.scaling.bounds.down.policies)
        end_s = time.monotonic() + (windows_s + rig.scaling.grace_s) * rig.scaling.bounds.maximum
        rig.run(until=lambda: rig.at_rest() or time.monotonic() > end_s)
    finally:
        children.stop(load, grace_s=5)
    return load.returncode


def _until_ctrl_c(rig: Rig) -> int:
    try:
        rig.run(until=lambda: False)
    except KeyboardInterrupt:
        rig.tell("ending every replica")
    return 0


def _scaling(options: argparse.Namespace) -> Scaling:
    scaling = load_scaling()
    targets = dict(_target(text, scaling) for text in options.target)
    return replace(
        scaling,
        bounds=replace(scaling.bounds, minimum=options.min, maximum=options.max),
        triggers=tuple(replace(t, threshold=targets.get(t.name, t.threshold)) for t in scaling.triggers),
    ).faster(options.faster)


def _target(text: str, scaling: Scaling) -> tuple[str, float]:
    names = [trigger.name for trigger in scaling.triggers]
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if name not in names or number <= 0:
        raise ManifestError(f"--target {text!r} is none; say for example {names[-1]}=2 (there are {', '.join(names)})")
    return name, number


def _as_ctrl_c(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
