"""The model card that goes into a package: what it is, what it saw, how it was made, what it must not be used for."""

from collections.abc import Mapping

from training.config import StageConfig, TrainingConfig


def model_card(config: TrainingConfig, parameters: Mapping[str, object]) -> str:
    """Markdown, without times or places: the same run writes the same card."""
    stages = "\n".join(
        f"- stage {number}: {stage.epochs} epochs, batches of {stage.batch_size}, crops of {stage.crop_px} px, "
        f"learning rate {stage.learning_rate:g}"
        + (f", halved every {stage.halve_every_epochs} epochs" if stage.halve_every_epochs else "")
        for number, stage in ((1, config.stage1), (2, config.stage2))
    )
    return f"""# {config.name}

A Pentimento {config.variant} network ({parameters["parameters"]:,} parameters): turns a photograph into a painting in
the style of another picture and keeps the photograph's outlines.

## Data

{parameters["pictures"]}; digest of the files `{parameters["data_digest"]}`. Skipped: {parameters["skipped"]}.

## Training

{stages}
- losses judged through {parameters["extractor_used"]}; {config.precision}; seed {config.seed}
- started from {config.start_from or "the distilled encoder and random weights"}; anchor {config.anchor}
- code at commit {parameters["git_commit"]}

## Limits

Paint over people and places with their consent. A style whose subject fights the photograph's (a landscape on a
portrait) gives a muddled picture. Scores are in the version's evidence, not here: a card cannot judge itself.
"""


def adain_card(stage: StageConfig, encoder: str, extractor: str, pictures: str) -> str:
    """The baseline's card; `encoder` and `extractor` are names."""
    steps = "default" if stage.steps_per_epoch is None else str(stage.steps_per_epoch)
    return f"""# adain

AdaIN (Huang & Belongie 2017) on {encoder}: the baseline that every candidate must beat. Its
decoder is trained by us on the pictures, crops and steps of our own network: {pictures}; {stage.epochs} epochs of
{steps} steps, batches of {stage.batch_size}, crops of {stage.crop_px} px, learning rate {stage.learning_rate:g}; style
judged through {extractor}. The encoder stays frozen, as its authors do it.
"""
