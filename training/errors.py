"""What can go wrong in `training`.

TrainingError
├── TrainingConfigError      a setting in the YAML that cannot work
├── CheckpointError          a checkpoint of another run, or broken
└── DivergedError            the loss became NaN or infinite
"""


class TrainingError(RuntimeError):
    """Base of everything that `training` raises on purpose. The message names the cure."""


class TrainingConfigError(TrainingError):
    """A setting that cannot work."""


class CheckpointError(TrainingError):
    """A checkpoint that does not continue this run."""


class DivergedError(TrainingError):
    """The loss is no number any more."""
