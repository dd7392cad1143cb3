"""What all engines share: checks at the door, strength 0 as the identity, masks, and the golden check."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runtime.engine import Engine
from runtime.errors import GoldenMismatch
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.errors import CodeError, PictureError, PictureTooLarge, PictureTooSmall
from stylenet.images import Pixels, check_pixels
from stylenet.ledger import ContentStatistics
from stylenet.pictures import MAX_PIXELS, MIN_SIDE_PX, read_picture

GOLDEN_PSNR_DB = 32.0
"""The shipped packages reach 47 and 54 dB in bfloat16 against their float32 golden pictures; each other's, 14 dB."""


def check_picture(pixels: Pixels) -> None:
    """Raise PictureError unless an engine can take these pixels."""
    check_pixels(pixels)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise PictureTooSmall(f"the picture is {width}x{height}; each side must have at least {MIN_SIDE_PX} pixels")
    if height * width > MAX_PIXELS:
        raise PictureTooLarge(f"the picture is {width}x{height}; at most {MAX_PIXELS:,} pixels are accepted")


def check_mask(mask: NDArray[np.float32], pixels: Pixels) -> None:
    """Raise PictureError unless the mask fits the picture."""
    if mask.shape != pixels.shape[:2] or not np.isfinite(mask).all() or mask.min() < 0 or mask.max() > 1:
        height, width = pixels.shape[:2]
        raise PictureError(f"the mask must be {width}x{height} like the picture, with values from 0 to 1")


def check_order(
    pixels: Pixels, code: StyleCode, mask: NDArray[np.float32] | None, *, sizes: dict[str, int], digest: str
) -> None:
    """Raise PictureError or CodeError unless `stylize` can be done: the one door of every engine.

    Args:
        sizes: numbers per part of this network's code.
        digest: of the package, for the message.
    """
    check_picture(pixels)
    check_code(code, sizes, digest)
    if mask is not None:
        check_mask(mask, pixels)


def confine(painted: Pixels, photograph: Pixels, mask: NDArray[np.float32]) -> Pixels:
    """The painting where the mask is 1, the photograph, bit for bit, where it is 0."""
    share = mask[:, :, None].astype(np.float32)
    blended = photograph + share * (painted.astype(np.float32) - photograph.astype(np.float32))
    return np.clip(np.rint(blended), 0, 255).astype(np.uint8)


def check_code(code: StyleCode, sizes: dict[str, int], digest: str) -> None:
    """Raise CodeError unless the code was made by a network of this shape."""
    for name, part in code.parts().items():
        if part.size != sizes[name]:
            raise CodeError(
                f"this style code has {part.size} {name} numbers, package {digest[:12]} takes {sizes[name]}; "
                "encode the style picture with this package"
            )


def check_statistics(statistics: ContentStatistics, size: int, digest: str) -> None:
    """Raise CodeError unless the statistics were measured by a network of this shape."""
    if statistics.values.size != size:
        raise CodeError(
            f"these content statistics hold {statistics.values.size} numbers, package {digest[:12]} takes {size}; "
            "measure the picture with this package"
        )


def check_batch(pixels: Sequence[Pixels], codes: Sequence[StyleCode], dials: Sequence[Dials]) -> None:
    """Raise PictureError unless these make one batch."""
    if not len(pixels) == len(codes) == len(dials):
        raise PictureError(
            f"{len(pixels)} pictures, {len(codes)} codes and {len(dials)} dials make no batch; give one of each"
        )
    sizes = {picture.shape for picture in pixels}
    if len(sizes) > 1:
        raise PictureError(f"a batch has pictures of one size, not of {len(sizes)}; paint them size by size")


def psnr_db(one: Pixels, other: Pixels) -> float:
    """Peak signal-to-noise ratio between two pictures of one size; infinite where they are the same."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def check_golden(engine: Engine) -> None:
    """Paint the package's golden input and compare with its golden output.

    Raises:
        GoldenMismatch: they differ by more than rounding.
    """
    package = engine.package
    code = engine.encode_style(read_picture(package.path("golden/style.png")))
    painted = engine.stylize(read_picture(package.path("golden/input.png")), code, GOLDEN_DIALS)
    expected = read_picture(package.path("golden/output.png"))
    likeness = psnr_db(painted, expected) if painted.shape == expected.shape else 0.0
    if not likeness >= GOLDEN_PSNR_DB:
        raise GoldenMismatch(
            f"{package.folder}: the {engine.name} engine ({engine.precision}) does not paint golden/output.png "
            f"({likeness:.1f} dB, needed {GOLDEN_PSNR_DB:.0f}); try --engine torch, or export the package again"
        )


GOLDEN_DIALS = Dials(strength=1.0, fidelity=0.5)
