"""Flow on disk, as the Middlebury benchmark keeps it (Baker et al. 2007): .flo."""

import os
import struct
from pathlib import Path

import numpy as np

from motion.errors import FlowFileError
from motion.flow import Flow

_TAG = b"PIEH"  # the float 202021.25, little endian
_HEADER = struct.Struct("<4sii")
_MAX_SIDE_PX = 1 << 15


def read_flo(path: str | os.PathLike[str]) -> Flow:
    """The flow in a .flo file: float32 (H, W, 2).

    Raises:
        FlowFileError: unreadable, not a .flo file, or cut short.
    """
    try:
        blob = Path(path).read_bytes()
    except OSError as error:
        raise FlowFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if len(blob) < _HEADER.size or blob[:4] != _TAG:
        raise FlowFileError(f"{path} is no .flo file (it does not begin with {_TAG.decode()}); give a Middlebury flow")
    _, width, height = _HEADER.unpack_from(blob)
    if not (0 < width < _MAX_SIDE_PX and 0 < height < _MAX_SIDE_PX) or len(blob) != _HEADER.size + 8 * width * height:
        raise FlowFileError(f"{path} says {width}x{height} and has {len(blob):,} bytes; fetch it again")
    return np.frombuffer(blob, "<f4", offset=_HEADER.size).reshape(height, width, 2).astype(np.float32)


def flo_bytes(flow: Flow) -> bytes:
    """A flow as a .flo file's bytes."""
    height, width = flow.shape[:2]
    return _HEADER.pack(_TAG, width, height) + np.ascontiguousarray(flow, dtype="<f4").tobytes()
