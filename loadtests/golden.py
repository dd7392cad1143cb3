"""What a painting must look like: what the same request was answered when nobody else was there.

The service is deterministic, so under load the very bytes are expected to come back, and comparing a digest costs the
generator nothing. Where they differ (another kind of machine among the replicas, say), the pictures are compared.
"""

import hashlib
import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

_BLOCK_PX = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # Wang et al. 2004, for values of 0..255
_LOOK_PX = 128


@dataclass(frozen=True, slots=True)
class Golden:
    """An answer of the idle phase, and the digest of the model that gave it."""

    blob: bytes
    model_digest: str

    @property
    def sha256(self) -> bytes:
        """Of the answer's bytes."""
        return hashlib.sha256(self.blob).digest()


@dataclass(slots=True)
class Goldens:
    """The golden answers by the name of their shot.

    Args:
        min_ssim: least likeness to them.
    """

    min_ssim: float
    answers: dict[str, Golden] = field(default_factory=dict)
    _digests: dict[str, bytes] = field(default_factory=dict)

    def add(self, shot: str, golden: Golden) -> None:
        """Hold later answers to this shot against this one."""
        self.answers[shot], self._digests[shot] = golden, golden.sha256

    def is_same(self, shot: str, blob: bytes) -> bool:
        """Whether these very bytes were answered when idle."""
        return shot in self._digests and hashlib.sha256(blob).digest() == self._digests[shot]

    def likeness(self, shot: str, blob: bytes, model_digest: str) -> float | None:
        """How like the idle answer it is, -1 to 1; None where there is none by the same model."""
        golden = self.answers.get(shot)
        if golden is None or golden.model_digest != model_digest:
            return None
        return ssim(_pixels(golden.blob), _pixels(blob))


def ssim(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Structural similarity (Wang et al. 2004) of two pictures (H, W, 3) of 0..255, -1 to 1.

    Blocks of 8x8 pixels that do not overlap stand in for its sliding window: a sixtieth of the work.

    Raises:
        ValueError: pictures of two sizes.
    """
    if one.shape != other.shape:
        raise ValueError(f"pictures of {one.shape[1]}x{one.shape[0]} and {other.shape[1]}x{other.shape[0]} pixels")
    a, b = _blocks(one), _blocks(other)
    mean_a, mean_b = a.mean(axis=-1), b.mean(axis=-1)
    var_a, var_b = a.var(axis=-1), b.var(axis=-1)
    cov = ((a - mean_a[..., None]) * (b - mean_b[..., None])).mean(axis=-1)
    likeness = (2 * mean_a * mean_b + _C1) * (2 * cov + _C2)
    return float((likeness / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))).mean())


def structure_kept(photo: bytes, painting: bytes) -> float:
    """Whether the painting shows the photograph: correlation of their outlines, -1 to 1; 0 of a flat picture."""
    one, other = _outlines(photo), _outlines(painting)
    if not one.std() or not other.std():
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _pixels(blob: bytes) -> NDArray[np.float64]:
    with Image.open(io.BytesIO(blob)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.float64)


def _blocks(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, columns, 3, 64); a margin that fills no block is left out."""
    size = min(_BLOCK_PX, *picture.shape[:2])
    rows, columns = picture.shape[0] // size, picture.shape[1] // size
    whole = picture[: rows * size, : columns * size].reshape(rows, size, columns, size, 3)
    return whole.transpose(0, 2, 4, 1, 3).reshape(rows, columns, 3, size * size)


def _outlines(blob: bytes) -> NDArray[np.float64]:
    with Image.open(io.BytesIO(blob)) as picture:
        small = picture.convert("L").resize((_LOOK_PX, _LOOK_PX)).filter(ImageFilter.GaussianBlur(1.5))
    down, across = np.gradient(np.asarray(small, dtype=np.float64))
    return np.hypot(down, across)
