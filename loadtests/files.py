"""What a load test leaves behind: records.jsonl, verdict.json, junit.xml and report.html in one folder."""

from collections.abc import Sequence
from pathlib import Path

from loadtests.page import as_html
from loadtests.records import Record, aside, write_run
from loadtests.report import as_json, as_junit
from loadtests.verdict import Verdict


def write_report(verdict: Verdict, records: Sequence[Record], folder: Path) -> list[Path]:
    """Write them, each aside first, and return those that a person or a server reads."""
    pages = {"verdict.json": as_json(verdict), "junit.xml": as_junit(verdict), "report.html": as_html(verdict, records)}
    if verdict.run:
        write_run(folder / "records.jsonl", verdict.run, records)
    for name, text in pages.items():
        with aside(folder / name) as out:
            out.write(text)
    return [folder / name for name in pages]
