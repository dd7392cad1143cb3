"""OpenVINO's one core of this process, and never given back.

Its CPU plugin (2026.4) gives the thread that makes a core a signal stack, and unmaps it with the core. Where two cores
lived and both are gone, the thread's signal stack is memory that is no more: the next signal that Python handles
(Ctrl-C, SIGTERM) ends the process with SIGSEGV.
"""

import functools
from typing import Any

from runtime.errors import EngineUnavailable


@functools.cache
def openvino_core() -> Any:
    """The process's `openvino.Core`.

    Raises:
        EngineUnavailable: openvino is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise EngineUnavailable("openvino is not installed; pip install 'pentimento[cpu]', or use torch") from error
    return openvino.Core()
