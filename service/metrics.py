"""What Prometheus is told. Every label has a small set of values: no path, no style name, no client text.

Versions are labels where versions are compared; a process meets as many as are promoted while it lives.
"""

import os
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from service.follower import Follower, Outcome
    from service.resident import Resident

_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32)
_STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The service's metrics. One per process: BentoML's workers share them through files that it sets up."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._shown: dict[str, Resident | None] = {}
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
        self.paintings = Counter(
            "pentimento_paintings",
            "Pictures painted, by version and by what became of them",
            ["version", "role", "outcome"],
            registry=registry,
        )
        self.painting_seconds = Histogram(
            "pentimento_painting_seconds",
            "The engine's own time for one picture, by version",
            ["version", "role"],
            buckets=_STAGE_BUCKETS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "pentimento_batch_size",
            "Pictures that the engine painted at once",
            buckets=_BATCH_BUCKETS,
            registry=registry,
        )
        self.model_changes = Counter(
            "pentimento_model_changes",
            "What became of versions that an alias pointed to",
            ["role", "outcome"],
            registry=registry,
        )
        self.model_refused = Gauge(
            "pentimento_model_refused",
            "1 while an alias points to a version that must not paint",
            ["role"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.queue_pixels = self._gauge("pentimento_queue_pixels", "Pixels waiting and being painted")
        self.queue_capacity_pixels = self._gauge("pentimento_queue_capacity_pixels", "Most pixels that may wait")
        self.in_progress = self._gauge("pentimento_in_progress", "Requests being received, waiting or being painted")
        self.photo_pixels = self._gauge("pentimento_photo_pixels", "Pixels of photographs kept for previews")
        self.gpu_memory_bytes = self._gauge("pentimento_gpu_memory_bytes", "GPU memory that this process holds")
        self.draining = self._gauge("pentimento_draining", "1 while the service finishes what it accepted, to go away")
        self.ready = self._gauge("pentimento_ready", "1 when a model is loaded and warm")
        self.model = Gauge(
            "pentimento_model_info",
            "1 for a model that paints, 0 for one that did",
            ["role", "version", "digest", "engine", "precision"],
            multiprocess_mode="livemax",
            registry=registry,
        )

    def tell_change(self, follower: "Follower", outcome: "Outcome") -> None:
        """Note what became of a version that an alias pointed to."""
        self.model_changes.labels(follower.role, outcome).inc()
        self.model_refused.labels(follower.role).set(follower.refused is not None)
        if follower.role == "champion":
            self.ready.set(follower.current is not None)
        current = follower.current
        shown = self._shown.get(follower.role)
        if shown is not None and shown is not current:
            self._model_of(follower.role, shown).set(0)
        if current is not None:
            self._model_of(follower.role, current).set(1)
        self._shown[follower.role] = current

    def _model_of(self, role: str, model: "Resident") -> Gauge:
        return self.model.labels(role, model.version, model.digest, model.engine.name, model.engine.precision)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format, over all of the service's workers."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)
        return generate_latest(gathered)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, multiprocess_mode="livesum", registry=self._registry)
