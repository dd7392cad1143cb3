"""What of a film is painted already: whole segments on disk, and the state to go on from. Lets a killed run continue.

PAINTING.mp4.parts/
    order.json        what was ordered; parts of another order are thrown away
    00000.mp4 ...     painted segments, each whole
    00000.npz ...     what the frame after it needs (the newest one only)
    00000.json ...    written last: this segment counts
"""

import io
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from stylenet.pictures import write_bytes
from video.coherence import Held


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A painted stretch of the film.

    Args:
        number: from 0, in order.
        start_pts: of its first frame. last_pts: of its last.
        frames: how many.
        cuts: shot cuts found in it.
        seconds: what it cost, by step.
    """

    number: int
    start_pts: int
    last_pts: int
    frames: int
    cuts: int
    seconds: dict[str, float]


class Parts:
    """The folder of one film's parts. Whoever uses it holds the film's lock.

    Args:
        folder: made if missing.
        order: the digest of everything that decides the painting.
    """

    def __init__(self, folder: Path, order: str) -> None:
        self.folder = folder
        note = folder / "order.json"
        if not note.is_file() or json.loads(note.read_text()).get("order") != order:
            shutil.rmtree(folder, ignore_errors=True)
            write_bytes(json.dumps({"order": order}).encode(), note)
        self.segments = self._finished()

    def path(self, number: int) -> Path:
        """Where a segment's pictures lie."""
        return self.folder / f"{number:05d}.mp4"

    def held(self) -> Held | None:
        """The state after the last finished segment; None at the start."""
        if not self.segments:
            return None
        with np.load(self.folder / f"{self.segments[-1].number:05d}.npz", allow_pickle=False) as arrays:
            return Held(**{name: arrays[name] for name in ("frame", "first", "layer", "colours")})

    def finish(self, segment: Segment, held: Held | None) -> None:
        """Count a segment, whose pictures are whole: first its state, then the note that makes it count."""
        if held is not None:
            buffer = io.BytesIO()
            np.savez(buffer, frame=held.frame, first=held.first, layer=held.layer, colours=held.colours)
            write_bytes(buffer.getvalue(), self.folder / f"{segment.number:05d}.npz")
        write_bytes(json.dumps(asdict(segment)).encode(), self.folder / f"{segment.number:05d}.json")
        self.segments.append(segment)
        (self.folder / f"{segment.number - 1:05d}.npz").unlink(missing_ok=True)

    def remove(self) -> None:
        """Throw the parts away: the film is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _finished(self) -> list[Segment]:
        found: list[Segment] = []
        while (note := self.folder / f"{len(found):05d}.json").is_file():
            found.append(Segment(**json.loads(note.read_text())))
        return found
