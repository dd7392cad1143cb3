"""What happened, request by request: the form that is judged, drawn, kept on disk and sent between processes.

records.jsonl   line 1: a `Run` as JSON (schema, shape, host, phases, ...); each further line: one `Record`
"""

import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

SCHEMA = "pentimento-load-records/1"
IDLE = "idle"
"""The phase before time 0, in which everything was asked once, one after the other."""
_SHED = (429, 503)


class RecordsError(ValueError):
    """A file that holds no records, or records of another form."""


@dataclass(slots=True)
class Record:
    """One request. Times are seconds since the first phase began; those of the idle phase are negative.

    Args:
        phase: the one in which it should have been sent.
        name: the shot's.
        endpoint: whose promise it counts for.
        intended_s: when it should have been sent; latency counts from here.
        sent_s: when it was.
        answered_s: when the whole answer was there; None where there is none.
        status: of the answer, 0 where there is none.
        problem: what was wrong with the answer, None where it was right or a polite refusal for load.
        version: who painted it.
        retry_after_s: when a refused client should come back.
        ssim: likeness to what was painted when idle, where the bytes were others; None where they were the same.
        worker: which process sent it.
        pixels: of the photograph that was sent, or named; 0 where none was.
        follows: asked because of an earlier answer (the removal of an upload), so no part of the rate that was asked.
    """

    phase: str
    name: str
    endpoint: str
    intended_s: float
    sent_s: float | None = None
    answered_s: float | None = None
    status: int = 0
    problem: str | None = None
    version: str | None = None
    sent_bytes: int = 0
    received_bytes: int = 0
    retry_after_s: float | None = None
    ssim: float | None = None
    worker: int = 0
    pixels: int = 0
    follows: bool = False

    @property
    def was_shed(self) -> bool:
        """Refused for load, and told when to come back: promised apart from errors."""
        return self.status in _SHED and self.retry_after_s is not None

    @property
    def is_wrong(self) -> bool:
        """No answer, or not the one that it should be. What was shed is not wrong."""
        return not self.was_shed and (self.status == 0 or self.problem is not None)

    @property
    def latency_ms(self) -> float:
        """From the intended start; infinite where no answer came."""
        return math.inf if self.answered_s is None or self.status == 0 else (self.answered_s - self.intended_s) * 1000

    @property
    def lag_ms(self) -> float:
        """How late the generator sent it."""
        return math.inf if self.sent_s is None else (self.sent_s - self.intended_s) * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """One phase as it was run: from `starts_s`, so many requests a second, evenly likely at any time in it."""

    name: str
    rate_per_s: float
    starts_s: float
    duration_s: float
    settle_s: float = 0.0

    @property
    def ends_s(self) -> float:
        """When the next phase begins."""
        return self.starts_s + self.duration_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One load test as it was run.

    Args:
        started_at: time 0 on the wall clock, ISO 8601 with its zone.
        model: version and digest that the service named at the start; None where it named none.
        workers: how many processes sent.
        notes: what a reader should know: kinds of requests that were left out, styles that could not be removed.
    """

    shape: str
    host: str
    started_at: str
    seed: int
    phases: tuple[Window, ...] = ()
    model: dict[str, str] | None = None
    workers: int = 1
    notes: tuple[str, ...] = ()


def write_run(path: Path, run: Run, records: Iterable[Record]) -> None:
    """Write both, aside first, so that nobody ever reads half of it."""
    with aside(path) as out:
        out.write(json.dumps({"schema": SCHEMA, **asdict(run)}, allow_nan=False) + "\n")
        for record in records:
            out.write(json.dumps(asdict(record), allow_nan=False) + "\n")


def read_run(path: Path) -> tuple[Run, list[Record]]:
    """Read what `write_run` wrote.

    Raises:
        RecordsError: no file, no JSON, or another schema.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        header: dict[str, Any] = json.loads(lines[0])
        if header.pop("schema", None) != SCHEMA:
            raise RecordsError(
                f"{path} is not of the schema {SCHEMA}; write it with `python -m loadtests ... --out DIR`"
            )
        phases = tuple(Window(**window) for window in header.pop("phases"))
        run = Run(**header | {"phases": phases, "notes": tuple(header["notes"])})
        return run, [Record(**json.loads(line)) for line in lines[1:]]
    except OSError as error:
        raise RecordsError(f"{path} cannot be read ({error.strerror}); --out DIR of a load test writes it") from error
    except (IndexError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise RecordsError(f"{path} holds no records of a load test ({error}); was it cut off or edited?") from error


@contextmanager
def aside(path: Path) -> Iterator[IO[str]]:
    """A file to write that takes its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as out:
            yield out
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
