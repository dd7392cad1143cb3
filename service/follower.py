"""Follows one reference: what it points to becomes resident while the one before goes on painting.

A version is looked up, fetched, verified, proved and warmed up in a thread of its own; only then is it exchanged, by
one assignment on the event loop. A picture is painted by whichever model is resident when the engine turns to it, so no
request waits for an exchange and none fails. The one before stays in memory: a rollback needs no loading.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

from registry.errors import RegistryError, StoreError, UnknownVersion
from runtime.errors import RuntimeLayerError
from service.lane import EngineLane
from service.resident import Found, Resident, Source
from service.settings import ServiceSettings
from stylenet.errors import StylenetError

T = TypeVar("T")
log = logging.getLogger("pentimento.service")
Role = Literal["champion", "challenger"]
Outcome = Literal["swapped", "refused", "unreachable", "withdrawn"]
_OWN_ERRORS = (RegistryError, RuntimeLayerError, StylenetError)


@dataclass(frozen=True, slots=True)
class Refused:
    """A version that must not paint.

    Args:
        version, digest: which.
        reason: for people.
        at: when it was refused.
        again_s: when it makes sense to try it again, on the event loop's clock; never for one that is simply bad.
    """

    version: str
    digest: str
    reason: str
    at: datetime
    again_s: float


class Follower:
    """Keeps what one reference points to in memory. Lives on the event loop.

    Args:
        settings: how often to look, and which engine.
        reference: an alias is followed; anything else is loaded once.
        role: for metrics and the log.
        lane: where engines are closed, behind whatever they still paint.
        loader: the thread that looks and loads.
        tell: called after every change that somebody outside should know of.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        reference: str,
        role: Role,
        lane: EngineLane,
        loader: ThreadPoolExecutor,
        *,
        tell: Callable[["Follower", Outcome], None],
    ) -> None:
        self.role = role
        self.current: Resident | None = None
        self.spare: Resident | None = None
        self.refused: Refused | None = None
        self.problem: str | None = None
        """Why the reference could not be looked up, or nothing could be loaded at all."""
        self._settings = settings
        self._source = Source(settings, reference)
        self._lane = lane
        self._loader = loader
        self._tell = tell
        self._hint = asyncio.Event()

    @property
    def reference(self) -> str:
        """What is followed."""
        return self._source.reference

    def hint(self) -> None:
        """Look soon: somebody says that the alias has moved. Whether it has is looked up, never believed."""
        self._hint.set()

    async def follow(self) -> None:
        """Look, again and again; forever where the reference is an alias, otherwise until it is loaded."""
        while True:
            await self.look()
            if self.current is not None and not self._source.moves:
                return
            await self._pause(self._settings.retry_s if self._waits_for_first() else self._settings.poll_s)

    async def look(self) -> None:
        """Look once, and load what is new. Raises nothing: what went wrong is kept and told."""
        try:
            found = await self._in_loader(self._source.look)
        except UnknownVersion as error:
            await self._withdraw(str(error))
        except Exception as error:  # whatever a broken store raises must not end the following
            self._note(error, "looked up")
        else:
            self.problem = None
            await self._turn_to(found)

    async def close(self) -> None:
        """Give the engines back. The lane must still be open."""
        for resident in (self.current, self.spare):
            if resident is not None:
                await self._lane.run(resident.engine.close)
        self.current = self.spare = None

    async def _turn_to(self, found: Found) -> None:
        if self.current is not None and self.current.digest == found.digest:
            self.refused = None
        elif self.spare is not None and self.spare.digest == found.digest:
            await self._swap(self.spare)
        elif self._may_try(found):
            try:
                resident = await self._in_loader(lambda: self._source.load(found))
            except Exception as error:  # a package made by anybody: whatever it breaks is its refusal
                self._refuse(found, error)
            else:
                await self._swap(resident)

    def _may_try(self, found: Found) -> bool:
        if self.refused is None or self.refused.digest != found.digest or self.current is None:
            return True
        return asyncio.get_running_loop().time() >= self.refused.again_s

    async def _swap(self, resident: Resident) -> None:
        left_over = None if resident is self.spare else self.spare
        before = self.current
        self.current, self.spare = resident, before
        self.refused = self.problem = None
        log.info(
            "%s: %s paints on %s%s",
            self.role,
            resident.version,
            resident.engine.name,
            f", after {before.version}" if before else "",
        )
        self._tell(self, "swapped")
        if left_over is not None:
            await self._lane.run(left_over.engine.close)

    async def _withdraw(self, reason: str) -> None:
        """The reference names nothing. A champion goes on painting; a challenger has nothing to be measured for."""
        if self.role == "champion" or self.current is None:
            self._note(UnknownVersion(reason), "found")
            return
        log.info("%s: withdrawn (%s)", self.role, reason)
        current, spare, self.current, self.spare = self.current, self.spare, None, None
        self.problem = reason
        self._tell(self, "withdrawn")
        for resident in (current, spare):
            if resident is not None:
                await self._lane.run(resident.engine.close)

    def _refuse(self, found: Found, error: Exception) -> None:
        reason = _told(error)
        known = self.refused
        loop_s = asyncio.get_running_loop().time()
        again_s = loop_s + self._settings.retry_s if isinstance(error, StoreError) else math.inf
        self.refused = Refused(found.version, found.digest, reason, datetime.now(UTC), again_s)
        if self.current is None:
            self.problem = reason
        if known is None or (known.digest, known.reason) != (found.digest, reason):  # say it once
            unforeseen = None if isinstance(error, _OWN_ERRORS) else error
            log.error("%s: %s is refused: %s", self.role, found.version, reason, exc_info=unforeseen)
            self._tell(self, "refused")

    def _note(self, error: Exception, what: str) -> None:
        reason = _told(error)
        if self.problem != reason:  # say it once, not at every look
            unforeseen = None if isinstance(error, _OWN_ERRORS) else error
            quiet = self.role == "challenger" and isinstance(error, UnknownVersion)  # there need not be one
            level = logging.INFO if quiet else logging.ERROR
            log.log(level, "%s: %s cannot be %s: %s", self.role, self.reference, what, reason, exc_info=unforeseen)
            self.problem = reason
            if not quiet:
                self._tell(self, "unreachable")

    def _waits_for_first(self) -> bool:
        return self.role == "champion" and self.current is None

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._hint.wait()
        except TimeoutError:
            return
        self._hint.clear()
        await asyncio.sleep(min(1.0, seconds))  # hints that come faster than this are one hint

    async def _in_loader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._loader, work)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, _OWN_ERRORS) else f"{type(error).__name__}: {error}"
