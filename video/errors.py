"""What can go wrong in `video`.

VideoError
├── UnreadableVideo      no file, an empty one, no film at all, or one without a single whole frame
├── NoVideoStream        sound or subtitles only
├── UnsupportedVideo     a film, but of a kind that we do not paint or write
├── StyleKeysError       a list of styles along the film that cannot be used; the message names the line
└── FilmBusy             another process paints into the same file
"""


class VideoError(ValueError):
    """Base of everything that `video` raises on purpose. The message names the cure."""


class UnreadableVideo(VideoError):
    """Missing, empty, broken, or no film."""


class NoVideoStream(VideoError):
    """A media file that holds no pictures."""


class UnsupportedVideo(VideoError):
    """A film that we could read, but would not give back as it is."""


class StyleKeysError(VideoError):
    """A list of styles that cannot be followed."""


class FilmBusy(VideoError):
    """Somebody else is painting this film."""
