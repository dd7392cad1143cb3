"""Who is registering: a process one can tell to be gone, so that nothing is cleaned away under a living one."""

import os
import socket
import time
from pathlib import Path

REGISTRAR_TAG = "pentimento.registrar"
ABANDONED_AFTER_S = 3600.0
"""A registration takes seconds to minutes; after this, one of another machine counts as dead."""


def registrar() -> str:
    """This process: host, number, and when it began, for numbers are given again."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}"


def is_gone(who: str, *, since_ms: float) -> bool:
    """Whether a registrar can no longer be at work: it ended on this machine, or began too long ago on another.

    Args:
        who: what `registrar` said; anything else counts as another machine.
        since_ms: when it began to register, in milliseconds since 1970.
    """
    host, _, process = who.partition(" ")
    number, _, began = process.partition(" ")
    if host == socket.gethostname() and number.isdigit() and began:
        return _began(int(number)) != began
    return time.time() - since_ms / 1000 > ABANDONED_AFTER_S


def _began(number: int) -> str:
    """The kernel's start tick of a process; empty where there is none (any more), and on systems without /proc."""
    try:
        # The name in parentheses may hold anything, so count from behind it: state is the first field, start the 20th.
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
