"""One at a time, between processes of one machine."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.errors import StoreError

_PAUSE_S = 0.02


@contextmanager
def exclusive(path: Path, *, timeout_s: float = 60.0) -> Iterator[None]:
    """Hold `path` as a lock until the block ends. The kernel gives it back when a holder dies, even by kill -9.

    Raises:
        StoreError: another process (it is named) held it for `timeout_s`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(handle, path, timeout_s)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)  # closing gives the lock back; the file stays, for unlinking it would let two hold "the" lock


def sweep(folder: Path, prefix: str) -> None:
    """Remove the unfinished folders of holders that were killed. The caller holds the lock, so none is in use."""
    for leftover in folder.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _acquire(handle: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(handle, 32, 0).decode() or "unknown"
                raise StoreError(
                    f"{path} has been held by process {holder} for more than {timeout_s:g} s; wait for it or end it"
                ) from None
            time.sleep(_PAUSE_S)
        else:
            return
