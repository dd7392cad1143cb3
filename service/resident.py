"""One model in memory: what a reference points to, and how it is fetched, verified, proved and warmed up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from registry.references import resolve
from registry.selectors import MODELS_SCHEME, parse_selector
from registry.versions import Registry
from runtime.engine import Engine
from runtime.loading import load_engine
from runtime.package import Package
from service.settings import ServiceSettings
from stylenet.dials import Dials

_WARM_UP_SIDES_PX = (64, 256)  # the first call at a size builds the engine's buffers; two sizes build its dynamic path


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory, warm.

    Args:
        engine: paints; only to be called in the lane.
        version: what a client is told: "pentimento/3", or without a registry the variant and short digest.
        reference: what was asked for.
        since: when it became ready.
    """

    engine: Engine
    version: str
    reference: str
    since: datetime

    @property
    def digest(self) -> str:
        """The package's digest: names every byte that paints."""
        return self.engine.package.digest


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference points to at one moment.

    Args:
        version: what a client is told.
        digest: the package's.
        fetch: brings the package here and verifies it.
    """

    version: str
    digest: str
    fetch: Callable[[], Package]


class Source:
    """Where one reference is looked up. The registry is opened at the first look, which takes seconds."""

    def __init__(self, settings: ServiceSettings, reference: str) -> None:
        self._settings = settings
        self._registry: Registry | None = None
        self.reference = reference

    @property
    def moves(self) -> bool:
        """Whether the reference is an alias, which may point elsewhere tomorrow."""
        return self.reference.startswith(MODELS_SCHEME) and parse_selector(self.reference).alias is not None

    def look(self) -> Found:
        """What the reference points to now. An alias is looked up once, so that name and bytes belong together.

        Raises:
            RegistryError: it names nothing, or the registry cannot be asked.
            PackageError: a folder that must not be used.
        """
        if self.reference.startswith(MODELS_SCHEME):
            if self._registry is None:
                self._registry = Registry(self._settings.registry)
            registry = self._registry
            version = registry.get(self.reference)
            return Found(version.name, version.digest, lambda: registry.fetch(version))
        package = resolve(self.reference, self._settings.registry)
        return Found(f"{package.manifest.variant}-{package.digest[:12]}", package.digest, lambda: package)

    def load(self, found: Found) -> Resident:
        """Fetch, verify, load, prove on the golden picture, and warm up.

        Raises:
            StoreError: its files are gone, or are not those that were registered.
            RuntimeLayerError: the package is damaged, does not paint its golden picture, or cannot run here.
        """
        engine = load_engine(found.fetch(), self._settings.engine, threads=self._settings.threads)
        for side_px in _WARM_UP_SIDES_PX:
            grey = np.full((side_px, side_px, 3), 128, dtype=np.uint8)
            engine.stylize(grey, engine.encode_style(grey), Dials())
        return Resident(engine, found.version, self.reference, datetime.now(UTC))
