"""The model that paints: found, verified, loaded, warmed up, and reported on. One at a time, for now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from registry.errors import RegistryError
from registry.references import resolve
from registry.selectors import MODELS_SCHEME
from registry.versions import Registry
from runtime.engine import Engine
from runtime.errors import RuntimeLayerError
from runtime.loading import load_engine
from runtime.package import Package
from service.errors import NoModel, NotReady
from service.lane import EngineLane
from service.settings import ServiceSettings
from stylenet.dials import Dials
from stylenet.errors import StylenetError

log = logging.getLogger("pentimento.service")
State = Literal["loading", "ready", "failed"]
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


class ModelHolder:
    """Loads the model in the engine's lane, keeps trying while it cannot, and says how things stand."""

    def __init__(self, settings: ServiceSettings, lane: EngineLane, *, on_ready: Callable[[Resident], None]) -> None:
        self._settings = settings
        self._lane = lane
        self._on_ready = on_ready
        self._resident: Resident | None = None
        self._reason = "the model is being loaded"
        self._task: asyncio.Task[None] | None = None
        self.state: State = "loading"

    @property
    def reason(self) -> str:
        """Why there is no model, for people."""
        return self._reason

    def start(self, *, before: Callable[[], Awaitable[None]] | None = None) -> None:
        """Begin loading, after `before` has been awaited. Returns at once; call it on the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._open(before), name="model")

    def resident(self) -> Resident:
        """The model.

        Raises:
            NotReady: there is none (yet).
        """
        if self._resident is None:
            if self.state == "failed":
                raise NoModel(f"no model: {self._reason}", retry_after_s=max(1, round(self._settings.retry_s)))
            raise NotReady(f"not ready: {self._reason}", retry_after_s=2)
        return self._resident

    async def close(self) -> None:
        """Stop trying and give the engine back. The lane must still be open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._resident is not None:
            resident, self._resident = self._resident, None
            await self._lane.run(resident.engine.close)

    async def _open(self, before: Callable[[], Awaitable[None]] | None) -> None:
        if before is not None:
            self._reason = "the style library is being filled"
            await before()
        self._reason = "the model is being loaded"
        await self._keep_trying()

    async def _keep_trying(self) -> None:
        while self._resident is None:
            try:
                self._resident = await self._lane.run(lambda: load_resident(self._settings))
            except (RegistryError, RuntimeLayerError, StylenetError) as error:
                self._fail(str(error), cause=None)
            except Exception as error:  # whatever else a broken store or driver raises must not end the trying
                self._fail(f"{type(error).__name__}: {error}", cause=error)
            else:
                self.state = "ready"
                log.info("ready: %s on %s", self._resident.version, self._resident.engine.name)
                self._on_ready(self._resident)
                return
            await asyncio.sleep(self._settings.retry_s)

    def _fail(self, reason: str, *, cause: Exception | None) -> None:
        if self.state != "failed" or reason != self._reason:  # say it once, not every quarter of a minute
            log.error("cannot load %s: %s", self._settings.model, reason, exc_info=cause)
        self.state, self._reason = "failed", reason


def load_resident(settings: ServiceSettings) -> Resident:
    """Find, verify, load and warm up the model that the settings name.

    Raises:
        RegistryError: the reference names nothing.
        RuntimeLayerError: the package is damaged, or the engine cannot run here.
    """
    package, version = _find(settings)
    engine = load_engine(package, settings.engine, threads=settings.threads)
    for side_px in _WARM_UP_SIDES_PX:
        grey = np.full((side_px, side_px, 3), 128, dtype=np.uint8)
        engine.stylize(grey, engine.encode_style(grey), Dials())
    return Resident(engine, version, settings.model, datetime.now(UTC))


def _find(settings: ServiceSettings) -> tuple[Package, str]:
    """The package and its name for clients. An alias is looked up once, so that name and bytes belong together."""
    if settings.model.startswith(MODELS_SCHEME):
        registry = Registry(settings.registry)
        version = registry.get(settings.model)
        return registry.fetch(version), version.name
    package = resolve(settings.model, settings.registry)
    return package, f"{package.manifest.variant}-{package.digest[:12]}"
