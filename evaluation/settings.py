"""How a judgement is made: which pairs, at which size, over which strengths."""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

from evaluation.errors import SettingsError

ELEVEN_STRENGTHS = tuple(round(step / 10, 1) for step in range(11))
FIVE_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
MIN_SIDE_PX = 64  # below it the 11x11 window of SSIM and the stroke bands see next to nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationSettings:
    """Everything that changes the numbers, besides the pictures and the methods.

    Args:
        contents: photographs to take from the data; all of them where there are fewer.
        styles: paintings to take; every photograph meets every painting.
        short_side_px: every picture is judged with its short side at this, in its own aspect.
        strengths: the sweep, from 0 to 1, ascending. Eleven steps by default; fewer are faster and coarser.
        seed: which pictures are taken, and how the bootstrap draws.
        target_ssim: AdaIN's strength is set so that its mean SSIM is this, as the article does.
        resamples: bootstrap resamples.
        extractor: whose deep features measure style; "auto" is VGG-19 where found, else the shipped compact encoder.
        ms_ssim: measure MS-SSIM where both sides exceed 160 px; it costs as much as all other pixel metrics.
        lpips: measure LPIPS where its backbone is found.
        lpips_backbone: whose; numbers of different backbones are not comparable.
        style_axis: what "equal style" is read on. "mean" is the mean of the four families' shares left; "strict" is the
            largest of them, so that colour cannot make up for strokes.
        photographs_per_painting: how many photographs each painting meets, in turn; 0 is all of them. With 1, the pairs
            are as many as the paintings.
        nst_pairs: on how many pairs Gatys NST runs; 0 leaves it out.
        nst_steps: its optimisation steps per pair.
        examples: how many best and how many worst pairs the page shows.

    Raises:
        SettingsError: a value that cannot work.
    """

    contents: int = 10
    styles: int = 10
    short_side_px: int = 512
    strengths: tuple[float, ...] = ELEVEN_STRENGTHS
    seed: int = 0
    target_ssim: float = 0.78
    resamples: int = 2000
    extractor: Literal["auto", "vgg19", "compact"] = "auto"
    ms_ssim: bool = True
    lpips: bool = True
    lpips_backbone: Literal["squeeze", "alex", "vgg"] = "squeeze"
    style_axis: Literal["mean", "strict"] = "mean"
    photographs_per_painting: int = 0
    nst_pairs: int = 2
    nst_steps: int = 100
    examples: int = 3

    def __post_init__(self) -> None:
        for name, least in (
            ("contents", 1),
            ("styles", 1),
            ("short_side_px", MIN_SIDE_PX),
            ("resamples", 100),
            ("nst_pairs", 0),
            ("nst_steps", 1),
            ("examples", 0),
            ("photographs_per_painting", 0),
        ):
            if getattr(self, name) < least:
                raise SettingsError(f"{name}={getattr(self, name)} is too small; use {least} or more")
        if not 0.0 < self.target_ssim < 1.0:
            raise SettingsError(
                f"target_ssim={self.target_ssim} is out of range; use a number in 0..1, for example 0.78"
            )
        _check_strengths(self.strengths)

    @classmethod
    def quick(cls, **changes: Any) -> "EvaluationSettings":
        """The demo's size: 8 photographs x 3 paintings, 192 px, five strengths, NST on two pairs."""
        demo: dict[str, Any] = {
            "contents": 8,  # all of the sample: an interval is drawn over photographs
            "styles": 3,
            "short_side_px": 192,
            "strengths": FIVE_STRENGTHS,
            "nst_steps": 40,
            "extractor": "compact",  # eight times faster, and the same on every machine
            "ms_ssim": False,
        }
        return cls(**(demo | changes))

    def as_dict(self) -> dict[str, Any]:
        """Every setting by its name, as JSON holds it."""
        return asdict(self) | {"strengths": list(self.strengths)}


def _check_strengths(strengths: tuple[float, ...]) -> None:
    finite = all(math.isfinite(strength) for strength in strengths)
    ascending = all(a < b for a, b in pairwise(strengths))
    if not finite or not ascending or len(strengths) < 3 or (strengths[0], strengths[-1]) != (0.0, 1.0):
        raise SettingsError(
            f"strengths={strengths} cannot be swept; use three or more ascending numbers from 0 to 1, "
            "for example 0, 0.25, 0.5, 0.75, 1"
        )
