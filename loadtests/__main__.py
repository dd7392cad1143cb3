"""`python -m loadtests SHAPE --host URL`: one verdict about one deployment.

SHAPE is smoke, step, spike, soak, breakpoint, or any other that the SLO file names under shapes:.
A service that asks for a token gets $PENTIMENTO_TOKEN.

Exit codes: 0 passed, 3 failed, 4 could not run, 5 inconclusive (the sender was too slow, or there was too little).
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from loadtests.records import Record, aside, write_run
from loadtests.report import as_json, as_junit, as_text
from loadtests.slo import Slo, SloError, load_slo
from loadtests.verdict import Verdict

_DEFAULT_SLO = Path(__file__).resolve().parents[1] / "configs" / "slo.yaml"
_EXAMPLES = """examples:
  python -m loadtests smoke --host http://127.0.0.1:3000
  python -m loadtests breakpoint --host http://127.0.0.1:3000 --slo configs/slo.yaml --out build/load --json
"""


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        slo = load_slo(options.slo)
        slo.shape(options.shape)
    except SloError as error:
        return _show(Verdict(outcome="could_not_run", reason=str(error)), [], options)
    verdict, records = _run(options, slo)
    return _show(verdict, records, options)


def _run(options: argparse.Namespace, slo: Slo) -> tuple[Verdict, list[Record]]:
    from loadtests.conduct import run_load  # patches the standard library for gevent: in this process only
    from loadtests.openloop import Target

    target = Target(host=options.host.rstrip("/"), token=os.environ.get("PENTIMENTO_TOKEN") or None)
    return run_load(target, slo, options.shape, tell=_tell)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__, epilog=_EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("shape", help="how the load goes over time; one of those in the SLO file")
    parser.add_argument("--host", required=True, type=_url, help="base URL, for example http://127.0.0.1:3000")
    parser.add_argument("--slo", type=Path, default=_DEFAULT_SLO, help="promises, mixture and shapes (YAML); "
                        "configs/slo.yaml by default")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="write records.jsonl, verdict.json, junit.xml and "
                        "report.html there")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the verdict as JSON on stdout")
    return parser


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL; for example http://127.0.0.1:3000")
    return text


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(verdict: Verdict, records: list[Record], options: argparse.Namespace) -> int:
    if options.out:
        _write(verdict, records, options.out)
    print(as_json(verdict) if options.json else as_text(verdict))
    return verdict.exit_code


def _write(verdict: Verdict, records: list[Record], folder: Path) -> None:
    if verdict.run:
        write_run(folder / "records.jsonl", verdict.run, records)
    for name, text in (("verdict.json", as_json(verdict)), ("junit.xml", as_junit(verdict))):
        with aside(folder / name) as out:
            out.write(text)
    _tell(f"wrote {folder}/")


def _exit() -> NoReturn:
    try:
        code = main()
    except KeyboardInterrupt:
        _tell("interrupted: no verdict")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    _exit()
