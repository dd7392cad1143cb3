"""The look of a picture: the few numbers by which advice tells whether a style suits a photograph.

They come from the encoder that ships and never changes (`stylenet.perception`), not from the model that happens to be
promoted, so that a look is made once in a style's life.
Letters: C channels, B octave bands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stylenet.images import Pixels
from stylenet.pictures import resize_short_side

if TYPE_CHECKING:
    from stylenet.encoders import CompactEncoder

Numbers = NDArray[np.float32]
SIDE_PX = 256  # strokes are compared at the size at which a picture is taken in as a whole
LONGEST_PX = 1024
BAND_SIGMAS_PX = (1, 2, 4, 8, 16, 32)
_SIZES = (16, 128, 128, len(BAND_SIGMAS_PX) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One picture, or the mean of several.

    Args:
        colours: (16,) mean answer of the encoder's first filters (relu1_1): colours and their contrast.
        presence: (128,) mean of each channel at relu3_1 and relu3_4: which forms there are.
        spread: (128,) deviation of the same channels: how unevenly they lie.
        bands: (B,) deviation of the lightness in octave bands, finest first: how large the strokes are.
    """

    colours: Numbers
    presence: Numbers
    spread: Numbers
    bands: Numbers

    def to_bytes(self) -> bytes:
        """All numbers, little-endian."""
        flat = np.concatenate([self.colours, self.presence, self.spread, self.bands])
        return flat.astype("<f4").tobytes()

    @staticmethod
    def from_bytes(blob: bytes) -> "Look | None":
        """Undo `to_bytes`; None where that is no look."""
        if len(blob) != 4 * sum(_SIZES):
            return None
        flat = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        return Look(*np.split(flat, np.cumsum(_SIZES)[:-1])) if np.isfinite(flat).all() else None


def look_kind() -> str:
    """Names how looks are made; another encoder or another recipe makes another kind."""
    from stylenet.perception import COMPACT_ENCODER

    return f"1-{COMPACT_ENCODER.sha256[:16]}"


def look_at(pictures: Sequence[Pixels]) -> Look:
    """The mean look of one or several pictures.

    Args:
        pictures: uint8 (H, W, 3) each.

    Raises:
        WeightsError: the encoder is not in this installation (from `stylenet`).
    """
    looks = [_look(pixels) for pixels in pictures]
    parts = ("colours", "presence", "spread", "bands")
    means = [np.mean([getattr(look, part) for look in looks], axis=0) for part in parts]
    return Look(*(np.asarray(mean, dtype=np.float32) for mean in means))


def _look(pixels: Pixels) -> Look:
    import torch

    from stylenet.images import to_image
    from stylenet.statistics import mean_std

    small = resize_short_side(pixels, SIDE_PX)[:LONGEST_PX, :LONGEST_PX]
    with torch.inference_mode():
        features = _encoder()(to_image(small))
        statistics = {tap: [x.flatten().numpy() for x in mean_std(features[tap])] for tap in features}
    deep = [statistics[tap] for tap in ("relu3_1", "relu3_4")]
    return Look(
        colours=statistics["relu1_1"][0],
        presence=np.concatenate([mean for mean, _ in deep]),
        spread=np.concatenate([std for _, std in deep]),
        bands=_octave_bands(small),
    )


def _octave_bands(pixels: Pixels) -> Numbers:
    from scipy.ndimage import gaussian_filter
    from skimage.color import rgb2lab

    coarser = rgb2lab(pixels)[:, :, 0].astype(np.float32)
    bands = []
    for sigma_px in BAND_SIGMAS_PX:
        finer, coarser = coarser, gaussian_filter(coarser, sigma_px)
        bands.append(float((finer - coarser).std()))
    return np.asarray([*bands, float(coarser.std())], dtype=np.float32)


@cache
def _encoder() -> "CompactEncoder":
    from stylenet.perception import load_compact_encoder

    return load_compact_encoder().requires_grad_(False).eval()
