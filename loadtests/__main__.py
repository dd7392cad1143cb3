"""`python -m loadtests smoke --host URL`: one verdict about one deployment.

Exit codes: 0 passed, 3 failed, 4 could not run, 5 inconclusive.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from loadtests.slo import Load, Promise, Slo, SloError, load_slo
from loadtests.verdict import Verdict

_DEFAULT_SLO = Slo(endpoints={name: Promise(p95_ms=5000) for name in ("stylize", "styles", "model", "bad input")})
_EXAMPLES = """examples:
  python -m loadtests smoke --host http://127.0.0.1:3000
  python -m loadtests smoke --host http://127.0.0.1:3000 --slo configs/slo-smoke.yaml --rate 5 --duration-s 60 --json
"""


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        slo = load_slo(options.slo) if options.slo else _DEFAULT_SLO
        given = {"rate_per_s": options.rate, "duration_s": options.duration_s, "drain_s": options.drain_s}
        load = Load.model_validate(slo.load.model_dump() | {key: v for key, v in given.items() if v is not None})
    except SloError as error:
        return _show(Verdict(outcome="could_not_run", reason=str(error)), as_json=options.json)
    except ValueError:
        _parser().error("--rate, --duration-s and --drain-s must be positive, and --rate at most 10000")
    from loadtests.smoke import run_smoke  # Locust patches the standard library as it is imported: in this process only

    verdict = run_smoke(options.host.rstrip("/"), slo.model_copy(update={"load": load}), tell=_tell)
    return _show(verdict, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__, epilog=_EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    smoke = commands.add_parser("smoke", help="a short, small, realistic load", epilog=_EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    smoke.add_argument("--host", required=True, type=_url, help="base URL, for example http://127.0.0.1:3000")
    smoke.add_argument("--slo", type=Path, help="the promises (YAML); some generous ones by default")
    smoke.add_argument("--rate", type=float, metavar="PER_S", help="requests per second, instead of the SLO file's")
    smoke.add_argument("--duration-s", type=float, help="seconds of sending, instead of the SLO file's")
    smoke.add_argument("--drain-s", type=float, help="seconds to wait for the last answers, instead of the SLO file's")
    smoke.add_argument("--json", action="store_true", help="the verdict as JSON on stdout")
    return parser


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL; for example http://127.0.0.1:3000")
    return text


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(verdict: Verdict, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(verdict.as_dict(), indent=1, allow_nan=False))
        return verdict.exit_code
    for rule in verdict.rules:
        value = "not measured" if rule.value is None else f"{rule.value:.4g}"
        mark = "ok  " if rule.passed else "FAIL"
        print(f"{mark} {rule.endpoint:<10} {rule.name:<14} {value:>12}   promised {rule.needed}")
    for problem, count in verdict.problems.items():
        print(f"     {count} x {problem}")
    if verdict.requests:
        print(f"{verdict.requests} requests, {verdict.unanswered} unanswered, {verdict.rate_per_s:.2f} per second")
    print(f"{verdict.outcome}: {verdict.reason}")
    return verdict.exit_code


def _exit() -> NoReturn:
    try:
        code = main()
    except KeyboardInterrupt:
        _tell("interrupted: no verdict")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    _exit()
