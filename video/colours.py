"""A film's colours: which matrix and range turn its YUV into RGB and back, so that nothing shifts on the way."""

from dataclasses import dataclass
from typing import Any

from video.errors import UnsupportedVideo

LIMITED, FULL = 1, 2  # FFmpeg's AVCOL_RANGE_MPEG and _JPEG
_BT709, _UNSPECIFIED, _BT601 = 1, 2, 6  # FFmpeg's AVCOL_SPC_*
_MATRICES = {1: "BT.709", 4: "FCC", 5: "BT.470BG", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020"}
_HDR_CURVES = {16: "PQ (SMPTE 2084)", 18: "HLG (ARIB B67)"}
# libswscale's bicubic, with chroma at every pixel and exact rounding: without the last two, 8-bit 4:2:0 came back from
# RGB and back again 4 grey levels off on average and 1 too dark; with them 0.5 and 0.
_SCALER = 4 | 8192 | 262144
_HD_HEIGHT_PX = 720  # films that do not say: players take BT.709 from here on, BT.601 below


@dataclass(frozen=True, slots=True)
class Colours:
    """Args are FFmpeg's numbers.

    Args:
        matrix: which luma and chroma (AVCOL_SPC).
        color_range: whether black is 16 (LIMITED) or 0 (FULL).
        primaries, curve: which red, green and blue, and which gamma: passed on as they are.
    """

    matrix: int
    color_range: int
    primaries: int
    curve: int

    def to_rgb(self, frame: Any) -> Any:
        """A decoded frame as 8-bit full-range RGB, the same size."""
        return frame.reformat(
            format="rgb24",
            src_colorspace=_sws(self.matrix),
            src_color_range=self.color_range,
            dst_color_range=FULL,
            interpolation=_SCALER,
        )

    def from_rgb(self, frame: Any, pixel_format: str) -> Any:
        """Undo `to_rgb`, into `pixel_format`."""
        return frame.reformat(
            format=pixel_format,
            src_color_range=FULL,
            dst_colorspace=_sws(self.matrix),
            dst_color_range=self.color_range,
            interpolation=_SCALER,
        )

    def tag(self, context: Any) -> None:
        """Have an encoder say which colours it holds."""
        context.colorspace, context.color_range = self.matrix, self.color_range
        context.color_primaries, context.color_trc = self.primaries, self.curve


def colours_of(context: Any, name: str) -> Colours:
    """What a decoder's film says, with the players' convention where it says nothing.

    Raises:
        UnsupportedVideo: high dynamic range, which 8-bit pixels cannot hold.
    """
    if context.color_trc in _HDR_CURVES:
        raise UnsupportedVideo(
            f"{name} is in high dynamic range, {_HDR_CURVES[context.color_trc]}; paintings have 8 bits a channel: "
            "tone-map the film to SDR (BT.709) first"
        )
    matrix = context.colorspace
    if matrix not in _MATRICES:
        matrix = _BT709 if context.height >= _HD_HEIGHT_PX else _BT601
    color_range = FULL if context.color_range == FULL or str(context.pix_fmt).startswith("yuvj") else LIMITED
    return Colours(matrix, color_range, context.color_primaries, context.color_trc)


def _sws(matrix: int) -> int:
    """FFmpeg's number of a matrix as libswscale counts them: the two names of BT.601 are one."""
    return 5 if matrix == _BT601 else matrix
