"""Files and bytes <-> pixels: bounded decoding of what users send, and writing that never leaves half a file."""

import io
import os
import struct
import tempfile
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from stylenet.errors import PictureTooLarge, PictureTooSmall, UnreadablePicture, UnsupportedPicture
from stylenet.images import Pixels, check_pixels

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
MAX_PIXELS = 2048 * 2048
MAX_BYTES = 64 * 2**20
MIN_SIDE_PX = 16
PictureFormat = Literal["png", "jpeg", "webp"]
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def read_picture(
    source: str | os.PathLike[str] | bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    min_side_px: int = MIN_SIDE_PX,
    max_bytes: int = MAX_BYTES,
) -> Pixels:
    """Decode one picture, upright and in sRGB, whatever it is stored as.

    EXIF rotation is applied; grey, palette, CMYK and 16-bit pictures become 8-bit RGB; transparency is laid on white;
    an embedded colour profile is converted to sRGB. Sizes are checked on the header, before any pixel is decoded.

    Args:
        source: a path, or the file's bytes.
        max_pixels: most pixels (width x height) that are accepted.
        min_side_px: shortest side that is accepted.
        max_bytes: most bytes of file that are read.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        UnreadablePicture: missing, empty, truncated, or no picture.
        UnsupportedPicture: a picture, but not PNG, JPEG, WebP, TIFF or BMP.
        PictureTooLarge: more than `max_bytes` or `max_pixels`.
        PictureTooSmall: a side below `min_side_px`.
    """
    name, blob = ("the picture", source) if isinstance(source, bytes) else (str(source), _read_bytes(source, max_bytes))
    if len(blob) > max_bytes:
        raise PictureTooLarge(f"{name}: more than {max_bytes:,} bytes; send a smaller file")
    if not blob:
        raise UnreadablePicture(f"{name} is empty (0 bytes); choose a picture file")
    if blob[:8] == _PNG_SIGNATURE and blob[12:16] == b"IHDR" and len(blob) >= 24:
        # A PNG cut off right after its header tells its size, but Pillow does not take it for a picture at all.
        width, height = struct.unpack(">II", blob[16:24])
        _check_size(name, (width, height), max_pixels, min_side_px)
    # Pillow's own bomb guard is a warning at one size and an error at twice that; ours below is exact and comes first.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(blob), formats=list(FORMATS)) as picture:
                _check_size(name, picture.size, max_pixels, min_side_px)
                picture.load()
                return _upright_rgb(picture)
        except (PictureTooLarge, PictureTooSmall):
            raise
        except Image.DecompressionBombError as error:
            raise PictureTooLarge(f"{name}: {error}; send at most {max_pixels:,} pixels") from error
        except UnidentifiedImageError as error:
            raise _unidentified(name, blob) from error
        except MemoryError:
            raise
        except Exception as error:  # a decoder fed hostile bytes raises nearly anything: SyntaxError, struct.error, ...
            raise UnreadablePicture(f"{name} is broken or cut short ({error}); export it again") from error


def encode_picture(pixels: Pixels, picture_format: PictureFormat = "png", *, quality: int = 92) -> bytes:
    """Pixels as a file's bytes, without metadata.

    Args:
        pixels: uint8 (H, W, 3), RGB.
        picture_format: "png" (lossless), "jpeg" or "webp".
        quality: 1..100, for jpeg and webp.

    Raises:
        PictureError: not uint8 (H, W, 3).
        UnsupportedPicture: an unknown format.
    """
    check_pixels(pixels)
    settings: dict[str, dict[str, object]] = {
        "png": {"compress_level": 3},  # fast: a service compresses for every request
        "jpeg": {"quality": quality, "subsampling": 0},  # full chroma: strokes are colour edges
        "webp": {"quality": quality, "method": 2},
    }
    if picture_format not in settings:
        raise UnsupportedPicture(f"cannot write {picture_format!r}; choose one of {', '.join(settings)}")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=picture_format.upper(), **settings[picture_format])
    return buffer.getvalue()


def write_picture(pixels: Pixels, path: str | os.PathLike[str], *, quality: int = 92) -> None:
    """Write pixels to `path` in the format of its suffix: aside first, then renamed, so that no half file is ever seen.

    Raises:
        UnsupportedPicture: the suffix is none of .png, .jpg, .jpeg, .webp.
    """
    target = Path(path)
    formats: dict[str, PictureFormat] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
    picture_format = formats.get(target.suffix.lower())
    if picture_format is None:
        raise UnsupportedPicture(f"{target}: cannot write {target.suffix!r}; use one of {', '.join(formats)}")
    write_bytes(encode_picture(pixels, picture_format, quality=quality), target)


def write_bytes(blob: bytes, path: Path) -> None:
    """Write a whole file or none: into a temporary name in the same folder, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(blob)
        os.chmod(aside, 0o644)  # mkstemp's 0600 would hide a shared output folder from its other readers
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def resize_short_side(pixels: Pixels, short_side_px: int) -> Pixels:
    """The same picture with its short side at `short_side_px`, its own aspect kept (Lanczos)."""
    height, width = pixels.shape[:2]
    if min(height, width) == short_side_px:
        return pixels
    scale = short_side_px / min(height, width)
    size = (max(short_side_px, round(width * scale)), max(short_side_px, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _read_bytes(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as error:
        raise UnreadablePicture(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _check_size(name: str, size: tuple[int, int], max_pixels: int, min_side_px: int) -> None:
    width, height = size
    if width * height > max_pixels:
        side = int(max_pixels**0.5)
        raise PictureTooLarge(
            f"{name} is {width}x{height}, {width * height:,} pixels; "
            f"at most {max_pixels:,} are accepted (for example {side}x{side}): make it smaller"
        )
    if min(width, height) < min_side_px:
        raise PictureTooSmall(f"{name} is {width}x{height}; each side must have at least {min_side_px} pixels")


def _unidentified(name: str, blob: bytes) -> UnreadablePicture | UnsupportedPicture:
    """Tell a picture in a format that we do not open from something that is no picture."""
    known = (b"GIF8", b"\x00\x00\x01\x00", b"8BPS", b"P6", b"P5", b"qoif", b"\x00\x00\x00\x0cjP  ")
    is_other_format = blob.startswith(known) or blob[4:12] in (b"ftypheic", b"ftypavif", b"ftypmif1")
    if is_other_format:
        return UnsupportedPicture(f"{name} is in a format that is not accepted; use one of {', '.join(FORMATS)}")
    return UnreadablePicture(f"{name} is not a picture; use one of {', '.join(FORMATS)}")


def _upright_rgb(picture: Image.Image) -> Pixels:
    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        return _grey_16_bit(upright)
    if profile and upright.mode in ("RGB", "CMYK", "L"):
        upright = _to_srgb(upright, profile)
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(paper, rgba)
    return np.ascontiguousarray(np.asarray(upright.convert("RGB")))


def _grey_16_bit(picture: Image.Image) -> Pixels:
    """16-bit grey (Pillow's I;16, I and F) to 8 bits: `convert` would clip at 255 instead of scaling."""
    values = np.asarray(picture).astype(np.float64)
    top = 1.0 if picture.mode == "F" and values.max(initial=0) <= 1.0 else 65535.0
    levels = np.clip(np.round(values / top * 255), 0, 255).astype(np.uint8)
    return np.repeat(levels[:, :, None], 3, axis=2)


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Through the embedded profile; one that is broken or of another colour space is ignored, as viewers do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if converted is None else converted
