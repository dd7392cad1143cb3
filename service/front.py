"""What stands before everything else on HTTP: request ids, security headers, and the answer to any error.

Every answer is counted, logged and traced here, so that no endpoint can forget to.
"""

import logging
import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Router
from starlette.types import Message, Receive, Scope, Send

from registry.errors import StoreError
from service.drain import Drain
from service.lane import Abandoned
from service.logs import ACCESS
from service.metrics import Metrics
from service.problems import as_refusal, crashed, lost, problem
from service.requests import Facts, remember
from service.traces import NoTracing, Tracing
from service.unread import Body, answer_before_reading

log = logging.getLogger("pentimento.service")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})
_ROUTINE = frozenset({"livez", "readyz", "prometheus"})  # asked for every few seconds: logged when they fail
_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Front:
    """Wraps the application of `routes`.

    Args:
        application: answers requests, or raises a Refusal (or a lower layer's error that means one).
        metrics: told of every answer.
        drain: told of every request, from its arrival to its answer.
        tracing: told of every answer.
    """

    def __init__(self, application: Router, metrics: Metrics, drain: Drain, tracing: Tracing | None = None) -> None:
        self._application = application
        self._metrics = metrics
        self._drain = drain
        self._tracing = tracing or NoTracing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("x-request-id", "")
        facts = Facts(given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex)
        remember(scope, facts)
        scope["app"] = self._application  # Starlette's router raises its 404 and 405 only inside an application
        begun_ns, begun, status = time.time_ns(), time.perf_counter(), 0
        body = Body(scope, receive)

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._mark(message, facts)
            await send(message)

        try:
            with self._drain.counted():
                await self._application(scope, body.receive, send_marked)
        except (Abandoned, ClientDisconnect):
            status = 499  # the client has gone; nobody reads an answer
        except Exception as error:
            if status:  # the answer had begun: it cannot be taken back, only cut
                raise
            await answer_before_reading(self._answer(scope, error, facts), scope, body, send_marked)
        finally:
            self._observe(scope, status, time.perf_counter() - begun, begun_ns, facts)

    def _mark(self, message: Message, facts: Facts) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-Id"] = facts.request_id
        for name, value in _SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._drain.begun:
            headers["Connection"] = "close"  # the next request finds a replica that stays

    def _answer(self, scope: Scope, error: Exception, facts: Facts) -> Response:
        if isinstance(error, HTTPException):
            return lost(scope, error, allowed=self._allowed(scope), request_id=facts.request_id)
        refusal = as_refusal(error)
        if refusal is None or isinstance(error, StoreError):
            log.error("the request failed", exc_info=error, extra={"fields": {"request_id": facts.request_id}})
        facts.refusal = "internal" if refusal is None else refusal.code
        self._metrics.refused.labels(facts.refusal).inc()
        return crashed(facts.request_id) if refusal is None else problem(refusal, request_id=facts.request_id)

    def _allowed(self, scope: Scope) -> str:
        """Every method that works at the request's path: two routes may share it."""
        matching = (route for route in self._application.routes if route.matches(scope)[0] is not Match.NONE)
        return ", ".join(sorted({method for route in matching for method in getattr(route, "methods", None) or ()}))

    def _observe(self, scope: Scope, status: int, seconds: float, begun_ns: int, facts: Facts) -> None:
        endpoint = scope.get("endpoint")
        route = getattr(endpoint, "__name__", "none")  # the function's name: a fixed set, unlike the path
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if route in _ROUTINE and status < 400:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._tracing.record(facts, name=f"{method} {route}", status=status, begun_ns=begun_ns, headers=headers)
        ACCESS.info("%s %s %d", method, route, status, extra={"fields": _fields(route, method, status, seconds, facts)})


def _fields(route: str, method: str, status: int, seconds: float, facts: Facts) -> dict[str, Any]:
    fields = {
        "request_id": facts.request_id,
        "route": route,
        "method": method,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "version": facts.version,
        "pixels": facts.pixels,
        "token": facts.holder,
        "problem": facts.refusal,
        "stages_ms": {stage: round(spent * 1000, 1) for stage, spent in facts.stages.seconds.items()} or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
