"""Which model paints which request: the champion, and beside it a challenger for a share of them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from service.errors import NoModel, NotReady
from service.follower import Follower, Outcome, Role
from service.lane import EngineLane, give_way
from service.resident import Resident
from service.settings import ServiceSettings

State = Literal["loading", "ready", "failed"]


class ModelHolder:
    """Follows the champion and, where one is asked for, the challenger. Lives on the event loop."""

    def __init__(
        self, settings: ServiceSettings, lane: EngineLane, *, tell: Callable[[Follower, Outcome], None]
    ) -> None:
        self._settings = settings
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader", initializer=give_way)
        self._tasks: list[asyncio.Task[None]] = []
        self._beginning: str | None = "the model is being loaded"
        self.champion = Follower(settings, settings.model, "champion", lane, self._loader, tell=tell)
        self.challenger = (
            Follower(settings, settings.challenger, "challenger", lane, self._loader, tell=tell)
            if settings.challenger
            else None
        )

    @property
    def state(self) -> State:
        """How things stand with the champion."""
        if self.champion.current is not None:
            return "ready"
        return "failed" if self.champion.problem is not None else "loading"

    @property
    def reason(self) -> str:
        """Why there is no model, for people."""
        return self.champion.problem or self._beginning or "the model is being loaded"

    def start(self, *, before: Callable[[], Awaitable[None]] | None = None) -> None:
        """Begin loading, after `before` has been awaited. Returns at once; call it on the event loop."""
        self._tasks.append(asyncio.get_running_loop().create_task(self._follow(before), name="models"))

    def resident(self) -> Resident:
        """The champion.

        Raises:
            NotReady: there is none (yet).
        """
        current = self.champion.current
        if current is None:
            if self.state == "failed":
                raise NoModel(f"no model: {self.reason}", retry_after_s=max(1, round(self._settings.retry_s)))
            raise NotReady(f"not ready: {self.reason}", retry_after_s=2)
        return current

    def choose(self, key: str) -> tuple[Resident, Role]:
        """Who paints the request of that key: the same one for the same key, as long as both stay.

        Raises:
            NotReady: there is no model (yet).
        """
        champion, rival = self.resident(), self.rival()
        if rival is not None and self._settings.challenger_mode == "share" and self.falls_to(rival, key):
            return rival, "challenger"
        return champion, "champion"

    def rival(self) -> Resident | None:
        """The challenger, None where there is none or it is the champion itself."""
        rival = self.challenger.current if self.challenger else None
        champion = self.champion.current
        return None if rival is None or champion is None or rival.digest == champion.digest else rival

    def falls_to(self, rival: Resident, key: str) -> bool:
        """Whether the key is among the challenger's share: which keys are differs from challenger to challenger."""
        draw = hashlib.sha256(f"{rival.digest}:{key}".encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(draw[:8], "big") < self._settings.challenger_share * 2**64

    def hint(self) -> None:
        """The aliases may have moved: look soon."""
        for follower in self._followers():
            follower.hint()

    async def close(self) -> None:
        """Stop following and give the engines back. The lane must still be open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._loader.shutdown(wait=True, cancel_futures=True)
        for follower in self._followers():
            await follower.close()

    def _followers(self) -> list[Follower]:
        return [self.champion] if self.challenger is None else [self.champion, self.challenger]

    async def _follow(self, before: Callable[[], Awaitable[None]] | None) -> None:
        if before is not None:
            self._beginning = "the style library is being filled"
            await before()
        self._beginning = None
        await asyncio.gather(*(follower.follow() for follower in self._followers()))
