"""A child that does not outlive its parent, even one that was killed and could not say goodbye (Linux).

`python -m service.lifeline PARENT_PID -- COMMAND...` asks the kernel for a SIGTERM when the parent dies, then becomes
COMMAND.
"""

import ctypes
import os
import signal
import sys

DIE_WITH_PARENT = "PENTIMENTO_DIE_WITH_PARENT"
"""Set in the environment of a server that `service.launch` started: its workers hold on to the lifeline too."""
_PR_SET_PDEATHSIG = 1


def die_with_parent(by: signal.Signals) -> None:
    """Have the kernel send this process `by` when the thread that started it ends. Elsewhere than on Linux: nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, by.value, 0, 0, 0)


def main(arguments: list[str]) -> int:
    """Hold on to the parent, then become the command."""
    parent, separator, *command = arguments
    if separator != "--" or not command:
        print("usage: python -m service.lifeline PARENT_PID -- COMMAND...", file=sys.stderr)
        return 2
    die_with_parent(signal.SIGTERM)
    if os.getppid() == int(parent):
        os.execvp(command[0], command)
    return 0  # the parent died before we held on to it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
