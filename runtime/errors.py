"""What can go wrong in `runtime`.

RuntimeLayerError
├── PackageError             a model package that must not be used; the message names the file
├── EngineUnavailable        the asked-for engine cannot run on this machine
├── QuantisationRefused      an INT8 graph that fails its own check; the message holds the figures
└── GoldenMismatch           an engine whose picture differs from the package's own golden output
"""


class RuntimeLayerError(RuntimeError):
    """Base of everything that `runtime` raises on purpose. The message names the cure."""


class PackageError(RuntimeLayerError):
    """Missing, altered, unknown or unsafe: the package is refused, and the file is named."""


class EngineUnavailable(RuntimeLayerError):
    """This machine lacks what the engine needs."""


class QuantisationRefused(RuntimeLayerError):
    """INT8 would cost more quality than is allowed."""


class GoldenMismatch(RuntimeLayerError):
    """The engine does not paint what the package promises."""
