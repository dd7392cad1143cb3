"""What a training run is: one YAML file, validated on load."""

import hashlib
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stylenet.errors import ConfigError
from stylenet.losses import ArticleWeights, ExtraWeights
from training.errors import TrainingConfigError


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StageConfig(_Settings):
    """One of the two training stages, or the distillation before them."""

    epochs: int = Field(default=1, ge=1, description="passes over the photographs")
    steps_per_epoch: int | None = Field(default=None, ge=1, description="default: photographs / batch_size, rounded up")
    batch_size: int = Field(default=4, ge=1)
    crop_px: int = Field(default=192, ge=32)
    learning_rate: float = Field(default=1e-3, gt=0)
    halve_every_epochs: int | None = Field(default=None, ge=1, description="the article: 10, in stage 2")
    warmup_steps: int = Field(default=50, ge=0)

    @model_validator(mode="after")
    def _crop_survives_three_halvings(self) -> Self:
        if self.crop_px % 8:
            nearest = max(32, round(self.crop_px / 8) * 8)
            raise ValueError(f"crop_px={self.crop_px} does not survive three halvings; use {nearest}")
        return self

    def learning_rate_at(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate of a step: a linear warm-up, then halved every `halve_every_epochs`."""
        warm = min(1.0, (step + 1) / (self.warmup_steps + 1))
        halvings = 0 if self.halve_every_epochs is None else step // steps_per_epoch // self.halve_every_epochs
        return self.learning_rate * warm * 0.5**halvings


class LossConfig(_Settings):
    """Weights of the loss terms: the article's, and ours beyond it."""

    content: float = Field(default=0.5, ge=0)
    style: float = Field(default=0.3, ge=0)
    total_variation: float = Field(default=0.2, ge=0)
    gram: float = Field(default=3.0, ge=0, description="on top of the article's share")
    statistics: float = Field(default=3.0, ge=0)
    edges: float = Field(default=0.3, ge=0)
    colour: float = Field(default=0.5, ge=0)
    identity: float = Field(default=1.0, ge=0)
    temporal: float = Field(default=0.0, ge=0, description="for films; makes a step about three times as long")

    def article(self) -> ArticleWeights:
        """The three terms of the article."""
        return ArticleWeights(content=self.content, style=self.style, total_variation=self.total_variation)

    def extra(self) -> ExtraWeights:
        """The terms beyond it."""
        return ExtraWeights(
            gram=self.gram,
            statistics=self.statistics,
            edges=self.edges,
            colour=self.colour,
            identity=self.identity,
        )


class TrainingConfig(_Settings):
    """A whole run."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="names the run and its folder")
    variant: Literal["compact", "base"] = "compact"
    anchor: Literal["recoloured", "content"] = "recoloured"
    data: tuple[str, ...] = Field(min_length=1, description="data folders; 'sample' is the embedded sample")
    start_from: str | None = Field(
        default=None, description="a model reference whose weights are the start, e.g. pretrained:compact"
    )
    extractor: Literal["auto", "vgg19", "compact"] = Field(
        default="auto", description="whose features judge the losses"
    )
    seed: int = Field(default=0, ge=0)
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto takes a GPU where torch sees one")
    loader_processes: int = Field(
        default=0, ge=0, description="processes per worker that prepare batches; 0 is one thread, a GPU wants 8 or so"
    )
    compile: bool = Field(default=False, description="whether torch.compile fuses the step")
    histogram_matching: float = Field(
        default=0.15, ge=0, le=1, description="share of styles that are shown in the photograph's own colours"
    )
    rotation_deg: float = Field(default=15.0, ge=0, le=45)
    checkpoint_every_steps: int = Field(default=200, ge=1)
    sample_every_steps: int = Field(default=200, ge=1, description="how often a sheet of samples is painted")
    loss: LossConfig = LossConfig()
    stage1: StageConfig
    stage2: StageConfig

    def digest(self) -> str:
        """sha256 of the settings: a checkpoint continues only the run that it belongs to."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_config(path: Path) -> TrainingConfig:
    """Read and validate a training configuration.

    Raises:
        TrainingConfigError: unreadable, not YAML, or a setting that cannot work; the message names the key.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingConfigError(f"{path}: cannot be read ({error.strerror}); see configs/ for examples") from error
    except yaml.YAMLError as error:
        raise TrainingConfigError(f"{path}: not YAML ({error})") from error
    if not isinstance(raw, dict):
        raise TrainingConfigError(f"{path}: expected settings by name; see configs/demo.yaml")
    try:
        return TrainingConfig.model_validate(raw)
    except (ValidationError, ConfigError) as error:
        if not isinstance(error, ValidationError):
            raise TrainingConfigError(f"{path}: {error}") from error
        lines = [f"{'.'.join(str(part) for part in e['loc']) or 'settings'}: {e['msg']}" for e in error.errors()]
        raise TrainingConfigError(f"{path}: " + "; ".join(lines)) from error
