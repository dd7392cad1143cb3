"""Does a style suit a photograph? A forecast of how much of the photograph the painting will lose, and why.

Three distances between the looks of the two pictures, weighed by what they did to the content loss of 600 real pairs.
`benchmarks/styles_advice.py` fits the constants and checks them on pairs that it did not fit; docs/STYLES.md has both.
"""

from dataclasses import dataclass

import numpy as np

from registry.style_entries import Style
from registry.style_looks import Look

TERMS = ("semantics", "palette", "texture")
MEANS = (0.3323, 0.6429, 0.2866)
"""Of the three distances, over the fitted pairs."""
DEVIATIONS = (0.0869, 0.2500, 0.1583)
WEIGHTS = (0.01333, 0.02520, 0.00993)
"""Content loss per deviation of each distance."""
BASE_LOSS = 0.3712
DECILES = (0.2863, 0.3267, 0.3368, 0.3484, 0.3570, 0.3670, 0.3786, 0.3895, 0.4036, 0.4226, 0.5208)
"""Of the forecast, over the fitted pairs: least, each tenth, most."""
POOR_FIT = 0.1
"""A pair is poor where nine in ten random pairs lose less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """How well two pictures go together.

    Args:
        fit: 0..1, the share of random pairs that would lose more of the photograph.
        loss: the forecast content loss: mean L1 of VGG-19's normalised relu3_1 and relu3_4, painting to photograph.
        semantics: distance of what is shown (forms and how they lie), in deviations from a usual pair; 0 is usual.
        palette: distance of colours and contrast, the same.
        texture: distance of the sizes of strokes and details, the same.
        reasons: what fights, the worst first; empty where nothing does.
    """

    fit: float
    loss: float
    semantics: float
    palette: float
    texture: float
    reasons: tuple[str, ...]

    @property
    def poor(self) -> bool:
        """Whether to warn."""
        return self.fit < POOR_FIT


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """One style of the library, and how it suits the photograph."""

    style: Style
    fit: Fit


def judge_fit(photograph: Look, style: Look) -> Fit:
    """How the style suits the photograph."""
    found = np.asarray(distances(photograph, style))
    unusual = (found - np.asarray(MEANS)) / np.asarray(DEVIATIONS)
    loss = float(BASE_LOSS + np.asarray(WEIGHTS) @ unusual)
    fit = 1.0 - float(np.interp(loss, DECILES, np.linspace(0.0, 1.0, len(DECILES))))
    costs = np.asarray(WEIGHTS) * unusual
    worst = [int(place) for place in np.argsort(-costs) if unusual[place] > 1.0]
    reasons = tuple(_reason(TERMS[place], photograph, style) for place in worst)
    return Fit(fit=fit, loss=loss, **dict(zip(TERMS, map(float, unusual), strict=True)), reasons=reasons)


def distances(photograph: Look, style: Look) -> tuple[float, float, float]:
    """Semantics, palette and texture, each 0 for two pictures that look the same.

    semantics: from the angles between the vectors of channel means and of channel deviations, two levels each.
    palette: mean absolute logarithm of how much stronger each of the first filters answers.
    texture: the same of each octave band's share of the lightness's variation.
    """
    angles = [
        _cosine_distance(ours, theirs)
        for one, other in ((photograph.presence, style.presence), (photograph.spread, style.spread))
        for ours, theirs in zip(np.split(one, 2), np.split(other, 2), strict=True)
    ]
    floor = 0.02  # filters that answer to neither picture say nothing
    palette = np.abs(np.log((style.colours + floor) / (photograph.colours + floor))).mean()
    texture = np.abs(np.log(_shares(style) / _shares(photograph))).mean()
    return float(np.sqrt(sum(angles))), float(palette), float(texture)


def _reason(term: str, photograph: Look, style: Look) -> str:
    if term == "semantics":
        return "it shows other forms, lying otherwise, than the photograph"
    if term == "palette":
        return "its colours and contrast are far from the photograph's"
    is_coarser = _mean_octave(style) > _mean_octave(photograph)
    return f"its strokes are much {'coarser' if is_coarser else 'finer'} than the photograph's detail"


def _mean_octave(look: Look) -> float:
    shares = _shares(look)
    return float(shares @ np.arange(len(shares)) / shares.sum())


def _shares(look: Look) -> np.ndarray:
    bands = look.bands.astype(np.float64) + 1e-2  # a flat picture has no variation to share out
    return bands / bands.sum()


def _cosine_distance(one: np.ndarray, other: np.ndarray) -> float:
    return max(0.0, 1.0 - float(one @ other) / (float(np.linalg.norm(one) * np.linalg.norm(other)) + 1e-12))
