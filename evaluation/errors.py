"""What can go wrong in `evaluation`.

EvaluationError
├── SettingsError            a setting that cannot work
├── DataError                no usable pictures: an unknown layout, or too few that can be read
├── MethodError              a method under test broke the engine's contract (size, type, strength 0)
├── NotMeasured              a metric whose backbone is not on this machine
├── PolicyError              a policy file that cannot be used; the message names the key
├── ReportError              a report that is missing, broken, altered or of another version
└── StudyError               a preference study, or votes, that cannot be used
"""


class EvaluationError(ValueError):
    """Base of everything that `evaluation` raises on purpose. The message names the cure."""


class SettingsError(EvaluationError):
    """A setting that cannot work. The message names a value that can."""


class DataError(EvaluationError):
    """Pictures that cannot be found, told apart or read."""


class MethodError(EvaluationError):
    """A method under test did not keep the engine's contract."""


class NotMeasured(EvaluationError):
    """A metric whose backbone is not on this machine. It has no number, not even a default one."""


class PolicyError(EvaluationError):
    """A policy that cannot be used. The message names the key."""


class ReportError(EvaluationError):
    """A report that cannot be read back, or does not belong to what is asked about."""


class StudyError(EvaluationError):
    """A preference study, its key or its votes cannot be used."""
