"""The dials: what a user turns, under the same names in Python, on the command line, over HTTP and on the page."""

import math
from dataclasses import dataclass, fields

from stylenet.errors import DialError

DIAL_NAMES = ("strength", "fidelity", "texture", "semantics")
"""The dials that are numbers from 0 to 1, in the order in which the exported graphs take them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dials:
    """How much of what.

    Args:
        strength: 0 returns the input, bit for bit; 1 is the whole style.
        fidelity: 0 lets the painter draw the outlines; 1 holds every edge of the photograph.
        texture: how much of the style's colours and strokes (levels 1-2).
        semantics: how much of the style's light and composition (levels 3 and deeper).
        keep_color: paint with the style's strokes in the photograph's own colours.

    Raises:
        DialError: a value is not a number from 0 to 1.
    """

    strength: float = 1.0
    fidelity: float = 0.5
    texture: float = 1.0
    semantics: float = 1.0
    keep_color: bool = False

    def __post_init__(self) -> None:
        for name in DIAL_NAMES:
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value) or not 0.0 <= value <= 1.0:
                raise DialError(f"{name}={value!r} is out of range; use a number from 0 to 1, for example {name}=0.8")
        if not isinstance(self.keep_color, bool):
            raise DialError(f"keep_color={self.keep_color!r} is not a yes or no; use true or false")

    def as_dict(self) -> dict[str, float | bool]:
        """Every dial by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def numbers(self) -> tuple[float, ...]:
        """What the exported graphs take: (strength, fidelity, texture, semantics, keep_color), each a float."""
        return (*(float(getattr(self, name)) for name in DIAL_NAMES), float(self.keep_color))
