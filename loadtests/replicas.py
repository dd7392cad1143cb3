"""Replicas of `pentimento serve`: started, let in when they are ready, and let go without losing a request.

As in Kubernetes: a replica is scraped from its start, gets requests once /readyz says 200, and goes in the order
proxy, pause (preStop), SIGTERM, its own graceful end, SIGKILL only after the grace period. Nothing here waits: `step`
is called again and again.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from loadtests import children
from loadtests.children import ChildError
from loadtests.web import free_port, get

State = Literal["starting", "ready", "leaving", "stopping", "gone"]
_SLOWEST_START_S = 300.0


class Listener(Protocol):
    """Whoever has to know which replicas there are."""

    def __call__(self, ports: list[int], /) -> None: ...


@dataclass(slots=True)
class Replica:
    """One replica: its process and where it stands in its life, since when (seconds, monotonic)."""

    number: int
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    state: State = "starting"
    since_s: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How replicas are started and let go.

    Args:
        model: what `pentimento serve --model` takes.
        environment: their settings, on top of ours.
        before_stop_s: pause between leaving the proxy and SIGTERM.
        grace_s: from leaving the proxy to SIGKILL.
    """

    model: str
    environment: Mapping[str, str]
    before_stop_s: float
    grace_s: float


class Fleet:
    """All replicas.

    Args:
        folder: for their logs and their common home.
        route: told which replicas are ready, whenever that changes.
        scrape: told which replicas run, whenever that changes.
        tell: told what happens, one line at a time.
    """

    def __init__(
        self, folder: Path, settings: Settings, *, route: Listener, scrape: Listener, tell: Callable[[str], None]
    ) -> None:
        children.need("setpriv")
        self.all: list[Replica] = []
        self.killed = 0
        self.start_seconds: list[float] = []
        self._folder, self._settings = folder, settings
        self._route, self._scrape, self._tell = route, scrape, tell

    @property
    def wanted(self) -> int:
        """Replicas that run or are about to, without those that go."""
        return len(self._in("starting", "ready"))

    @property
    def ready(self) -> int:
        """Replicas that get requests."""
        return len(self._in("ready"))

    def want(self, number: int) -> None:
        """Start what is missing; let go what is too much, the unready and then the youngest first."""
        while self.wanted < number:
            self._start()
        staying = sorted(self._in("starting", "ready"), key=lambda replica: (replica.state != "ready", replica.number))
        for replica in staying[number:]:
            self._move(replica, "leaving")
        if staying[number:]:
            self._route([replica.port for replica in self._in("ready")])

    def step(self) -> None:
        """Move on whoever can.

        Raises:
            ChildError: a replica died by itself, or did not become ready in good time.
        """
        for replica in self._in("starting", "ready", "leaving", "stopping"):
            age_s = time.monotonic() - replica.since_s
            if replica.process.poll() is not None:
                self._ended(replica)
            elif replica.state == "starting":
                self._look(replica, age_s)
            elif replica.state == "leaving" and age_s >= self._settings.before_stop_s:
                replica.process.terminate()
                self._move(replica, "stopping")
            elif replica.state == "stopping" and age_s >= self._settings.grace_s - self._settings.before_stop_s:
                replica.process.kill()
                replica.process.wait()
                self.killed += 1
                self._tell(f"replica {replica.number} outlived its grace period and was killed")

    def close(self) -> None:
        """End all of them in order, none waiting for another."""
        for replica in self._in("starting", "ready", "leaving"):
            replica.process.terminate()
        end_s = time.monotonic() + self._settings.grace_s
        for replica in self._in("starting", "ready", "leaving", "stopping"):
            if not children.stop(replica.process, grace_s=max(0.1, end_s - time.monotonic())):
                self.killed += 1

    def _start(self) -> None:
        number, port = len(self.all) + 1, free_port()
        log = self._folder / f"replica-{number}.log"
        command = [sys.executable, "-m", "cli.main", "serve", "--model", self._settings.model, "--port", str(port)]
        environment = {"PENTIMENTO_HOME": str(self._folder / "home"), **self._settings.environment}
        replica = Replica(number, port, children.start(command, log=log, environment=environment), log)
        self.all.append(replica)
        self._tell(f"replica {number} starts on port {port}")
        self._announce()

    def _look(self, replica: Replica, age_s: float) -> None:
        if get(f"http://127.0.0.1:{replica.port}/readyz", timeout_s=1)[0] == 200:
            self.start_seconds.append(age_s)
            self._move(replica, "ready")
            self._route([ready.port for ready in self._in("ready")])
        elif age_s > _SLOWEST_START_S:
            raise ChildError(f"replica {replica.number} was not ready within {_SLOWEST_START_S:g} s{_words(replica)}")

    def _ended(self, replica: Replica) -> None:
        if replica.state in ("starting", "ready"):
            self._move(replica, "gone")
            raise ChildError(f"replica {replica.number} ended by itself{_words(replica)}")
        self._move(replica, "gone")
        self._announce()

    def _announce(self) -> None:
        self._scrape([replica.port for replica in self.all if replica.state != "gone"])

    def _move(self, replica: Replica, state: State) -> None:
        now_s = time.monotonic()
        if state != "leaving":
            self._tell(f"replica {replica.number} is {state} (after {now_s - replica.since_s:.1f} s {replica.state})")
        else:
            self._tell(f"replica {replica.number} is taken out of the proxy")
        replica.state, replica.since_s = state, now_s

    def _in(self, *states: State) -> list[Replica]:
        return [replica for replica in self.all if replica.state in states]


def _words(replica: Replica) -> str:
    return f"; its last words:\n{children.last_words(replica.log)}"
