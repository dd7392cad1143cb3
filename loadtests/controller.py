"""The loop that scales: ask Prometheus what the ScaledObject asks, decide as KEDA and the HPA would, do it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loadtests.keda import Answer, Keda
from loadtests.manifests import Scaling
from loadtests.prometheus import Prometheus
from loadtests.proxy import Proxy
from loadtests.replicas import Fleet, Settings

_TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """What stood at one moment.

    Args:
        at_s: seconds, on the clock of `time.time`.
        wanted: replicas after the decision.
        ready: replicas that got requests.
        metrics: every trigger's answer; None where there was none.
    """

    at_s: float
    wanted: int
    ready: int
    metrics: dict[str, float | None]


@dataclass(slots=True)
class Rig:
    """Prometheus, nginx and the replicas, all children of this process.

    Open and close it from one thread that lives as long: its children end with that thread.

    Args:
        folder: an empty one.
        scaling: what the manifests say.
        settings: of the replicas.
        tell: told what happens, one line at a time.
    """

    folder: Path
    scaling: Scaling
    settings: Settings
    tell: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    _keda: Keda = field(init=False)
    _next_s: float = 0.0
    prometheus: Prometheus = field(init=False)
    proxy: Proxy = field(init=False)
    fleet: Fleet = field(init=False)

    def __enter__(self) -> "Rig":
        self._keda = Keda(self.scaling)
        self.prometheus = Prometheus(self.folder, scrape_s=self.scaling.scrape_s)
        try:
            self.proxy = Proxy(self.folder)
        except BaseException:
            self.prometheus.close()
            raise
        self.fleet = Fleet(
            self.folder, self.settings, route=self.proxy.serve, scrape=self.prometheus.scrape, tell=self.tell
        )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.fleet.close()
        finally:
            self.proxy.close()
            self.prometheus.close()

    def open(self) -> None:
        """Start the fewest replicas and wait until they are ready and Prometheus knows them."""
        self.fleet.want(max(1, self.scaling.bounds.minimum))
        while self.fleet.ready < self.fleet.wanted or any(answer.value is None for answer in self._ask().values()):
            self.fleet.step()
            time.sleep(_TICK_S)

    def run(self, until: Callable[[], bool]) -> None:
        """Scale until `until` says so, looking several times a second.

        Raises:
            ChildError: a replica died by itself, or nginx did.
        """
        while not until():
            self.fleet.step()
            if time.monotonic() >= self._next_s:
                self._next_s = time.monotonic() + self.scaling.sync_s
                self._decide()
            time.sleep(_TICK_S)

    def at_rest(self) -> bool:
        """Whether the fewest replicas are left and every other one is gone."""
        running = [replica for replica in self.fleet.all if replica.state != "gone"]
        return len(running) == self.fleet.ready == max(1, self.scaling.bounds.minimum)

    def _ask(self) -> dict[str, Answer]:
        return {trigger.name: self.prometheus.ask(trigger.query) for trigger in self.scaling.triggers}

    def _decide(self) -> None:
        answers = self._ask()
        current = self.fleet.wanted
        wanted = self._keda.decide(answers, current=current, now_s=time.monotonic())
        if wanted != current:
            found = ", ".join(
                f"{trigger.name} {_shown(answers[trigger.name].value)} of {trigger.threshold:g} each"
                for trigger in self.scaling.triggers
            )
            self.tell(f"{found}: {current} -> {wanted} replicas")
            self.fleet.want(wanted)
        metrics = {name: answer.value for name, answer in answers.items()}
        self.samples.append(Sample(time.time(), wanted, self.fleet.ready, metrics))


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
