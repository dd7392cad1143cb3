"""One line on stderr where a style does not suit a photograph."""

from pathlib import Path
from typing import TYPE_CHECKING

from cli.options import say

if TYPE_CHECKING:
    from registry.settings import Settings
    from registry.style_looks import Look
    from stylenet.images import Pixels


def style_look(style: str, settings: "Settings") -> "Look | None":
    """The look of what `pentimento stylize --style` names; None where this installation has no encoder to look with.

    The style is known to be there: its code has been made.
    """
    from registry.errors import UnknownStyle
    from registry.style_looks import look_at
    from registry.styles import StyleLibrary
    from samples import painting
    from stylenet.errors import WeightsError
    from stylenet.pictures import SUFFIXES, read_picture

    try:
        if Path(style).suffix.lower() in SUFFIXES or Path(style).is_file():
            return look_at([read_picture(style)])
        library = StyleLibrary.from_settings(settings)
        try:
            return library.look(style)
        except UnknownStyle:
            return look_at([painting(style)])
        finally:
            library.close()
    except WeightsError:
        return None


def warn_of_poor_fit(photo: str, pixels: "Pixels", style: str, look: "Look") -> None:
    """Say why, if the pair is poor.

    Args:
        photo, style: how to call them.
        pixels: the photograph, uint8 (H, W, 3).
        look: of the style.
    """
    from registry.style_advice import judge_fit
    from registry.style_looks import look_at

    fit = judge_fit(look_at([pixels]), look)
    if fit.poor:
        reasons = ", and ".join(fit.reasons[:2]) or "much of it would be lost"
        say(f"warning: {style} does not suit {photo}: {reasons}; `pentimento styles suggest {photo}` names better ones")
