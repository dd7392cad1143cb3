"""What is done: one SQLite file in the output folder, written after every picture, so that a killed job goes on.

A painting is begun, then lies whole under its name, then is noted as done. Killed between the last two, it is painted
again, into the same bytes: whatever happens, each painting is there once and whole.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = ".pentimento-batch.sqlite"
_TABLE = """
CREATE TABLE IF NOT EXISTS paintings (
    name TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('begun', 'done', 'failed')),
    size_bytes INTEGER,
    sha256 TEXT,
    reason TEXT
)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal knows of one painting.

    Args:
        task: digest of everything that decides its bytes.
        state: "begun", "done" or "failed".
        size_bytes, sha256: of the file, where it is done.
    """

    task: str
    state: str
    size_bytes: int | None
    sha256: str | None


class Journal:
    """The journal of one output folder. One thread of one process writes it: the holder of the folder's lock.

    Args:
        folder: the output folder, made if missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(_TABLE)

    def entries(self) -> dict[str, Entry]:
        """All that is known, by name."""
        rows = self._database.execute("SELECT name, task, state, size_bytes, sha256 FROM paintings")
        return {name: Entry(*rest) for name, *rest in rows}

    def begin(self, named_tasks: Iterable[tuple[str, str]]) -> None:
        """Note (name, task digest) as begun: from now on a file of that name is ours."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO paintings (name, task, state) VALUES (?, ?, 'begun') ON CONFLICT (name) DO UPDATE SET "
                "task = excluded.task, state = 'begun', size_bytes = NULL, sha256 = NULL, reason = NULL",
                named_tasks,
            )

    def finish(self, name: str, *, size_bytes: int, sha256: str) -> None:
        """Note that the painting lies whole under its name."""
        self._database.execute(
            "UPDATE paintings SET state = 'done', size_bytes = ?, sha256 = ? WHERE name = ?", (size_bytes, sha256, name)
        )

    def fail(self, name: str, reason: str) -> None:
        """Note that there is no painting, and why."""
        self._database.execute("UPDATE paintings SET state = 'failed', reason = ? WHERE name = ?", (reason, name))

    def close(self) -> None:
        """Give the file back."""
        self._database.close()
