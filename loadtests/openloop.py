"""Open-loop traffic on Locust's runner: every request has its time beforehand and is sent then, whatever became of
the earlier ones. A closed loop (wait for the answer, then send) sends less while the server stalls, and so hides it.
"""

import random
import time
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, task
from locust.env import Environment

from loadtests.checks import Answer
from loadtests.shots import Shot
from loadtests.verdict import Record


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that shall be sent `at_s` seconds after the start."""

    at_s: float
    shot: Shot


def schedule(shots: list[Shot], *, rate_per_s: float, duration_s: float, seed: int) -> list[Arrival]:
    """Poisson arrivals (strangers do not wait for one another); every kind of shot once, where there is time."""
    dice = random.Random(seed)
    times, now = [], dice.expovariate(rate_per_s)
    while now < duration_s:
        times.append(now)
        now += dice.expovariate(rate_per_s)
    weights = [shot.weight for shot in shots]
    once = dice.sample(shots, len(shots)) if len(times) >= len(shots) else []
    kinds = once + dice.choices(shots, weights, k=len(times) - len(once))
    dice.shuffle(kinds)
    return [Arrival(at_s, shot) for at_s, shot in zip(times, kinds, strict=True)]


def fire(host: str, arrivals: list[Arrival], *, drain_s: float) -> list[Record]:
    """Send every arrival at its time, wait for the answers, and return one record for each arrival, in their order.

    Whoever has not answered `drain_s` seconds after the last one was sent is recorded as not answering.
    """
    records: list[Record] = []

    class Crowd(FastHttpUser):
        """All the strangers together: Locust's client and statistics, our clock."""

        concurrency = max(1, len(arrivals))  # connections; fewer would make requests queue here, unseen
        connection_timeout = network_timeout = drain_s + arrivals[-1].at_s if arrivals else drain_s
        max_redirects = 0

        @task
        def send_all(self) -> None:
            pool = Pool()
            begun_s = time.monotonic()
            for arrival in arrivals:
                gevent.sleep(max(0.0, begun_s + arrival.at_s - time.monotonic()))
                record = Record(arrival.shot.name, arrival.shot.endpoint, begun_s + arrival.at_s)
                records.append(record)
                pool.spawn(_send, self, arrival.shot, record)
            pool.join(timeout=drain_s)
            pool.kill()
            gevent.spawn(runner.quit)  # from a greenlet of its own: it kills the one that runs this task
            gevent.sleep(3600)

    environment = Environment(user_classes=[Crowd], host=host, catch_exceptions=False)
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    return records


def _send(user: FastHttpUser, shot: Shot, record: Record) -> None:
    record.sent_s = time.monotonic()
    headers = {"Content-Type": shot.content_type} if shot.content_type else {}
    body: Any = shot.body  # Locust says str or dict, and sends bytes as they are
    with user.client.request(
        shot.method, shot.path, name=shot.name, data=body, headers=headers, catch_response=True
    ) as response:
        record.answered_s = time.monotonic()
        response.request_meta["response_time"] = (record.answered_s - record.intended_s) * 1000
        status = response.status_code or 0
        if status == 0:
            record.problem = f"no answer ({type(getattr(response, 'error', None)).__name__})"
        else:
            headers = {name.lower(): value for name, value in (response.headers or {}).items()}
            record.status = status
            record.problem = shot.check(Answer(status, headers, response.content or b""))
        if record.problem is None:
            response.success()
        else:
            response.failure(record.problem)
