"""Child processes that never outlive their parent, not even one that was killed (Linux: `setpriv --pdeathsig`)."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# The parent may have died before setpriv held on to it; then the shell's parent is another one, and nothing is begun.
_ONLY_UNDER_PARENT = '[ "$PPID" = "$0" ] && exec "$@"'


class ChildError(RuntimeError):
    """A process that could not be started or did not do its work. The message holds its last words."""


def need(*programs: str) -> None:
    """Raise ChildError, naming the package, where one of these is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        package = {"setpriv": "util-linux"}
        names = " ".join(package.get(program, program) for program in missing)
        raise ChildError(f"{', '.join(missing)} not found; on Debian: apt-get install --no-install-recommends {names}")


def start(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `command`; it gets SIGTERM when the thread that called this ends, however it ends.

    Ctrl-C does not reach it: whoever started it stops it, in order.

    Args:
        command: program and arguments.
        log: where its output is appended.
        environment: on top of ours.
    """
    held = ["setpriv", "--pdeathsig", "TERM", "sh", "-c", _ONLY_UNDER_PARENT, str(os.getpid()), *command]
    with log.open("ab") as out:
        return subprocess.Popen(
            held,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], *, grace_s: float) -> bool:
    """SIGTERM, and SIGKILL after the grace period. Whether the first was enough."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def last_words(log: Path, lines: int = 12) -> str:
    """The end of a log, for a message."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(it wrote nothing)"
