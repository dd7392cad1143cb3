"""The report's files: scores.json and tables for machines, report.html and report.md for people; reading it back."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from pydantic import ValidationError

from evaluation.errors import ReportError
from evaluation.examples import Example
from evaluation.markdown import render_markdown
from evaluation.page import render_page
from evaluation.report_tables import write_tables
from evaluation.scores import SCHEMA_VERSION, Report
from stylenet.pictures import write_bytes

SCORES_NAME, PAGE_NAME, MARKDOWN_NAME = "scores.json", "report.html", "report.md"


def write_report(report: Report, out: Path, examples: Sequence[Example]) -> None:
    """Write the page, the Markdown, the tables, and scores.json last: it is what says that a report is there."""
    write_bytes(render_page(report, examples).encode(), out / PAGE_NAME)
    write_bytes(render_markdown(report).encode(), out / MARKDOWN_NAME)
    write_tables(report, out)
    write_bytes((report.model_dump_json(indent=1) + "\n").encode(), out / SCORES_NAME)


def read_report(out: str | PathLike[str]) -> Report:
    """Read the report of an evaluation's folder (or its scores.json).

    Raises:
        ReportError: missing, broken, or written by a Pentimento with another schema; the key is named.
    """
    path = Path(out)
    path = path / SCORES_NAME if path.is_dir() else path
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror}); run `pentimento evaluate` first") from error
    try:
        return Report.model_validate_json(blob)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        hint = f"; this Pentimento reads schema version {SCHEMA_VERSION}" if where == "schema_version" else ""
        raise ReportError(
            f"{path}: {where + ': ' if where else ''}{first['msg']}{hint}; run `pentimento evaluate` again"
        ) from error
