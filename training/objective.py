"""From a batch of pictures to one number to minimise, and the terms that it is made of."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stylenet import losses
from stylenet.adain import AdaIN
from stylenet.colour import between, colour_code, recolour
from stylenet.ledger import Ledger
from stylenet.losses import ArticleWeights, ExtraWeights
from stylenet.network import StyleNetwork
from stylenet.statistics import mean_std
from stylenet.style_encoder import SEMANTICS_TAPS, TEXTURE_TAPS

HOLD_LEAST, HOLD_SPAN = 0.15, 1.7
ADAIN_RECONSTRUCTS_BELOW, ADAIN_IDENTITY_WEIGHT = 0.35, 10.0
Extract = Callable[[Tensor], losses.Features]
Terms = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step sees.

    Args:
        content, style: (N, 3, S, S) float32, -1..1.
        dials: (N, 5) float32, 0..1, in the order of `StyleNetwork.forward`.
    """

    content: Tensor
    style: Tensor
    dials: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(*(part.to(device, non_blocking=True) for part in (self.content, self.style, self.dials)))


def sample_dials(count: int, generator: torch.Generator) -> Tensor:
    """Dials for a batch: mostly the whole style, often something between, so that every position is trained.

    Returns:
        (count, 5) float32; keep_color stays 0, since it is applied after everything that learns.
    """
    uniform = torch.rand(count, 4, generator=generator)
    chance = torch.rand(count, 4, generator=generator)
    dials = torch.where(chance < torch.tensor([0.55, 0.0, 0.55, 0.55]), torch.ones_like(uniform), uniform)
    # Texture without semantics, and the other way round, is where one dial must not do the other's work.
    dials = torch.where(chance > torch.tensor([1.0, 1.0, 0.8, 0.8]), torch.zeros_like(uniform), dials)
    return torch.cat([dials, torch.zeros(count, 1)], dim=1)


def style_objective(
    network: StyleNetwork, batch: Batch, extract: Extract, article: ArticleWeights, extra: ExtraWeights
) -> tuple[Tensor, Terms]:
    """Our network's loss.

    Args:
        extract: the frozen extractor that judges: image -> features by tap.

    Returns:
        The weighted sum, and each term's mean over the batch by name (without weight).
    """
    content, style, dials = batch.content, batch.style, batch.dials
    strength, fidelity, texture, semantics, _ = dials.unbind(1)
    output = network(content, *network.encode_style(style), dials)
    with torch.no_grad():
        content_colour, style_colour = colour_code(content), colour_code(style)
        light, chroma, whole = semantics.unsqueeze(1), texture.unsqueeze(1), strength.unsqueeze(1)
        target_colour = between(content_colour, style_colour, light=whole * light, chroma=whole * chroma)
        anchor = recolour(content, content_colour, target_colour)
        # Features see light and hue too: a dial that is turned down must not have its part asked for through them.
        asked = recolour(style, style_colour, between(content_colour, style_colour, light=light, chroma=chroma))
        content_features, style_features = extract(content), extract(asked.clamp(-1.0, 1.0))
    features = extract(output)
    t = dict.fromkeys(TEXTURE_TAPS, strength * texture) | dict.fromkeys(SEMANTICS_TAPS, strength * semantics)

    same_style = (content - style).abs().flatten(1).mean(1) == 0
    untouched = (same_style | (strength == 0)).to(torch.float32)
    # Fidelity means: terms that hold the photograph count between hardly and twice.
    hold = HOLD_LEAST + HOLD_SPAN * fidelity.square()
    raw = {
        "content": hold * losses.content_loss(features, content_features, style_features),
        "gram": losses.share_left(features, content_features, style_features, t, losses.gram),
        "attention": strength * losses.attention_loss(features, style_features),
        "total_variation": losses.total_variation(output, content, style),
        "statistics": losses.share_left(features, content_features, style_features, t, losses.statistics),
        "edges": hold * losses.edge_loss(output, anchor),
        "colour": losses.colour_loss(output, target_colour, content_colour, style_colour),
        "identity": untouched * losses.identity_loss(output, content),
    }
    learn = 1 - same_style.to(torch.float32)
    terms = {
        name: (value if name in ("identity", "total_variation", "edges") else value * learn).mean()
        for name, value in raw.items()
    }
    weights = {
        "content": article.content,
        "gram": article.style / 2 + extra.gram,
        "attention": article.style / 2,
        "total_variation": article.total_variation,
        "statistics": extra.statistics,
        "edges": extra.edges,
        "colour": extra.colour,
        "identity": extra.identity,
    }
    total = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
    return total, terms


def adain_objective(network: AdaIN, batch: Batch, extract: Extract, style_weight: float) -> tuple[Tensor, Terms]:
    """AdaIN's own loss (Huang & Belongie 2017, equations 11 to 13), each term as a share of its reference.

    Content: features of the output against the AdaIN target, in the encoder's own space, relative to the target.
    Style: channel statistics through the same extractor as ours. Its strength is sampled as ours is, and where that is
    nothing, or the style is the photograph, the photograph itself is the answer: a baseline whose dial is not true
    could not be compared at equal style.
    """
    content, style = batch.content, batch.style
    sampled = batch.dials[:, 0]
    strength = torch.where(sampled < ADAIN_RECONSTRUCTS_BELOW, torch.zeros_like(sampled), sampled)
    with torch.no_grad():
        taps = network.features(content)
        _, _, semantics = network.encode_style(style)
        target = network.transfer(taps["relu3_4"], semantics, strength[:, None, None, None], Ledger())
        content_features, style_features = extract(content), extract(style)
    output = network.decode(target, taps)
    gap = (network.features(output)["relu3_4"].to(torch.float32) - target).square().mean((1, 2, 3))
    _, target_std = mean_std(target)
    t = dict.fromkeys((*TEXTURE_TAPS, *SEMANTICS_TAPS), strength)
    shares = losses.share_left(extract(output), content_features, style_features, t, losses.statistics)
    # Where the style is the photograph there is no way to go, and a share of it would be a division by nothing.
    other = ((content - style).abs().flatten(1).mean(1) > 0).to(torch.float32)
    untouched = 1 - other * (strength > 0).to(torch.float32)
    terms = {
        "content": (gap / (target_std.square().mean((1, 2, 3)) + 1e-3)).mean(),
        "statistics": (other * shares).mean(),
        "identity": (untouched * losses.identity_loss(output, content)).mean(),
    }
    return terms["content"] + style_weight * terms["statistics"] + ADAIN_IDENTITY_WEIGHT * terms["identity"], terms
