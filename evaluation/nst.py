"""Neural style transfer by optimisation (Gatys et al. 2016): slow, one picture at a time, and good.

The picture itself is optimised until its features look like the photograph's in place and like the style's in texture.
It starts at the photograph, so what it passes on its way is a sweep from no style to all of it.
"""

import torch
from torch import Tensor

from evaluation.style_metrics import Extractor
from stylenet.images import Pixels, to_image, to_pixels
from stylenet.statistics import gram_matrix

STYLE_WEIGHT = 20.0  # against a content weight of 1, both losses relative: 5 hardly paints, 100 loses the photograph
HISTORY = 10  # of L-BFGS; torch's default of 100 holds a hundred pictures
STEPS_A_CALL = 10


def paint_nst(photo: Pixels, style: Pixels, extractor: Extractor, *, steps: int) -> Pixels:
    """Optimise the photograph towards the style.

    Args:
        photo: uint8 (H, W, 3).
        style: uint8 (H', W', 3).
        extractor: whose features are matched; the last tap but one holds the content, all of them the style.
        steps: evaluations of the loss; each is a forward and a backward pass.

    Returns:
        uint8 (H, W, 3).
    """
    with torch.no_grad():
        start = to_image(photo)
        content = _content(extractor(start))
        grams = [gram_matrix(feature) for feature in extractor(to_image(style)).values()]
    picture = start.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([picture], max_iter=STEPS_A_CALL, max_eval=STEPS_A_CALL, history_size=HISTORY)

    def closure() -> Tensor:
        optimiser.zero_grad()
        features = extractor(picture)
        loss = _relative(_content(features), content) + STYLE_WEIGHT * _style_loss(features, grams)
        loss.backward()
        return loss

    for _ in range(max(1, round(steps / STEPS_A_CALL))):
        optimiser.step(closure)  # type: ignore[arg-type]  # torch annotates the closure as returning a float
        with torch.no_grad():
            picture.clamp_(-1.0, 1.0)
    return to_pixels(picture)


def _content(features: dict[str, Tensor]) -> Tensor:
    return list(features.values())[-2]


def _style_loss(features: dict[str, Tensor], grams: list[Tensor]) -> Tensor:
    parts = [_relative(gram_matrix(feature), gram) for feature, gram in zip(features.values(), grams, strict=True)]
    return torch.stack(parts).mean()


def _relative(a: Tensor, b: Tensor) -> Tensor:
    """The squared distance as a share of the target's own squared size."""
    return (a - b).square().sum() / b.square().sum().clamp_min(1e-12)
