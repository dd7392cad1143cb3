"""What the candidate's dials do: each is turned on a few small pairs, and must have the effect that it is named after.

A sweep over strength cannot tell a dial from a switch: between "nothing" and "all" it interpolates pictures that nobody
ever painted. So the dials are turned here, and a policy says how much each must do.
Letters: P pairs.
"""

from collections.abc import Callable

import numpy as np

from evaluation import content_metrics, style_metrics
from evaluation.estimates import Resamples
from evaluation.methods import Painter
from evaluation.pairs import Manifest
from evaluation.scores import DialScore, Estimate
from stylenet.dials import Dials
from stylenet.images import Pixels, to_image
from stylenet.pictures import resize_short_side

PROBE_SIDE_PX = 128  # a dial that works shows it small, and seven pictures a pair are to be painted
MOST_PHOTOGRAPHS = 8
RESAMPLES = 2000
HOW = {
    "strength": "smaller of the two halves of the way from the photograph to strength 1, as a share of it",
    "fidelity": "edge-SSIM gained from fidelity 0 to 1",
    "texture": "colour and stroke distance to the style, the share that texture takes away from 0 to 1",
    "semantics": "change of the picture from semantics 0 to 1, as a share of the change from the photograph",
    "keep_color": "distance to the photograph's colours, the share that keep_color takes away",
}
Paint = Callable[[Dials], Pixels]


def probe_dials(painter: Painter, manifest: Manifest, *, seed: int = 0) -> tuple[DialScore, ...]:
    """Turn every dial of a painter on up to eight photographs, each with one painting, the paintings in turn.

    Returns:
        One score a dial, in the order of `HOW`; an effect that is NaN where the pictures do not allow one.
    """
    count = min(len(manifest.photographs), MOST_PHOTOGRAPHS)
    effects = [_effects(painter, manifest, i, i % len(manifest.paintings)) for i in range(count)]
    resamples = Resamples.draw(np.arange(count, dtype=np.intp), resamples=RESAMPLES, seed=seed)
    return tuple(
        DialScore(
            dial=dial,
            how=HOW[dial],
            effect=Estimate.of(resamples.mean(np.array([each[dial] for each in effects], dtype=np.float64))),
            pairs=count,
            photographs=count,
        )
        for dial in HOW
    )


def _effects(painter: Painter, manifest: Manifest, i: int, j: int) -> dict[str, float]:
    style = manifest.paintings[j]
    photo = resize_short_side(manifest.photographs[i].pixels, PROBE_SIDE_PX)
    code = painter.code(style)

    def paint(dials: Dials) -> Pixels:
        return painter.engine.stylize(photo, code, dials)

    whole = paint(Dials())
    return {
        "strength": _strength(photo, whole, paint(Dials(strength=0.5))),
        "fidelity": _edges(paint(Dials(fidelity=1.0)), photo) - _edges(paint(Dials(fidelity=0.0)), photo),
        "texture": _texture(whole, paint(Dials(texture=0.0)), resize_short_side(style.pixels, PROBE_SIDE_PX)),
        "semantics": _share(_change(whole, paint(Dials(semantics=0.0))), _change(whole, photo)),
        "keep_color": 1 - _share(_colour(paint(Dials(keep_color=True)), photo), _colour(whole, photo), empty=1.0),
    }


def _strength(photo: Pixels, whole: Pixels, half: Pixels) -> float:
    return _share(min(_change(half, photo), _change(whole, half)), _change(whole, photo))


def _texture(whole: Pixels, without: Pixels, style: Pixels) -> float:
    with_it, off = (
        [float(distance(to_image(picture), to_image(style))) for distance in _TEXTURE] for picture in (whole, without)
    )
    return 1 - float(np.mean([_share(a, b, empty=1.0) for a, b in zip(with_it, off, strict=True)]))


_TEXTURE = (style_metrics.colour_distance, style_metrics.stroke_distance)


def _edges(picture: Pixels, photo: Pixels) -> float:
    return float(content_metrics.edge_ssim(to_image(picture), to_image(photo)))


def _colour(picture: Pixels, photo: Pixels) -> float:
    return float(style_metrics.colour_distance(to_image(picture), to_image(photo)))


def _change(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).mean())


def _share(part: float, whole: float, *, empty: float = 0.0) -> float:
    """part / whole; `empty` where there is nothing to take a share of."""
    return part / whole if whole > 1e-9 else empty
