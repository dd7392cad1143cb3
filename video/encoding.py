"""From painted frames to a film file: segments first, each whole by itself, then one file of all with sound.

Segments are joined without encoding again. They hold no B-frames, so that a packet's time is its frame's time.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from stylenet.images import Pixels
from video.decoding import Film
from video.errors import UnsupportedVideo

SUFFIXES = (".mp4", ".mov", ".mkv")
DEFAULT_QUALITY = 18  # x264's constant rate factor: visually near lossless


class SegmentWriter:
    """Encodes some frames of a film, one after the other.

    Args:
        path: where the segment goes.
        film: whose size, rate and colours it takes over.
        start_pts: of its first frame; the segment itself begins at 0.
        quality: x264's constant rate factor, 0 (lossless) to 51.
    """

    def __init__(self, path: Path, film: Film, start_pts: int, *, quality: int = DEFAULT_QUALITY) -> None:
        import av

        self._film, self._start = film, start_pts
        self._container = av.open(str(path), "w", format="mp4")
        stream: Any = self._container.add_stream("libx264", rate=film.rate)
        stream.width, stream.height = film.width, film.height
        # 4:2:0 halves the chroma; a film of odd size has no half
        stream.pix_fmt = "yuv420p" if film.width % 2 == film.height % 2 == 0 else "yuv444p"
        context = stream.codec_context
        context.time_base = film.time_base
        context.sample_aspect_ratio = film.aspect
        context.options = {"crf": str(quality), "bf": "0"}
        film.colours.tag(context)
        self._stream = stream

    def write(self, pixels: Pixels, pts: int) -> None:
        """Add one frame: uint8 (H, W, 3), shown at `pts` of the film."""
        import av

        frame = self._film.colours.from_rgb(av.VideoFrame.from_ndarray(pixels, format="rgb24"), self._stream.pix_fmt)
        frame.pts, frame.time_base = pts - self._start, self._film.time_base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def check_target(path: Path) -> None:
    """Raise UnsupportedVideo unless a film can be written under this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise UnsupportedVideo(
            f"{path}: cannot write {path.suffix or 'a film without a suffix'}; use {', '.join(SUFFIXES)}"
        )


def join(film: Film, segments: Sequence[tuple[Path, int]], target: Path) -> None:
    """All segments and the film's own sound in one file: written aside, then renamed.

    The sound is copied as it is where the format can hold it, and else encoded as AAC.

    Args:
        film: where the sound comes from.
        segments: each with the `pts` of its first frame, in order.
        target: .mp4, .mov or .mkv.
    """
    import av

    with written_aside(target) as aside, av.open(str(aside), "w", options=_muxer_options(target)) as out:
        with av.open(str(segments[0][0])) as first:
            pictures = out.add_stream_from_template(first.streams.video[0])
        pictures.time_base = film.time_base
        sound = _Sound(film, out) if film.has_sound else None
        for packet in _picture_packets(film, segments):
            shown_s = packet.pts * film.time_base
            if sound is not None:
                sound.copy_until(shown_s)
            packet.stream = pictures
            out.mux(packet)
        if sound is not None:
            sound.copy_until(None)


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """A file to write, which takes the place of `target` if the body succeeds and vanishes if it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=target.suffix)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        os.chmod(aside, 0o644)
        os.replace(aside, target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


class _Sound:
    """The film's audio on its way into the new file, packet by packet, so that pictures and sound lie side by side."""

    def __init__(self, film: Film, out: Any) -> None:
        import av

        self._container = av.open(str(film.path))
        self._source = self._container.streams.audio[0]
        self._out = out
        codec = self._source.codec_context.name
        self._is_copied = codec in out.supported_codecs or codec == "aac"
        if self._is_copied:
            self._stream = out.add_stream_from_template(self._source)
        else:
            self._stream = out.add_stream("aac", rate=self._source.rate)
        self._packets = self._readable(av)
        self._waiting: Any = None

    def copy_until(self, second: Fraction | None) -> None:
        """Pass on everything that is heard up to `second`; all that is left, and close, where None."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = None
            if packet is None:
                break
            if second is not None and packet.pts is not None and packet.pts * packet.time_base > second:
                self._waiting = packet
                return
            self._pass_on(packet)
        if second is None:
            if not self._is_copied:
                self._out.mux(self._stream.encode(None))
            self._container.close()

    def _pass_on(self, packet: Any) -> None:
        if self._is_copied:
            if packet.dts is not None:
                packet.stream = self._stream
                self._out.mux(packet)
            return
        for frame in packet.decode():
            self._out.mux(self._stream.encode(frame))

    def _readable(self, av: Any) -> Iterator[Any]:
        """Sound that is cut short ends early; the pictures go on."""
        with suppress(av.error.FFmpegError):
            yield from self._container.demux(self._source)


def _picture_packets(film: Film, segments: Sequence[tuple[Path, int]]) -> Iterator[Any]:
    import av

    for path, start_pts in segments:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            packets: Iterator[Any] = container.demux(stream)
            for packet in packets:
                if packet.dts is None:
                    continue
                packet.pts = start_pts + round(packet.pts * packet.time_base / film.time_base)
                packet.dts = packet.pts
                packet.duration = round((packet.duration or 0) * packet.time_base / film.time_base)
                packet.time_base = film.time_base
                yield packet


def _muxer_options(target: Path) -> dict[str, str]:
    """The index in front, so that a film plays while it loads."""
    return {"movflags": "+faststart"} if target.suffix.lower() in (".mp4", ".mov") else {}
