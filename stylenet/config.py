"""What a network is made of: enough to rebuild it before its weights are loaded."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from stylenet.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkConfig:
    """One of our networks.

    Args:
        variant: "compact" (our own encoder, distilled from VGG-19) or "base" (VGG-19 itself).
        encoder_widths: channels of the encoder's four taps; (64, 128, 256, 256) for base.
        decoder_widths: channels of the decoder at full, half, quarter and eighth resolution.
        gram_ranks: rank of the Gram projection, per level.
        prototypes: attention-pooled local prototypes, per level.
        vgg_source: whose VGG-19 the base variant holds, since each wants its own normalisation; compact ignores it.
        anchor: what the fusion holds on to: "recoloured" (the photo in the style's colours) or "content" (article).
    """

    variant: Literal["compact", "base"] = "compact"
    encoder_widths: tuple[int, int, int, int] = (16, 32, 64, 64)
    decoder_widths: tuple[int, int, int, int] = (16, 32, 64, 64)
    gram_ranks: tuple[int, int, int, int] = (8, 12, 16, 16)
    prototypes: int = 8
    anchor: Literal["recoloured", "content"] = "recoloured"
    vgg_source: Literal["oxford", "torchvision"] = "oxford"

    def __post_init__(self) -> None:
        if self.variant not in ("compact", "base"):
            raise ConfigError(f"variant={self.variant!r} is unknown; use 'compact' or 'base'")
        if self.anchor not in ("recoloured", "content"):
            raise ConfigError(f"anchor={self.anchor!r} is unknown; use 'recoloured' or 'content'")
        if self.vgg_source not in ("oxford", "torchvision"):
            raise ConfigError(f"vgg_source={self.vgg_source!r} is unknown; use 'oxford' or 'torchvision'")
        if self.variant == "base" and tuple(self.encoder_widths) != (64, 128, 256, 256):
            raise ConfigError("the base variant's encoder is VGG-19: encoder_widths must be (64, 128, 256, 256)")
        for name in ("encoder_widths", "decoder_widths", "gram_ranks"):
            widths = getattr(self, name)
            if len(widths) != 4 or any(not isinstance(w, int) or w < 1 for w in widths):
                raise ConfigError(f"{name}={widths!r} must be four positive whole numbers, e.g. (16, 32, 64, 64)")
        if not isinstance(self.prototypes, int) or self.prototypes < 1:
            raise ConfigError(f"prototypes={self.prototypes!r} must be at least 1, for example 8")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for package.json."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Undo `as_dict`.

        Raises:
            ConfigError: an unknown key or an impossible value.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(f"unknown network settings {unknown}; known are {sorted(known)}")
        settings: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**settings)


BASE = NetworkConfig(
    variant="base",
    encoder_widths=(64, 128, 256, 256),
    decoder_widths=(32, 64, 128, 160),
    gram_ranks=(16, 24, 32, 32),
)
"""The base variant as trained by `configs/base.yaml`."""
