"""What was measured already: one line for each pair, kept by what it depends on, and still there after `kill -9`.

A ledger is a JSON Lines file that is only ever appended to, one whole line in one write. Its name is the digest of all
that its numbers depend on besides the pair (the method's own digest, its engine, the strengths, the size, the
instruments), and a line's key is made of the pair's file digests. So another method, other settings or an altered
picture never find a number that is not theirs; and a resumed run, a second judgement of the same version, and the next
candidate's judgement against the same AdaIN all find theirs without painting anything.
"""

import errno
import fcntl
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = dict[str, NDArray[np.float64]]
"""(S,) by metric."""
Record = dict[str, Row]
"""What one pair's line holds: a row for each method."""


class Ledger:
    """One ledger file, open for reading and appending. Several processes may append at the same time.

    Args:
        path: the file; made, with its folder, where it is missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._writer = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._end_torn_line()
        self._reader = open(path, "rb")  # noqa: SIM115  # closed by close()
        self._places: dict[str, int] = {}
        self._read_to = 0
        self.refresh()

    def __contains__(self, pair: str) -> bool:
        return pair in self._places

    def __len__(self) -> int:
        return len(self._places)

    def refresh(self) -> None:
        """Take in what other processes have appended."""
        self._reader.seek(self._read_to)
        while (line := self._reader.readline()).endswith(b"\n"):
            pair = _pair_of(line)
            if pair is not None:
                self._places[pair] = self._read_to
            self._read_to += len(line)

    def append(self, pair: str, record: Record) -> None:
        """Add one pair: one write, which is there whole or not at all for whoever reads."""
        line = json.dumps({"pair": pair, "scores": _plain(record)}, allow_nan=False, separators=(",", ":")) + "\n"
        with self._alone():
            written = os.write(self._writer, line.encode())
        if written != len(line.encode()):
            raise OSError(errno.ENOSPC, "half a line was written; make room and run again", str(self.path))
        self.refresh()

    def read(self, pair: str) -> Record:
        """One pair's rows.

        Raises:
            KeyError: it is not there; ask first.
        """
        self._reader.seek(self._places[pair])
        scores = json.loads(self._reader.readline())["scores"]
        return {
            method: {
                name: np.array([math.nan if v is None else v for v in row], dtype=np.float64)
                for name, row in rows.items()
            }
            for method, rows in scores.items()
        }

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        os.close(self._writer)

    def _end_torn_line(self) -> None:
        """A process that was killed inside a write may have left half a line; end it, so that the next one is whole."""
        with self._alone():
            size = os.fstat(self._writer).st_size
            if size and os.pread(self._writer, 1, size - 1) != b"\n":
                os.write(self._writer, b"\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._writer, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._writer, fcntl.LOCK_UN)


def digest_of(known: Any) -> str:
    """The digest that names a ledger or a pair, from plain values."""
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def read_all(ledger: Ledger, pairs: list[str]) -> Iterator[Record]:
    """The pairs' records in the order asked for, one in memory at a time."""
    return (ledger.read(pair) for pair in pairs)


def _pair_of(line: bytes) -> str | None:
    """The pair of a whole line; None for half a line that a kill left."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry.get("pair") if isinstance(entry, dict) and "scores" in entry else None


def _plain(record: Record) -> dict[str, dict[str, list[float | None]]]:
    """NaN becomes null; every other float64 is written with the digits that read back as the very same number."""
    return {
        method: {name: [float(v) if math.isfinite(v) else None for v in values] for name, values in row.items()}
        for method, row in record.items()
    }
