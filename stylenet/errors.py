"""What can go wrong in `stylenet`.

StylenetError
├── ConfigError          a setting that cannot work
├── DialError            a dial out of range                        (HTTP 422)
├── CodeError            a style code that does not fit the network
├── WeightsError         weights missing, altered or of another network
└── PictureError
    ├── UnreadablePicture    not a picture, truncated or empty      (HTTP 400)
    ├── PictureTooLarge      more pixels or bytes than allowed      (HTTP 413)
    ├── PictureTooSmall      a side below the network's minimum     (HTTP 422)
    └── UnsupportedPicture   a picture in a format we do not open   (HTTP 415)
"""


class StylenetError(ValueError):
    """Base of everything that `stylenet` raises on purpose. The message names the cure."""


class ConfigError(StylenetError):
    """A setting that cannot work. The message names a value that can."""


class DialError(StylenetError):
    """A dial out of its range."""


class CodeError(StylenetError):
    """A style code that does not fit: wrong names, shapes or values."""


class WeightsError(StylenetError):
    """Weights that are missing, altered, or made for another network."""


class PictureError(StylenetError):
    """A picture that cannot be used."""


class UnreadablePicture(PictureError):
    """Not a picture at all, or a broken one."""


class PictureTooLarge(PictureError):
    """More bytes or pixels than the limit."""


class PictureTooSmall(PictureError):
    """A side shorter than the network can use."""


class UnsupportedPicture(PictureError):
    """A picture, but of a format that we do not open."""
