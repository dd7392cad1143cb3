"""From a film file to upright RGB frames with their times, whatever it holds.

Frames come one at a time: a film of any length needs the memory of a few frames.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from stylenet.images import Pixels
from stylenet.pictures import MAX_PIXELS, MIN_SIDE_PX
from video.colours import Colours, colours_of
from video.errors import NoVideoStream, UnreadableVideo, UnsupportedVideo


@dataclass(frozen=True, kw_only=True, slots=True)
class Film:
    """What a film file says about itself.

    Args:
        path: the file.
        width, height: in pixels, upright.
        time_base: seconds per unit of `FilmFrame.pts`.
        rate: frames per second on average; single frames may come at any time.
        frames: how many, as far as the file says; 0 where it does not.
        colours: how its YUV is meant.
        aspect: width of a pixel by its height, upright.
        rotation: degrees, counter-clockwise, by which players turn the stored frames: 0, 90, 180 or -90.
        has_sound: whether there is an audio stream.
    """

    path: Path
    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    frames: int
    colours: Colours
    aspect: Fraction
    rotation: int
    has_sound: bool


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One frame.

    Args:
        pixels: uint8 (H, W, 3) RGB, upright.
        pts: when it is shown, in units of the film's `time_base`; each later than the one before.
    """

    pixels: Pixels
    pts: int


@dataclass(slots=True)
class Damage:
    """What decoding had to leave out or guess.

    Args:
        lost: packets that gave no frame, or gave one without a usable time.
        patched: frames that the decoder itself marked as repaired.
        cut_short: whether the file ends in the middle.
    """

    lost: int = 0
    patched: int = 0
    cut_short: bool = False


def probe(path: str | os.PathLike[str]) -> Film:
    """What the film is, found by decoding its first frame.

    Raises:
        UnreadableVideo: no file, an empty one, no film, or not one whole frame.
        NoVideoStream: no pictures in it.
        UnsupportedVideo: frames too large or too small to paint, or in high dynamic range.
    """
    source = Path(path)
    with _opened(source) as container:
        stream = _video_stream(container, source)
        frame = next(_decoded(container, stream, Damage()), None)
        if frame is None:
            raise UnreadableVideo(f"{source}: not one frame can be decoded; the file is damaged, export it again")
        rotation = round(getattr(frame, "rotation", 0) / 90) * 90
        width, height = (frame.width, frame.height) if rotation % 180 == 0 else (frame.height, frame.width)
        _check_size(source, width, height)
        aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
        return Film(
            path=source,
            width=width,
            height=height,
            time_base=Fraction(stream.time_base),
            rate=Fraction(stream.average_rate or stream.guessed_rate or 25),
            frames=stream.frames or _estimated_frames(container, stream),
            colours=colours_of(stream.codec_context, str(source)),
            aspect=aspect if rotation % 180 == 0 else 1 / aspect,
            rotation=rotation,
            has_sound=bool(container.streams.audio),
        )


def read_frames(film: Film, damage: Damage) -> Iterator[FilmFrame]:
    """Every frame in the order of showing.

    Damaged places do not stop it: what cannot be decoded is left out (the frame before stays up longer), and counted.

    Args:
        film: from `probe`.
        damage: counts what was met on the way.

    Raises:
        UnsupportedVideo: the frames change their size on the way.
    """
    shown_last: int | None = None
    with _opened(film.path) as container:
        stream = _video_stream(container, film.path)
        for frame in _decoded(container, stream, damage):
            if frame.pts is None or (shown_last is not None and frame.pts <= shown_last):
                damage.lost += 1
                continue
            damage.patched += bool(frame.is_corrupt)
            shown_last = frame.pts
            turned = np.rot90(film.colours.to_rgb(frame).to_ndarray(), film.rotation // 90)
            pixels = np.ascontiguousarray(turned)
            if pixels.shape[:2] != (film.height, film.width):
                raise UnsupportedVideo(
                    f"{film.path}: frames of {film.width}x{film.height} become {pixels.shape[1]}x{pixels.shape[0]} "
                    "on the way; cut the film where its size changes"
                )
            yield FilmFrame(pixels, frame.pts)


def _decoded(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """Frames as the decoder gives them; broken packets are passed over."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            damage.cut_short = True
            yield from _rest(stream)
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            damage.lost += 1
            continue
        damage.lost += bool(packet.is_corrupt)
        yield from frames


def _rest(stream: Any) -> Iterator[Any]:
    """What the decoder still holds: it runs a few frames behind."""
    import av

    with suppress(av.error.FFmpegError):
        yield from stream.codec_context.decode(None)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import av

    try:
        if path.stat().st_size == 0:
            raise UnreadableVideo(f"{path} is empty (0 bytes); choose a film")
        container = av.open(str(path))
    except OSError as error:  # PyAV's errors are OSErrors and ValueErrors of the same names
        reason = error.strerror or str(error)
        raise UnreadableVideo(f"{path}: cannot be read as a film ({reason}); choose another file") from error
    except ValueError as error:
        if isinstance(error, UnreadableVideo):
            raise
        raise UnreadableVideo(f"{path} is no film, or a broken one ({error}); export it again") from error
    with container:
        yield container


def _video_stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise NoVideoStream(f"{path} has no video stream (it holds: {kinds}); choose a film with pictures")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE_PX:
        raise UnsupportedVideo(
            f"{path} has frames of {width}x{height}; they may have {MIN_SIDE_PX} pixels a side up to {MAX_PIXELS:,} in "
            "all: scale the film first, for example to 1920x1080"
        )


def _estimated_frames(container: Any, stream: Any) -> int:
    rate = stream.average_rate or 0
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * rate)
    return round((container.duration or 0) / 1_000_000 * rate)
