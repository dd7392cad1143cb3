"""OpenTelemetry traces, where the standard variables ask for them: one span a request, one below it for each stage.

    OTEL_EXPORTER_OTLP_ENDPOINT  where spans are sent (needs opentelemetry-exporter-otlp-proto-http)
    OTEL_TRACES_EXPORTER         console writes them to stderr; none sends nothing
    OTEL_SERVICE_NAME            "pentimento" by default

A request that carries a `traceparent` joins its caller's trace. Nothing of OpenTelemetry is imported otherwise.
"""

import logging
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from service.requests import Facts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

log = logging.getLogger("pentimento.service")


class Tracing(Protocol):
    """Told of every request once it is answered."""

    def record(self, facts: Facts, *, name: str, status: int, begun_ns: int, headers: Mapping[str, str]) -> None:
        """Make the request's spans."""
        ...

    def close(self) -> None:
        """Send what was not sent yet."""
        ...


class NoTracing:
    """Traces were not asked for."""

    def record(self, facts: Facts, *, name: str, status: int, begun_ns: int, headers: Mapping[str, str]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class OpenTelemetryTracing:
    """Spans made after the fact, from the times that every request keeps anyway: painting threads know no spans."""

    def __init__(self, exporter: "SpanExporter", service_name: str = "pentimento") -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._provider = TracerProvider(resource=Resource.create({"service.name": service_name}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("pentimento.service")

    def record(self, facts: Facts, *, name: str, status: int, begun_ns: int, headers: Mapping[str, str]) -> None:
        """One span for the request, from `begun_ns` until now, and one for each of its stages."""
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        attributes: dict[str, Any] = {"http.response.status_code": status, "pentimento.request_id": facts.request_id}
        if facts.version is not None:
            attributes |= {"pentimento.version": facts.version, "pentimento.pixels": facts.pixels}
        span = self._tracer.start_span(
            name,
            context=TraceContextTextMapPropagator().extract(dict(headers)),
            kind=trace.SpanKind.SERVER,
            start_time=begun_ns,
            attributes=attributes,
        )
        within = trace.set_span_in_context(span)
        for stage, seconds in facts.stages.seconds.items():
            stage_ns = facts.stages.begun_ns[stage]
            self._tracer.start_span(stage, context=within, start_time=stage_ns).end(stage_ns + int(seconds * 1e9))
        if status >= 500:
            span.set_status(trace.StatusCode.ERROR)
        span.end(time.time_ns())

    def close(self) -> None:
        """Send what was not sent yet."""
        self._provider.shutdown()


def tracing_from_env(env: Mapping[str, str] | None = None) -> Tracing:
    """What the standard variables ask for. A missing exporter is told and does not stop the service."""
    values = os.environ if env is None else env
    wanted = values.get("OTEL_TRACES_EXPORTER", "otlp" if values.get("OTEL_EXPORTER_OTLP_ENDPOINT") else "none")
    if wanted == "none" or values.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return NoTracing()
    try:
        exporter = _exporter(wanted)
    except ImportError as error:
        log.error("traces are asked for, but %s; pip install opentelemetry-exporter-otlp-proto-http", error)
        return NoTracing()
    if exporter is None:
        log.error("OTEL_TRACES_EXPORTER=%r is not known; use otlp, console or none", wanted)
        return NoTracing()
    return OpenTelemetryTracing(exporter, values.get("OTEL_SERVICE_NAME") or "pentimento")


def _exporter(wanted: str) -> "SpanExporter | None":
    if wanted == "console":
        import sys

        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + os.linesep)
    if wanted == "otlp":
        # An extra package; without it an ImportError tells which.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found]
            OTLPSpanExporter,
        )

        return OTLPSpanExporter()
    return None
