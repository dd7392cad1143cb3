"""One film, from its file to its painting: the main path of this folder."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from registry.errors import StoreError
from registry.locks import exclusive
from runtime.engine import Engine
from runtime.package import file_digest
from stylenet.dials import Dials
from video.coherence import KEPT_SHARE, STRONGEST_GAIN, FilmPainter
from video.costs import STEPS, Costs
from video.decoding import Damage, Film, FilmFrame, probe, read_frames
from video.encoding import DEFAULT_QUALITY, SegmentWriter, check_target, join, written_aside
from video.errors import FilmBusy, UnreadableVideo
from video.segments import Parts, Segment
from video.style_keys import StyleTrack

SEGMENT_FRAMES = 48
"""After so many frames the work is kept; a killed run loses at most that."""


class Progress(Protocol):
    """Told after every frame: frames done, frames in all (as far as the file says; 0 unknown), shot cuts so far."""

    def __call__(self, done: int, total: int, cuts: int) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Painted:
    """What became of a film.

    Args:
        film: what it was.
        target: the painting.
        frames, shots: how many.
        resumed: frames that an earlier, interrupted run had painted.
        per_frame_ms: milliseconds a frame by step, over all runs.
        damage: what could not be read.
    """

    film: Film
    target: Path
    frames: int
    shots: int
    resumed: int
    per_frame_ms: dict[str, float]
    damage: Damage


def paint_film(
    source: Path,
    target: Path,
    engine: Engine,
    styles: StyleTrack,
    dials: Dials,
    *,
    quality: int = DEFAULT_QUALITY,
    segment_frames: int = SEGMENT_FRAMES,
    progress: Progress = lambda done, total, cuts: None,
) -> Painted:
    """Paint a film. Run again after an interruption, it goes on, and the result is the same to the byte.

    Args:
        source: a film in any format that FFmpeg reads.
        target: .mp4, .mov or .mkv; an older file there is replaced once the new one is whole.
        styles: the style of every moment, in seconds from the first frame.
        quality: x264's constant rate factor, 0..51, smaller is better.
        segment_frames: how often the work is kept.

    Raises:
        UnreadableVideo, NoVideoStream, UnsupportedVideo: see `probe` and `check_target`.
        FilmBusy: another process paints into this target.
    """
    check_target(target)
    film = probe(source)
    folder = target.with_name(f"{target.name}.parts")
    try:
        with exclusive(_lock_of(target), timeout_s=0):
            parts = Parts(folder, _order(film, engine, styles, dials, quality, segment_frames))
            resumed = sum(segment.frames for segment in parts.segments)
            damage = Damage()
            _paint_segments(film, parts, engine, styles, dials, quality, segment_frames, damage, progress)
            if not parts.segments:
                raise UnreadableVideo(f"{source}: not one frame could be painted; the file is damaged, export it again")
            join(film, [(parts.path(s.number), s.start_pts) for s in parts.segments], target)
            parts.remove()
            return _summary(film, target, parts.segments, resumed, damage)
    except StoreError as error:
        raise FilmBusy(f"{target}: {error}") from error


def _lock_of(target: Path) -> Path:
    """Not beside the target, where it would have to stay: who removes a lock lets two hold it."""
    name = hashlib.sha256(os.fsencode(target.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"pentimento-{os.getuid()}" / f"film-{name}.lock"


def _paint_segments(
    film: Film,
    parts: Parts,
    engine: Engine,
    styles: StyleTrack,
    dials: Dials,
    quality: int,
    segment_frames: int,
    damage: Damage,
    progress: Progress,
) -> None:
    costs = Costs()
    painter = FilmPainter(engine, dials, held=parts.held(), costs=costs)
    frames = _timed(read_frames(film, damage), costs)
    first_pts = parts.segments[0].start_pts if parts.segments else None
    done = 0
    cuts = sum(segment.cuts for segment in parts.segments)
    for segment in parts.segments:  # decoded again, for that is exact in every format, and cheap beside painting
        for _ in range(segment.frames):
            next(frames, None)
        done += segment.frames
    costs.seconds.update(dict.fromkeys(STEPS, 0.0))
    while (frame := next(frames, None)) is not None:
        number, start = len(parts.segments), frame.pts
        first_pts = start if first_pts is None else first_pts
        before, painter.cuts = cuts, 0
        with written_aside(parts.path(number)) as aside:
            writer = SegmentWriter(aside, film, start, quality=quality)
            for count in range(1, segment_frames + 1):
                code = styles.at(float((frame.pts - first_pts) * film.time_base))
                painting = painter.paint(frame.pixels, code)
                with costs.timed("encode"):
                    writer.write(painting, frame.pts)
                last = frame.pts
                progress(done + count, film.frames, before + painter.cuts)
                following = next(frames, None) if count < segment_frames else None
                if following is None:
                    break
                frame = following
            with costs.timed("encode"):
                writer.close()
        done, cuts = done + count, before + painter.cuts
        spent = {step: round(seconds, 6) for step, seconds in costs.seconds.items()}
        costs.seconds.update(dict.fromkeys(STEPS, 0.0))
        parts.finish(
            Segment(number=number, start_pts=start, last_pts=last, frames=count, cuts=painter.cuts, seconds=spent),
            painter.held,
        )


def _timed(frames: Iterator[FilmFrame], costs: Costs) -> Iterator[FilmFrame]:
    while True:
        with costs.timed("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _order(film: Film, engine: Engine, styles: StyleTrack, dials: Dials, quality: int, segment_frames: int) -> str:
    """The digest of everything that decides the painting's bytes."""
    settings = {
        "source": file_digest(film.path),
        "package": engine.package.digest,
        "engine": [engine.name, engine.precision],
        "styles": hashlib.sha256(styles.as_bytes()).hexdigest(),
        "dials": dials.as_dict(),
        "coherence": [KEPT_SHARE, STRONGEST_GAIN],
        "encoding": [quality, segment_frames],
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _summary(film: Film, target: Path, segments: list[Segment], resumed: int, damage: Damage) -> Painted:
    frames = sum(segment.frames for segment in segments)
    costs = Costs()
    for segment in segments:
        for step, seconds in segment.seconds.items():
            costs.seconds[step] += seconds
    return Painted(
        film=film,
        target=target,
        frames=frames,
        shots=1 + sum(segment.cuts for segment in segments),
        resumed=resumed,
        per_frame_ms=costs.per_frame_ms(frames),
        damage=damage,
    )
