"""What the autoscaler would do: a small model of replicas under arrivals, decided by the rig's own arithmetic.

A replica works through its queue one request after the other, as the service's engine does; requests are dealt in
turn; Prometheus sees what stood at its last scrape; a new replica gets requests once it is ready; one that goes
finishes first.
"""

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtests.controller import Sample
from loadtests.keda import Answer, Keda
from loadtests.manifests import Scaling, Trigger

_STEP_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What a replica can do, as measured.

    Args:
        work_s: of one replica for one request.
        pixels: of one request, in the queue's count.
        start_s: from a replica's start until it is ready.
        speed: replicas that can work at full speed at a time; where they share two cores, not all of them can.
        most_requests: in one replica; more are shed.
    """

    work_s: float
    pixels: float
    start_s: float
    speed: float = float("inf")
    most_requests: int = 64


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of it.

    Args:
        latencies_s: of every request that was not shed, in the order of their ends.
    """

    samples: list[Sample]
    latencies_s: list[float]
    shed: int


@dataclass(slots=True)
class _Replica:
    ready_s: float
    queue: deque[list[float]] = field(default_factory=deque)  # (arrived, work left)
    leaving: bool = False


def simulate(scaling: Scaling, machine: Machine, arrivals_s: Sequence[float], *, until_s: float) -> Simulated:
    """Run the model from the fewest replicas, all ready.

    Args:
        arrivals_s: when each request comes, in order.
    """
    keda = Keda(scaling)
    replicas = [_Replica(0.0) for _ in range(max(1, scaling.bounds.minimum))]
    found = Simulated([], [], 0)
    shed, turn = 0, itertools.count()
    coming = deque(arrivals_s)
    scraped: dict[str, Answer] = {}
    next_scrape_s = next_sync_s = 0.0
    for step in range(int(until_s / _STEP_S)):
        now_s = step * _STEP_S
        while coming and coming[0] <= now_s:
            taking = [replica for replica in replicas if not replica.leaving and replica.ready_s <= now_s]
            replica = taking[next(turn) % len(taking)]
            if len(replica.queue) >= machine.most_requests:
                shed += 1
            else:
                replica.queue.append([coming[0], machine.work_s])
            coming.popleft()
        _work(replicas, machine, now_s, found.latencies_s)
        replicas = [replica for replica in replicas if replica.queue or not replica.leaving]
        if now_s >= next_scrape_s:
            next_scrape_s = now_s + scaling.scrape_s
            scraped = {trigger.name: Answer(_metric(trigger, replicas, machine)) for trigger in scaling.triggers}
        if now_s >= next_sync_s:
            next_sync_s = now_s + scaling.sync_s
            wanted = keda.decide(scraped, current=_staying(replicas), now_s=now_s)
            _resize(replicas, wanted, ready_s=now_s + machine.start_s)
            ready = sum(1 for replica in replicas if not replica.leaving and replica.ready_s <= now_s)
            found.samples.append(Sample(now_s, wanted, ready, {name: a.value for name, a in scraped.items()}))
    return Simulated(found.samples, found.latencies_s, shed)


def agreement(simulated: Sequence[Sample], measured: Sequence[Sample]) -> float:
    """The share of the measured decisions at which the simulation wanted as many replicas; 0 of nothing."""
    same = 0
    for sample in measured:
        before = [other.wanted for other in simulated if other.at_s <= sample.at_s]
        same += bool(before) and before[-1] == sample.wanted
    return same / len(measured) if measured else 0.0


def _work(replicas: Sequence[_Replica], machine: Machine, now_s: float, latencies_s: list[float]) -> None:
    busy = [replica for replica in replicas if replica.queue]
    share = min(1.0, machine.speed / len(busy)) if busy else 0.0
    for replica in busy:
        left = _STEP_S * share
        while replica.queue and left > 0:
            first = replica.queue[0]
            spent = min(left, first[1])
            first[1] -= spent
            left -= spent
            if first[1] <= 1e-12:
                latencies_s.append(now_s + _STEP_S - left - first[0])
                replica.queue.popleft()


def _metric(trigger: Trigger, replicas: Sequence[_Replica], machine: Machine) -> float | None:
    in_progress = sum(len(replica.queue) for replica in replicas)
    if "pentimento_in_progress" in trigger.query:
        return in_progress
    return in_progress * machine.pixels if "pentimento_queue_pixels" in trigger.query else None


def _staying(replicas: Sequence[_Replica]) -> int:
    return sum(not replica.leaving for replica in replicas)


def _resize(replicas: list[_Replica], wanted: int, *, ready_s: float) -> None:
    """The youngest go first, as the rig does it."""
    while _staying(replicas) < wanted:
        replicas.append(_Replica(ready_s))
    staying = sorted((r for r in replicas if not r.leaving), key=lambda replica: replica.ready_s)
    for replica in staying[wanted:]:
        replica.leaving = True
