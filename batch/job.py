"""One job, from its tasks to its result: what is done already, what is left, who paints it, and what became of it."""

import glob
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from batch.errors import JobBusy
from batch.journal import Entry, Journal
from batch.pipeline import Order, Outcome
from batch.tasks import Task
from registry.errors import StoreError
from registry.locks import exclusive
from stylenet.codes import StyleCode

LOCK_NAME = ".pentimento-batch.lock"
Paint = Callable[[Iterable[Order]], Iterator[Outcome]]
"""Who paints: `pipeline.paint_here` with its engine, or a cluster. Outcomes may come in any order."""


class Progress(Protocol):
    """Told after every picture: how many are done or failed, of how many, since when in seconds, and the newest."""

    def __call__(self, done: int, total: int, elapsed_s: float, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture without a painting, and why."""

    source: Path
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of a job.

    Args:
        painted: names painted now. kept: names that an earlier run had painted.
        failed: what could not be painted.
        seconds: how long it took.
    """

    painted: tuple[str, ...]
    kept: tuple[str, ...]
    failed: tuple[Failure, ...]
    seconds: float


def run_job(
    tasks: Iterable[Task],
    out: Path,
    paint: Paint,
    codes: Mapping[str, StyleCode],
    *,
    made_by: str,
    overwrite: bool = False,
    progress: Progress = lambda done, total, elapsed_s, name: None,
) -> Result:
    """Paint every task once. Killed at any moment and run again, it goes on; a finished job has nothing left to do.

    Args:
        tasks: each with its own name.
        out: the output folder.
        paint: who paints.
        codes: of every style that the tasks name.
        made_by: what decides a painting's bytes beside task and code: the package's digest and the engine.
        overwrite: also replace files that no job of ours has written.

    Raises:
        JobBusy: another process paints into `out`.
    """
    started = time.monotonic()
    every = list(tasks)
    digests = {style: hashlib.sha256(code.to_bytes()).hexdigest() for style, code in codes.items()}
    out.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive(out / LOCK_NAME, timeout_s=0):
            journal = Journal(out)
            try:
                known = journal.entries()
                _sweep(out, known)
                wanted = {task.name: _digest(task, digests[task.style], made_by) for task in every}
                kept = [task.name for task in every if _is_done(out, task.name, wanted[task.name], known)]
                foreign = {name for name in wanted if not overwrite and name not in known and (out / name).exists()}
                left = [task for task in every if task.name not in {*kept, *foreign}]
                journal.begin((task.name, wanted[task.name]) for task in left)
                failed = [Failure(task.source, _foreign(out / task.name)) for task in every if task.name in foreign]
                painted = []
                for outcome in paint([_order(task, out) for task in left]):
                    if outcome.reason:
                        journal.fail(outcome.name, outcome.reason)
                        failed.append(Failure(_source(left, outcome.name), outcome.reason))
                    else:
                        journal.finish(outcome.name, size_bytes=outcome.size_bytes, sha256=outcome.sha256)
                        painted.append(outcome.name)
                    done = len(kept) + len(painted) + len(failed)
                    progress(done, len(every), time.monotonic() - started, outcome.name)
            finally:
                journal.close()
    except StoreError as error:
        raise JobBusy(f"{out}: {error}") from error
    return Result(
        painted=tuple(sorted(painted)),
        kept=tuple(kept),
        failed=tuple(sorted(failed, key=lambda failure: str(failure.source))),
        seconds=time.monotonic() - started,
    )


def _digest(task: Task, code_digest: str, made_by: str) -> str:
    """Of everything that decides the painting's bytes; the photograph counts by size and time, not to be read twice."""
    try:
        stat = task.source.stat()
        photograph = [stat.st_size, stat.st_mtime_ns]
    except OSError:
        photograph = []
    parts = [str(task.source.resolve()), photograph, code_digest, task.dials.as_dict(), made_by]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _is_done(out: Path, name: str, digest: str, known: Mapping[str, Entry]) -> bool:
    entry = known.get(name)
    if entry is None or entry.state != "done" or entry.task != digest:
        return False
    path = out / name
    return path.is_file() and path.stat().st_size == entry.size_bytes


def _sweep(out: Path, known: Mapping[str, Entry]) -> None:
    """Remove what killed writers left beside their targets. The lock is held: nobody is writing."""
    for name, entry in known.items():
        if entry.state == "begun":
            target = out / name
            for leftover in target.parent.glob(f".{glob.escape(target.name)}.*"):
                leftover.unlink(missing_ok=True)


def _order(task: Task, out: Path) -> Order:
    return Order(task.name, str(task.source.absolute()), str((out / task.name).absolute()), task.style, task.dials)


def _source(tasks: Iterable[Task], name: str) -> Path:
    return next(task.source for task in tasks if task.name == name)


def _foreign(path: Path) -> str:
    return f"{path} exists, and no batch has written it; choose another output folder, or give --overwrite"
