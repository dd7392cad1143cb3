"""What stands before everything else on HTTP: request ids, security headers, metrics, and the answer to any error."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.errors import StoreError
from service.lane import Abandoned
from service.metrics import Metrics
from service.problems import as_refusal, crashed, lost, problem

log = logging.getLogger("pentimento.service")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})
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
    """

    def __init__(self, application: ASGIApp, metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope["app"] = self._application  # Starlette's router raises its 404 and 405 only inside an application
        begun, status = time.perf_counter(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._application(scope, receive, send_marked)
        except (Abandoned, ClientDisconnect):
            status = 499  # the client has gone; nobody reads an answer
        except Exception as error:
            if status:  # the answer had begun: it cannot be taken back, only cut
                raise
            await self._answer(scope, error, request_id)(scope, receive, send_marked)
        finally:
            self._observe(scope, status, time.perf_counter() - begun)

    def _answer(self, scope: Scope, error: Exception, request_id: str) -> Response:
        if isinstance(error, HTTPException):
            return lost(scope, error, request_id=request_id)
        refusal = as_refusal(error)
        if refusal is None or isinstance(error, StoreError):
            log.error("request %s failed", request_id, exc_info=error)
        self._metrics.refused.labels("internal" if refusal is None else refusal.code).inc()
        return crashed(request_id) if refusal is None else problem(refusal, request_id=request_id)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        endpoint = scope.get("endpoint")
        route = getattr(endpoint, "__name__", "none")  # the function's name: a fixed set, unlike the path
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
