"""The style code: what a style picture boils down to. A few KB of small tensors, made once, used for every photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from stylenet.errors import CodeError

CODE_NAMES = ("colour", "texture", "semantics")
COLOUR_SIZE = 12  # the mean of R, G, B and the 3x3 square root of their covariance, row by row


@dataclass(frozen=True, slots=True, eq=False)
class StyleCode:
    """One style, in the coordinates of one network.

    Args:
        colour: (12,) float32: mean colour (3) and square root of the colour covariance (9), in image units (-1..1).
        texture: (T,) float32: statistics and prototypes of levels 1-2; T depends on the network.
        semantics: (S,) float32: the same of levels 3 and deeper.

    Raises:
        CodeError: a part is not a finite one-dimensional float32 array.
    """

    colour: NDArray[np.float32]
    texture: NDArray[np.float32]
    semantics: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in CODE_NAMES:
            part = getattr(self, name)
            if part.dtype != np.float32 or part.ndim != 1:
                raise CodeError(f"style code: {name} is {part.dtype}{part.shape}; a code's parts are float32 and flat")
            if not np.isfinite(part).all():
                raise CodeError(f"style code: {name} holds NaN or infinity; encode the style picture again")
        if self.colour.shape != (COLOUR_SIZE,):
            raise CodeError(f"style code: colour has {self.colour.size} numbers; it must have {COLOUR_SIZE}")

    def parts(self) -> dict[str, NDArray[np.float32]]:
        """The parts by name."""
        return {name: getattr(self, name) for name in CODE_NAMES}

    def to_bytes(self) -> bytes:
        """The code as a safetensors file; the same code gives the same bytes."""
        return save_safetensors({name: np.ascontiguousarray(part) for name, part in self.parts().items()})

    @staticmethod
    def from_bytes(blob: bytes) -> "StyleCode":
        """Read what `to_bytes` wrote.

        Raises:
            CodeError: not a style code.
        """
        try:
            parts = load_safetensors(blob)
        except SafetensorError as error:
            raise CodeError(f"style code: not a safetensors file ({error}); encode the style picture again") from error
        if set(parts) != set(CODE_NAMES):
            raise CodeError(f"style code: holds {sorted(parts)}; it must hold {list(CODE_NAMES)}")
        return StyleCode(**parts)

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers alone."""
        return sum(part.nbytes for part in self.parts().values())


def mix(codes: Sequence[StyleCode], weights: Sequence[float] | None = None) -> StyleCode:
    """The weighted mean of several codes: several pictures make one style, or one style turns into another.

    Args:
        codes: one or more codes of the same network.
        weights: one non-negative weight per code, not all zero; equal ones by default. Only their ratio counts.

    Raises:
        CodeError: no codes, codes of different networks, or unusable weights.
    """
    if not codes:
        raise CodeError("nothing to mix: give at least one style code")
    shares = np.full(len(codes), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (len(codes),) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise CodeError(f"weights {weights!r} do not fit {len(codes)} codes; give one non-negative number for each")
    shares = shares / shares.sum()
    mixed = {}
    for name in CODE_NAMES:
        parts = [getattr(code, name) for code in codes]
        if len({part.shape for part in parts}) > 1:
            raise CodeError(f"style codes of different networks do not mix ({name}: {[part.size for part in parts]})")
        mixed[name] = sum(share * part.astype(np.float64) for share, part in zip(shares, parts, strict=True))
    return StyleCode(**{name: np.asarray(part, dtype=np.float32) for name, part in mixed.items()})
