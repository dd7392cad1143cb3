"""Films for tests, made with PyAV: a camera that pans over a drawn scene, and whatever else a film can be."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stylenet.images import Pixels

LIMITED, FULL, BT709 = 1, 2, 1
EXACT = 4 | 8192 | 262144  # libswscale: bicubic, chroma at every pixel, exact rounding


def scene(seed: int = 0, height: int = 96, width: int = 256) -> Pixels:
    """A smooth texture with something to see at every place: uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    tint = rng.uniform(60, 190, 3)
    waves: NDArray[np.float64] = np.zeros((height, width, 3))
    for _ in range(12):
        y, x, phase = rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35), rng.uniform(0, 6.3, 3)
        waves += np.sin((y * rows + x * columns)[:, :, None] + phase)
    return np.clip(tint + 14 * waves, 0, 255).astype(np.uint8)


def pan(frames: int, *, seed: int = 0, step_px: int = 3, size: tuple[int, int] = (64, 96)) -> list[Pixels]:
    """A camera that moves to the right by `step_px` a frame."""
    height, width = size
    wide = scene(seed, height, width + step_px * frames)
    return [wide[:, i * step_px : i * step_px + width].copy() for i in range(frames)]


def write_film(
    path: Path,
    frames: list[Pixels],
    *,
    pts_ms: list[int] | None = None,
    pixel_format: str = "yuv420p",
    color_range: int = LIMITED,
    curve: int = BT709,
    sound: bool = False,
    rotation: int = 0,
) -> Path:
    """Write frames as H.264, 25 a second unless `pts_ms` says when, in BT.709."""
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.options = {"crf": "10"}
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = color_range, 1, 1, curve
        if rotation:
            stream.set_display_rotation(rotation)
        audio = out.add_stream("aac", rate=16000, layout="mono") if sound else None
        for place, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(
                format=pixel_format,
                src_color_range=FULL,
                dst_colorspace=BT709,
                dst_color_range=color_range,
                interpolation=EXACT,
            )
            frame.pts, frame.time_base = pts_ms[place] if pts_ms else 40 * place, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if audio is not None:
            _sing(out, audio, seconds=len(frames) / 25)
    return path


def read_film(path: Path) -> tuple[list[Pixels], list[float], Any]:
    """(frames as RGB, their times in seconds, what the first decoded frame said of itself)."""
    import av

    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    pictures = [
        frame.reformat(
            format="rgb24",
            src_colorspace=BT709,
            src_color_range=frame.color_range or LIMITED,
            dst_color_range=FULL,
            interpolation=EXACT,
        ).to_ndarray()
        for frame in decoded
    ]
    return pictures, [float(frame.time) for frame in decoded], decoded[0]


def sound_packets(path: Path) -> list[bytes]:
    """The compressed sound of a film."""
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def _sing(out: Any, stream: Any, seconds: float) -> None:
    import av

    samples = np.arange(int(16000 * seconds))
    tone = (8000 * np.sin(samples * 0.2)).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
    frame.sample_rate, frame.pts = 16000, 0
    out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
