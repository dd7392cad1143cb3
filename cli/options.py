"""Options that several commands share, and how results and progress are shown."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

model_option = click.option(
    "--model",
    "model_ref",
    default="pretrained:compact",
    show_default=True,
    metavar="REF",
    help="models:/pentimento@champion, models:/pentimento/3, a package folder, or pretrained:compact.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(["auto", "openvino", "tensorrt", "torch"]),
    default="auto",
    show_default=True,
    help="What computes; auto takes the fastest here.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def dial_options(function: F) -> F:
    """The dials, under the same names as everywhere."""
    for name, default, text in (
        ("semantics", 1.0, "How much of the style's light and composition."),
        ("texture", 1.0, "How much of the style's colours and strokes."),
        ("fidelity", 0.5, "How firmly the photograph's outlines are held."),
        ("strength", 1.0, "How much style in all; 0 returns the input."),
    ):
        function = click.option(f"--{name}", type=float, default=default, show_default=True, metavar="0..1", help=text)(
            function
        )
    return click.option("--keep-color", is_flag=True, help="Keep the photograph's own colours.")(function)


def examples(*lines: str) -> str:
    """The two lines to paste at the end of a command's help; \\b keeps click from joining them."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def print_json(value: Any) -> None:
    """One JSON document on stdout; NaN becomes null, since JSON has none."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def say(text: str) -> None:
    """A line of progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


class Advance(Protocol):
    """Moves a progress bar: how much is done, of how much, and what is being done."""

    def __call__(self, done: float, total: float, text: str) -> None: ...


@contextmanager
def progress_bar() -> Iterator[Advance]:
    """A bar with an estimate on stderr where that is a terminal; else a line at every tenth of the way."""
    if not sys.stderr.isatty():
        yield _line_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def advance(done: float, total: float, text: str) -> None:
            bar.update(task, completed=done, total=total, description=text)

        yield advance


def _line_progress() -> Advance:
    shown = -1

    def advance(done: float, total: float, text: str) -> None:
        nonlocal shown
        tenth = int(10 * done / total) if total else 0
        if tenth > shown:
            shown = tenth
            say(f"{tenth * 10:3d} % {text}")

    return advance


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned text; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    numeric = [all(isinstance(row[i], int | float) for row in rows) and bool(rows) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        parts = [cell.rjust(w) if n else cell.ljust(w) for cell, w, n in zip(row, widths, numeric, strict=True)]
        return "  ".join(parts).rstrip()

    return "\n".join([line(header), line(["-" * w for w in widths]), *(line(row) for row in cells)])
