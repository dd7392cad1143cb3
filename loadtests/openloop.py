"""Open-loop traffic with Locust's client: every request has its time beforehand and is sent then, whatever became of
the earlier ones. A closed loop (wait for the answer, then send) sends less while the server stalls, and so hides it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gevent
import gevent.ssl
from gevent.pool import Pool
from locust import FastHttpUser
from locust.env import Environment

from loadtests.checks import Answer
from loadtests.golden import Goldens
from loadtests.marking import mark
from loadtests.phases import Arrival
from loadtests.records import IDLE, Record
from loadtests.shots import Shot

_MOST_CONNECTIONS = 100_000  # fewer than requests in flight would make them queue here, unseen
_FOR_EVER_S = 86_400.0  # who waits how long is decided here, not in the client


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The deployment under test.

    Args:
        host: base URL.
        token: bearer token; None where the deployment asks for none.
    """

    host: str
    token: str | None = None


class _Stranger(FastHttpUser):
    """Locust's client and statistics. Each request has a connection of its own, as strangers have."""

    abstract = True
    concurrency = _MOST_CONNECTIONS
    connection_timeout = network_timeout = _FOR_EVER_S
    max_redirects = 0
    insecure = False
    ssl_context_factory = staticmethod(gevent.ssl.create_default_context)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client.client.cookiejar = None  # a cookie would glue all the strangers to one replica
        connections: Any = self.client.client.clientpool.get_client(str(self.host))._connection_pool
        connections.return_socket = connections.release_socket  # never used again, also where the server would keep it
        connections.size = -1  # it sends a GET again, up to size + 1 times, if the server hangs up: that is to be seen


class Crowd:
    """Everybody who sends, in one process.

    Args:
        environment: Locust's, with a runner, which keeps the statistics.
        goldens: what paintings are held against.
        worker: the number of this process.
        patience_s: how long an answer is waited for outside of the test proper.
    """

    def __init__(
        self,
        environment: Environment,
        target: Target,
        goldens: Goldens,
        *,
        worker: int = 0,
        patience_s: float = 10.0,
    ) -> None:
        environment.host = target.host
        self.goldens, self.patience_s = goldens, patience_s
        self.zero_s = time.monotonic()  # time 0 of the records, until somebody sets it
        self._user = type("Stranger", (_Stranger,), {"host": target.host})(environment)
        self._headers = {"Connection": "close"} | ({"Authorization": f"Bearer {target.token}"} if target.token else {})
        self._worker = worker

    def now_s(self) -> float:
        """The time on the records' clock."""
        return time.monotonic() - self.zero_s

    def ask(self, shot: Shot, *, timeout_s: float) -> list[tuple[Shot, Record, Answer]]:
        """Send one request now and wait for it, and for what follows from it."""
        asked: list[tuple[Shot, Record, Answer]] = []
        following: Shot | None = shot
        while following:
            record = self._record(IDLE, following, self.now_s())
            sending = gevent.spawn(self._send, following, following.body(), record)
            sending.join(timeout_s)
            answer = sending.get() if sending.ready() else Answer(0, {}, b"")
            if not sending.ready():
                record.problem = f"no answer within {timeout_s:g} s"
                sending.kill()
            asked.append((following, record, answer))
            following = _next(following, record, answer)
        return asked

    def fire(self, arrivals: Sequence[Arrival], *, drain_s: float, tell: Callable[[str], None]) -> list[Record]:
        """Send every arrival at its time, wait for the answers, and return a record of every request.

        Whoever has not answered `drain_s` seconds after the last one was sent is recorded as not answering.
        """
        bodies = [arrival.shot.body() for arrival in arrivals]
        records: list[Record] = []
        pool, phase = Pool(), ""
        for arrival, body in zip(arrivals, bodies, strict=True):
            gevent.sleep(max(0.0, self.zero_s + arrival.at_s - time.monotonic()))
            if arrival.phase != phase:
                phase = arrival.phase
                tell(f"{self.now_s():6.1f} s  {phase}")
            pool.spawn(self._visit, arrival.shot, body, self._record(phase, arrival.shot, arrival.at_s), records)
        pool.join(timeout=drain_s)
        pool.kill()
        for record in records:
            if record.status == 0 and record.problem is None:
                record.problem = f"no answer within {drain_s:g} s of the last request"
        return records

    def visit(self, phase: str, shot: Shot, intended_s: float, records: list[Record]) -> None:
        """Send one request now, and what follows from it; each is appended to the records before it is sent."""
        self._visit(shot, shot.body(), self._record(phase, shot, intended_s), records)

    def _visit(self, shot: Shot, body: bytes, record: Record, records: list[Record]) -> None:
        records.append(record)
        answer = self._send(shot, body, record)
        following = _next(shot, record, answer)
        while following:
            record = self._record(record.phase, following, self.now_s())
            record.follows = True
            records.append(record)
            answer = self._send(following, following.body(), record)
            following = _next(following, record, answer)

    def _record(self, phase: str, shot: Shot, intended_s: float) -> Record:
        return Record(phase, shot.name, shot.endpoint, intended_s, worker=self._worker, pixels=shot.pixels)

    def _send(self, shot: Shot, body: bytes, record: Record) -> Answer:
        record.sent_s, record.sent_bytes = self.now_s(), len(body)
        headers = self._headers | ({"Content-Type": shot.content_type} if shot.content_type else {})
        data: Any = body  # Locust says str or dict, and sends bytes as they are
        with self._user.client.request(
            shot.method, shot.path, name=shot.name, data=data, headers=headers, catch_response=True
        ) as response:
            record.answered_s = self.now_s()
            response.request_meta["response_time"] = (record.answered_s - record.intended_s) * 1000
            answer = _answer(response)
            if answer.status:
                mark(record, shot, answer, self.goldens)
            else:
                record.problem = f"no answer ({answer.headers['error']})"
            if record.problem or record.was_shed:
                response.failure(record.problem or f"shed with {record.status}")
            else:
                response.success()
        return answer


def _answer(response: Any) -> Answer:
    if not response.status_code:
        return Answer(0, {"error": type(getattr(response, "error", None)).__name__}, b"")
    headers = {name.lower(): value for name, value in (response.headers or {}).items()}
    try:
        body = response.content or b""
    except Exception as error:  # whatever the client says of an answer that was cut off
        return Answer(0, {"error": f"cut off, {type(error).__name__}"}, b"")
    announced = headers.get("content-length", "")
    if announced.isdigit() and "content-encoding" not in headers and len(body) < int(announced):
        return Answer(0, {"error": f"cut off after {len(body)} of {announced} bytes"}, b"")  # the client does not mind
    return Answer(response.status_code, headers, body)


def _next(shot: Shot, record: Record, answer: Answer) -> Shot | None:
    return shot.then(answer) if shot.then and not record.is_wrong and not record.was_shed else None
