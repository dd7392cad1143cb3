"""Pictures at the door: every kind of file becomes upright 8-bit RGB, or is refused with the right error."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from stylenet.errors import PictureError, PictureTooLarge, PictureTooSmall, UnreadablePicture, UnsupportedPicture
from stylenet.images import Pixels, to_image, to_pixels
from stylenet.pictures import encode_picture, read_picture, resize_short_side, write_picture


def saved(picture: Image.Image, picture_format: str = "PNG", **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, picture_format, **settings)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_pixels_survive_the_round_trip_through_an_image_exactly():
    every_level = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(to_pixels(to_image(every_level)), every_level)


def test_an_image_runs_from_minus_one_to_one(photo: Pixels):
    image = to_image(photo)
    assert image.shape == (1, 3, 96, 128)
    assert float(image.min()) >= -1
    assert float(image.max()) <= 1


@given(st.integers(16, 40), st.integers(16, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_png_is_lossless_at_any_size(height: int, width: int, seed: int):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_picture(encode_picture(pixels, "png")), pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "CMYK", "1", "I;16"])
def test_every_mode_becomes_eight_bit_rgb(photo: Pixels, mode: str):
    if mode == "I;16":
        picture = Image.fromarray(photo[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(photo).convert(mode)
    pixels = read_picture(saved(picture, "TIFF"))
    assert pixels.dtype == np.uint8
    assert pixels.shape == photo.shape
    if mode in ("L", "RGB", "RGBA", "I;16"):
        expected = np.asarray(Image.fromarray(photo).convert("L" if mode == "L" else "RGB"))
        expected = expected if expected.ndim == 3 else expected[..., None].repeat(3, axis=2)
        reference = photo[..., :1].repeat(3, axis=2) if mode == "I;16" else expected
        np.testing.assert_allclose(pixels.astype(int), reference.astype(int), atol=1)


def test_transparency_lies_on_white():
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert read_picture(saved(clear)).min() == 255


def test_exif_rotation_is_applied(photo: Pixels):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    turned = read_picture(saved(Image.fromarray(photo), "PNG", exif=exif))
    np.testing.assert_array_equal(turned, np.rot90(photo, -1))


def test_a_broken_colour_profile_is_ignored(photo: Pixels):
    blob = saved(Image.fromarray(photo), "PNG", icc_profile=b"no profile at all")
    np.testing.assert_array_equal(read_picture(blob), photo)


@pytest.mark.parametrize(
    ("blob", "error"),
    [
        (b"", UnreadablePicture),
        (b"these are words, not a picture", UnreadablePicture),
        (png_header(30000, 30000), PictureTooLarge),
        (png_header(100, 100), UnreadablePicture),
        (saved(Image.new("RGB", (8, 200))), PictureTooSmall),
        (saved(Image.new("P", (64, 64)), "GIF"), UnsupportedPicture),
    ],
    ids=["empty", "text", "huge header", "header only", "narrow", "gif"],
)
def test_what_cannot_be_used_is_refused_with_its_own_error(blob: bytes, error: type[PictureError]):
    with pytest.raises(error):
        read_picture(blob)


def test_a_truncated_jpeg_is_unreadable_at_every_length(photo: Pixels):
    blob = encode_picture(photo, "jpeg")
    for length in range(1, len(blob) - 2, max(1, len(blob) // 40)):
        with pytest.raises(UnreadablePicture):
            read_picture(blob[:length])


def test_more_bytes_than_allowed_are_refused_before_decoding(photo: Pixels, tmp_path: Path):
    path = tmp_path / "photo.png"
    write_picture(photo, path)
    with pytest.raises(PictureTooLarge, match="more than 100 bytes"):
        read_picture(path, max_bytes=100)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(UnreadablePicture, match=r"nowhere\.jpg"):
        read_picture(tmp_path / "nowhere.jpg")


def test_writing_into_an_unknown_format_is_refused_and_leaves_nothing(photo: Pixels, tmp_path: Path):
    with pytest.raises(UnsupportedPicture, match=r"\.gif"):
        write_picture(photo, tmp_path / "out.gif")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_file_and_no_other(
    photo: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "out.png"
    write_picture(photo, path)
    before = path.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_picture(photo[:50], path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


def test_resizing_keeps_the_aspect(photo: Pixels):
    assert resize_short_side(photo, 48).shape == (48, 64, 3)
    assert resize_short_side(photo, 96) is photo
