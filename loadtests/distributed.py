"""Several processes send, one judges: on Locust's own MasterRunner and WorkerRunner, whose heartbeats tell who is lost.

    worker                          master
      here           ------------->   counts who is there
                     <-------------   scene (target, mixture, golden answers, which share of the arrivals is yours)
      told           ------------->
                     <-------------   fire (phases, and in how many seconds time 0 is)
      records, ...   ------------->
      sent (count)   ------------->   judges once, when each of them has said so or is lost

Every worker makes the same schedule and sends each n-th arrival of it. No clock is compared between machines: time 0 is
so many seconds after the word arrives.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from loadtests.golden import Golden, Goldens
from loadtests.look import CannotRun
from loadtests.mix import Scene, shots_of
from loadtests.openloop import Crowd, Target
from loadtests.phases import schedule
from loadtests.records import SCHEMA, Record, Window
from loadtests.shots import Shot
from loadtests.slo import Slo

_CHUNK = 500  # records in one message
_GRACE_S = 15.0  # beyond phases and drain, for the records to come
_TOLD_S = 30.0


class Master:
    """Tells workers what to send, and gathers what they saw.

    Args:
        expected: how many workers are waited for; the test does not begin with fewer.
        address: where workers connect to.
        wait_s: how long they are waited for.

    Raises:
        CannotRun: the address is taken, or not all of them came.
    """

    lead_s = 1.0

    def __init__(
        self,
        slo: Slo,
        target: Target,
        *,
        expected: int,
        address: tuple[str, int],
        wait_s: float,
        tell: Callable[[str], None],
    ) -> None:
        self.workers, self.lost = expected, 0
        self._slo, self._target, self._tell = slo, target, tell
        self._here: list[str] = []
        self._told: dict[str, str] = {}
        self._sent: dict[str, int] = {}
        self._records: dict[str, list[Record]] = {}
        self._runner = _master_runner(address)
        for name, listener in (
            ("here", lambda node, _: self._here.append(node)),
            ("told", self._told.__setitem__),
            ("records", lambda node, rows: self._records.setdefault(node, []).extend(Record(**row) for row in rows)),
            ("sent", self._sent.__setitem__),
        ):
            self._runner.register_message(name, _listener(listener))
        tell(f"waiting for {expected} workers at {address[0]}:{address[1]}")
        if not _until(lambda: len(self._here) >= expected, wait_s):
            came = len(self._here)
            self.close()
            raise CannotRun(
                f"{came} of {expected} workers came within {wait_s:g} s; start each with "
                f"`python -m loadtests --worker --master-host HOST --master-port {address[1]}`"
            )

    def prepare(self, scene: Scene, goldens: Goldens) -> None:
        """Tell every worker what is asked and what it must be answered.

        Raises:
            CannotRun: one of them cannot take part.
        """
        answers = {name: [golden.blob, golden.model_digest] for name, golden in goldens.answers.items()}
        for number, node in enumerate(self._team()):
            said = {
                "schema": SCHEMA,
                "host": self._target.host,
                "needs_token": self._target.token is not None,
                "slo": self._slo.model_dump(mode="json", by_alias=True),
                "scene": asdict(scene) | {"worker": number},
                "workers": self.workers,
                "goldens": answers,
            }
            self._runner.send_message("scene", said, client_id=node)
        _until(lambda: len(self._told) >= self.workers, _TOLD_S)
        refused = [reason for reason in self._told.values() if reason]
        if refused or len(self._told) < self.workers:
            raise CannotRun(f"a worker cannot take part: {refused[0] if refused else 'it did not answer'}")

    def fire(self, phases: Sequence[Window], *, zero_s: float) -> list[Record]:
        """Let every worker send its share; whoever is lost is counted, and its records are missing."""
        self._sent.clear()
        self._records.clear()
        said = {"phases": [asdict(phase) for phase in phases], "zero_in_s": zero_s - time.monotonic()}
        for node in self._team():
            self._runner.send_message("fire", said, client_id=node)
        self._tell(f"{len(self._team())} workers send {', '.join(phase.name for phase in phases)}")
        ends_s = zero_s + phases[-1].ends_s + self._slo.drain_s + _GRACE_S
        _until(
            lambda: all(node in self._sent or self._is_lost(node) for node in self._team()), ends_s - time.monotonic()
        )
        whole = [node for node in self._team() if self._sent.get(node) == len(self._records.get(node, []))]
        self.lost = self.workers - len(whole)
        return sorted((r for rows in self._records.values() for r in rows), key=lambda record: record.intended_s)

    def close(self) -> None:
        """Send the workers home."""
        self._runner.quit()

    def _team(self) -> list[str]:
        return self._here[: self.workers]

    def _is_lost(self, node: str) -> bool:
        client = self._runner.clients.get(node)
        return client is None or client.state == STATE_MISSING


class Worker:
    """Sends its share of what the master says.

    Args:
        runner: connected to the master.
        token: for the deployment, where it asks for one.
    """

    def __init__(self, runner: WorkerRunner, token: str | None, tell: Callable[[str], None]) -> None:
        self._runner, self._token, self._tell = runner, token, tell
        self._crowd: Crowd | None = None
        self._shots: list[Shot] = []
        self._slo: Slo | None = None
        self._number, self._of = 0, 1
        runner.register_message("scene", _listener(self._on_scene))
        runner.register_message("fire", _listener(self._on_fire), concurrent=True)
        runner.send_message("here")

    def _on_scene(self, _: str, said: dict[str, Any]) -> None:
        reason = ""
        if said.get("schema") != SCHEMA:
            reason = f"it writes {SCHEMA}, the master {said.get('schema')}; use the same commit everywhere"
        elif said["needs_token"] and not self._token:
            reason = "it has no PENTIMENTO_TOKEN; tokens are not sent between processes, set it there too"
        else:
            self._prepare(said)
        self._runner.send_message("told", reason)  # type: ignore[arg-type]  # a text is as good as a dictionary

    def _prepare(self, said: dict[str, Any]) -> None:
        scene, self._slo = Scene(**said["scene"]), Slo.model_validate(said["slo"])
        goldens = Goldens(self._slo.golden.min_ssim)
        for name, (blob, digest) in said["goldens"].items():
            goldens.add(name, Golden(blob, digest))
        target = Target(host=said["host"], token=self._token if said["needs_token"] else None)
        self._crowd = Crowd(self._runner.environment, target, goldens, worker=scene.worker)
        self._shots = shots_of(self._slo.mix, scene)
        self._number, self._of = scene.worker, said["workers"]

    def _on_fire(self, _: str, said: dict[str, Any]) -> None:
        if self._crowd is None or self._slo is None:
            return
        self._crowd.zero_s = time.monotonic() + said["zero_in_s"]
        phases = [Window(**phase) for phase in said["phases"]]
        mine = schedule(self._shots, phases, seed=self._slo.seed)[self._number :: self._of]
        records = self._crowd.fire(mine, drain_s=self._slo.drain_s, tell=self._tell)
        for start in range(0, len(records), _CHUNK):
            rows: Any = [asdict(record) for record in records[start : start + _CHUNK]]
            self._runner.send_message("records", rows)
        self._runner.send_message("sent", len(records))  # type: ignore[arg-type]


def work(address: tuple[str, int], token: str | None, tell: Callable[[str], None]) -> None:
    """Connect to a master, do what it says, and return when it says so.

    Raises:
        CannotRun: there is no master.
    """
    try:
        runner = Environment(catch_exceptions=False).create_worker_runner(*address)
    except ConnectionError as error:
        raise CannotRun(f"there is no master at {address[0]}:{address[1]}; start it with --master") from error
    tell(f"connected to the master at {address[0]}:{address[1]}")
    Worker(runner, token, tell)
    runner.greenlet.join()


def _master_runner(address: tuple[str, int]) -> MasterRunner:
    try:
        return Environment(catch_exceptions=False).create_master_runner(*address)
    except SystemExit as error:  # Locust's way to say that the port is taken
        raise CannotRun(f"{address[0]}:{address[1]} is taken; use another --master-bind-port") from error


def _listener(take: Callable[[str, Any], Any]) -> Callable[..., None]:
    """Locust's form of a listener around `take(node, data)`."""

    def listen(environment: Environment, msg: Any, **_: Any) -> None:
        take(msg.node_id, msg.data)

    return listen


def _until(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait for it; whether it came."""
    end_s = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end_s:
            return False
        gevent.sleep(0.05)
    return True
