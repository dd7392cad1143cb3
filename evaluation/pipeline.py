"""Every missing number of a judgement, pair by pair: found in a ledger, or painted, measured and written down at once.

Memory does not grow with the pairs, and a run that was killed goes on where it stopped.
"""

import ctypes
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evaluation.columns import write_columns
from evaluation.ledger import Ledger, Record, read_all
from evaluation.meters import on_axis
from evaluation.pairs import Manifest
from evaluation.scores import ADAIN, NULL_METHODS
from evaluation.scoring import PAINTED, Scorer, pair_key
from evaluation.sweeps import Sweep

Progress = Callable[[int, int, str], None]
"""(steps done, steps in all, what is being done and how long it will still take)."""
Place = tuple[int, int]
"""(photograph, painting) by their places in the manifest."""
BLOCK = 16
"""Pairs are scored in squares of so many photographs and paintings, so that what is kept in memory is met again."""
TRIM_EVERY = 64


class Workers(Protocol):
    """Where pairs are scored: this process, or a cluster. Results may come back in any order."""

    def score(self, scorer: Scorer, manifest: Manifest, places: list[Place]) -> Iterator[tuple[Place, Record]]:
        """Each place with its record."""
        ...


class Here:
    """This process, one pair after the other."""

    def score(self, scorer: Scorer, manifest: Manifest, places: list[Place]) -> Iterator[tuple[Place, Record]]:
        """See `Workers.score`."""
        for done, (i, j) in enumerate(places, start=1):
            yield (i, j), scorer.score(manifest.photographs[i], manifest.paintings[j])
            if done % TRIM_EVERY == 0:
                give_memory_back()


@dataclass
class Counter:
    """Turns "now this" into "3 of 19: this, about 2 min left"; what was found in a ledger does not count as speed."""

    total: int
    progress: Progress | None
    done: int = 0
    found: int = 0
    started: float = 0.0

    def say(self, what: str) -> None:
        """Something is about to be done."""
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total, what + self._estimate())

    def step(self, count: int = 1, *, found: bool = False) -> None:
        """Something was done (or found done already)."""
        self.started = self.started or time.monotonic()
        self.done += count
        self.found += count if found else 0

    def _estimate(self) -> str:
        made = self.done - self.found
        if made < 3 or self.done >= self.total:
            return ""
        left_s = (time.monotonic() - self.started) / made * (self.total - self.done)
        return f"; about {spoken(left_s)} left"


def give_memory_back() -> None:
    """Hand freed memory to the system: pictures of ever other sizes leave gaps that glibc keeps, some MB a size."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # not glibc: its allocator has its own ways
        return


def spoken(seconds: float) -> str:
    """ "40 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def fill_ledger(scorer: Scorer, manifest: Manifest, folder: Path, workers: Workers, counter: Counter) -> Ledger:
    """Score what is not in the method's ledger yet.

    Raises:
        MethodError: the method broke its contract.
    """
    ledger = Ledger(folder / "ledgers" / f"{scorer.key[:32]}.jsonl")
    missing = []
    for i, j in manifest.pairs():
        if pair_key(manifest.photographs[i], manifest.paintings[j]) not in ledger:
            missing.append((i, j))
    counter.step(len(manifest.pairs()) - len(missing), found=True)
    counter.say(f"{scorer.method.name}: {len(missing)} of {len(manifest.pairs())} pairs to measure")
    for (i, j), record in workers.score(scorer, manifest, in_blocks(missing)):
        photo, style = manifest.photographs[i], manifest.paintings[j]
        ledger.append(pair_key(photo, style), record)
        counter.step()
        counter.say(f"{scorer.method.name}: {photo.name} as {style.name}")
    return ledger


def sweeps_of(scorer: Scorer, ledger: Ledger, manifest: Manifest, scratch: Path) -> dict[str, Sweep]:
    """The sweeps that a full ledger holds, by the report's names.

    Args:
        scratch: a folder for the numbers by metric; the sweeps read from it.
    """
    pairs = [pair_key(manifest.photographs[i], manifest.paintings[j]) for i, j in manifest.pairs()]
    rows = {PAINTED: scorer.method.name} | (
        dict(zip(NULL_METHODS, NULL_METHODS, strict=True)) if scorer.method.name == ADAIN else {}
    )
    axis = scorer.instruments.axis
    records = ({row: on_axis(scores, axis) for row, scores in each.items()} for each in read_all(ledger, pairs))
    return write_columns(records, rows, scratch, (len(pairs), len(scorer.strengths)))


def in_blocks(places: Iterable[Place]) -> list[Place]:
    """The same places, square by square."""
    return sorted(places, key=lambda place: (place[0] // BLOCK, place[1] // BLOCK, place))
