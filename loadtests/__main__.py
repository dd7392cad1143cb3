"""`python -m loadtests SHAPE --host URL`: one verdict about one deployment.

SHAPE is smoke, step, spike, soak, breakpoint, or any other that the SLO file names under shapes:.
A service that asks for a token gets $PENTIMENTO_TOKEN.

Exit codes: 0 passed, 3 failed, 4 could not run, 5 inconclusive (the sender was too slow, or there was too little).
"""

import argparse
import importlib
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from loadtests.files import write_report
from loadtests.records import Record
from loadtests.report import as_json, as_text
from loadtests.slo import Slo, SloError, load_slo
from loadtests.tracking import TrackingError, log_to_mlflow
from loadtests.verdict import EXIT_CODES, Verdict

_DEFAULT_SLO = Path(__file__).resolve().parents[1] / "configs" / "slo.yaml"
_COMMANDS = {"capacity": "loadtests.capacity_command", "autoscale": "loadtests.autoscale_command"}
_EXAMPLES = """beside the shapes: `python -m loadtests capacity --help`, `python -m loadtests autoscale --help`

examples:
  python -m loadtests smoke --host http://127.0.0.1:3000
  python -m loadtests breakpoint --host http://127.0.0.1:3000 --slo configs/slo.yaml --out build/load --json
  python -m loadtests step --host http://127.0.0.1:3000 --master --expect-workers 2     (and twice: --worker)
"""


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in _COMMANDS:
        return int(importlib.import_module(_COMMANDS[words[0]]).main(words[1:]))
    parser = _parser()
    options = parser.parse_args(words)
    if options.worker:
        return _work(options)
    if not options.shape or not options.host:
        parser.error("SHAPE and --host are needed, for example: smoke --host http://127.0.0.1:3000")
    try:
        slo = load_slo(options.slo)
        slo.shape(options.shape)
    except SloError as error:
        return _show(Verdict(outcome="could_not_run", reason=str(error)), [], options)
    verdict, records = _run(options, slo)
    return _show(verdict, records, options)


def _run(options: argparse.Namespace, slo: Slo) -> tuple[Verdict, list[Record]]:
    from loadtests.conduct import run_load  # patches the standard library for gevent: in this process only
    from loadtests.distributed import Master
    from loadtests.openloop import Target

    target = Target(host=options.host.rstrip("/"), token=_token())

    def master() -> Master:
        address = (options.master_bind_host, options.master_bind_port)
        wait_s = options.expect_workers_max_wait
        return Master(slo, target, expected=options.expect_workers, address=address, wait_s=wait_s, tell=_tell)

    return run_load(target, slo, options.shape, tell=_tell, senders=master if options.master else None)


def _work(options: argparse.Namespace) -> int:
    import loadtests.conduct  # as above  # noqa: F401
    from loadtests.distributed import work
    from loadtests.look import CannotRun

    try:
        work((options.master_host, options.master_port), _token(), _tell)
    except CannotRun as error:
        _tell(f"error: {error}")
        return EXIT_CODES["could_not_run"]
    return 0


def _token() -> str | None:
    return os.environ.get("PENTIMENTO_TOKEN") or None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__, epilog=_EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("shape", nargs="?", help="how the load goes over time; one of those in the SLO file")
    parser.add_argument("--host", metavar="URL", type=_url, help="base URL, for example http://127.0.0.1:3000")
    parser.add_argument("--slo", metavar="FILE", type=Path, default=_DEFAULT_SLO, help="promises, mixture and shapes "
                        "(YAML); configs/slo.yaml by default")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="write records.jsonl, verdict.json, junit.xml and "
                        "report.html there")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the verdict as JSON on stdout")
    parser.add_argument("--log-to-mlflow", action="store_true", help="log the numbers and the report to the run of the "
                        "version that is served")  # fmt: skip
    many = parser.add_argument_group("several processes", "one --master judges what several --worker send")
    many.add_argument("--master", action="store_true", help="let workers send")
    many.add_argument("--expect-workers", type=_count, default=1, metavar="N", help="wait for so many [%(default)s]")
    many.add_argument("--expect-workers-max-wait", type=float, default=60.0, metavar="SECONDS", help="[%(default)g]")
    many.add_argument("--master-bind-host", default="127.0.0.1", metavar="HOST", help="* for every interface; nothing "
                      "between them is encrypted [%(default)s]")  # fmt: skip
    many.add_argument("--master-bind-port", type=int, default=5557, metavar="PORT", help="[%(default)s]")
    many.add_argument("--worker", action="store_true", help="send what a master says; needs neither SHAPE nor --host")
    many.add_argument("--master-host", default="127.0.0.1", metavar="HOST", help="where the master is [%(default)s]")
    many.add_argument("--master-port", type=int, default=5557, metavar="PORT", help="[%(default)s]")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; use 1 to 1000")
    return int(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL; for example http://127.0.0.1:3000")
    return text


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(verdict: Verdict, records: list[Record], options: argparse.Namespace) -> int:
    if options.out:
        write_report(verdict, records, options.out)
        _tell(f"wrote {options.out}/report.html")
    if options.log_to_mlflow:
        try:
            _tell(f"logged to the MLflow run {_log(verdict, records)}")
        except TrackingError as error:
            _tell(f"error: not logged: {error}")
            if verdict.outcome == "passed":
                verdict = replace(verdict, outcome="could_not_run", reason=f"it passed, but was not logged: {error}")
    print(as_json(verdict) if options.json else as_text(verdict))
    return verdict.exit_code


def _log(verdict: Verdict, records: list[Record]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return log_to_mlflow(verdict, write_report(verdict, records, Path(folder)))


def _exit() -> NoReturn:
    try:
        code = main()
    except KeyboardInterrupt:
        _tell("interrupted: no verdict")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    _exit()
