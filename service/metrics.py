"""What Prometheus is told. Every label has a small, fixed set of values: no path, no style name, no client text."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

STAGES = ("decode", "wait", "encode_style", "stylize", "encode")
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The service's metrics. One per process: BentoML's workers share them through files that it sets up."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self.requests = Counter(
            "pentimento_requests", "Requests answered", ["route", "method", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "pentimento_request_seconds", "Time to answer", ["route"], buckets=_REQUEST_BUCKETS, registry=registry
        )
        self.stage_seconds = Histogram(
            "pentimento_stage_seconds",
            "Time of one stage of painting a picture",
            ["stage"],
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self.refused = Counter(
            "pentimento_refused", "Requests that got a problem instead of a picture", ["reason"], registry=registry
        )
        self.style_codes = Counter(
            "pentimento_style_codes", "Style codes asked for, by where they were found", ["found"], registry=registry
        )
        self.queue_pixels = self._gauge("pentimento_queue_pixels", "Pixels waiting and being painted")
        self.queue_capacity_pixels = self._gauge("pentimento_queue_capacity_pixels", "Most pixels that may wait")
        self.in_progress = self._gauge("pentimento_in_progress", "Requests being received, waiting or being painted")
        self.ready = self._gauge("pentimento_ready", "1 when a model is loaded and warm")
        self.model = Gauge(
            "pentimento_model_info",
            "The model that paints: always 1",
            ["version", "digest", "engine", "precision"],
            multiprocess_mode="livemax",
            registry=registry,
        )

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format, over all of the service's workers."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)
        return generate_latest(gathered)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, multiprocess_mode="livesum", registry=self._registry)
