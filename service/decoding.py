"""From uploaded files to pixels, in the threads beside the engine's lane."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.datastructures import UploadFile

from service.errors import UnusablePicture
from service.forms import peek_pixels, peek_size
from service.orders import StylizeOrder
from service.photos import PhotoShelf, reduced, reduced_size
from service.problems import as_refusal
from stylenet.errors import PictureError
from stylenet.images import Pixels
from stylenet.pictures import read_picture


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """An order's pictures.

    Args:
        photo: uint8 (H, W, 3), as it will be painted.
        photo_key: names the photograph.
        style: the client's own style picture; None where the order names styles of the library.
        style_key: the sha256 of its file.
        mask: float32 (H, W), 0..1; None for everywhere.
    """

    photo: Pixels
    photo_key: str
    style: Pixels | None
    style_key: str
    mask: NDArray[np.float32] | None


class Decoder:
    """Decodes what orders hold, within the limits.

    Args:
        photos: where photographs that were sent before are kept.
        max_pixels: most pixels of one picture.
    """

    def __init__(self, photos: PhotoShelf, max_pixels: int) -> None:
        self._photos = photos
        self._max_pixels = max_pixels

    def announced_pixels(self, order: StylizeOrder) -> int:
        """How many pixels the order will need, by the headers of its files; nothing is decoded.

        Raises:
            UnknownPhoto: the order names a photograph that is not kept.
        """
        if order.photo is not None:
            height, width = self._photos.get(order.photo).shape[:2]
        else:
            assert order.image is not None
            width, height = peek_size(order.image, self._max_pixels)
        if order.max_side_px is not None and width and height:
            width, height = reduced_size(width, height, order.max_side_px)
        style = 0 if order.style_image is None else peek_pixels(order.style_image, self._max_pixels)
        return width * height + style

    def order(self, order: StylizeOrder) -> Decoded:
        """Everything that an order holds.

        Raises:
            Refusal: a file that cannot be used; the field is named.
        """
        if order.photo is not None:
            whole, key = self._photos.get(order.photo), order.photo
            photo = self._photos.get(order.photo, order.max_side_px)
        else:
            assert order.image is not None
            whole, key = self.picture("image", order.image)
            photo = whole if order.max_side_px is None else reduced(whole, order.max_side_px)
        style, style_key = None, ""
        if order.style_image is not None:
            style, style_key = self.picture("style_image", order.style_image)
        mask = None if order.mask is None else self._mask(order.mask, whole.shape, photo.shape)
        return Decoded(photo, key, style, style_key, mask)

    def picture(self, field: str, upload: UploadFile) -> tuple[Pixels, str]:
        """A file's pixels, and the sha256 of its bytes.

        Raises:
            Refusal: it cannot be read, or is too large or too small; the field is named.
        """
        upload.file.seek(0)
        blob = upload.file.read()
        try:
            pixels = read_picture(blob, max_pixels=self._max_pixels)
        except PictureError as error:
            raise as_refusal(error, field=field) or error from error
        return pixels, hashlib.sha256(blob).hexdigest()

    def _mask(self, upload: UploadFile, whole: Sequence[int], painted: Sequence[int]) -> NDArray[np.float32]:
        """The mask as large as what is painted; it must be as large as the whole photograph."""
        grey = self.picture("mask", upload)[0].mean(axis=2, dtype=np.float32) / np.float32(255)
        if grey.shape != tuple(whole[:2]):
            raise UnusablePicture(
                f"mask: it is {grey.shape[1]}x{grey.shape[0]} and the picture {whole[1]}x{whole[0]} (upright); "
                "send a mask of exactly the picture's size",
                field="mask",
            )
        if grey.shape != tuple(painted[:2]):
            size = (painted[1], painted[0])
            grey = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX), dtype=np.float32)
        return np.ascontiguousarray(np.clip(grey, 0.0, 1.0), dtype=np.float32)
