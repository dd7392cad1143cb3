"""What a set of records says in numbers."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtests.records import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Latencies:
    """Nearest-rank percentiles in milliseconds; None of nothing, and where the answer never came."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """One endpoint in one phase.

    Args:
        accepted: latencies of what was not refused, counted from the intended start.
        refused: latencies of what was shed.
        retry_after_s: the longest that a refused client was told to wait.
        lowest_ssim: of the paintings whose bytes were not those of the golden one.
    """

    requests: int
    unanswered: int
    error_share: float | None
    shed_share: float | None
    accepted: Latencies
    refused: Latencies
    retry_after_s: float | None
    lowest_ssim: float | None


def figures(records: Sequence[Record]) -> Figures:
    """Count and measure."""
    shed = [record for record in records if record.was_shed]
    return Figures(
        requests=len(records),
        unanswered=sum(record.status == 0 for record in records),
        error_share=share(record.is_wrong for record in records),
        shed_share=share(record.was_shed for record in records),
        accepted=latencies([record for record in records if not record.was_shed]),
        refused=latencies(shed),
        retry_after_s=max((record.retry_after_s or 0.0 for record in shed), default=None),
        lowest_ssim=min((record.ssim for record in records if record.ssim is not None), default=None),
    )


def latencies(records: Sequence[Record]) -> Latencies:
    """Of answers; what never came counts as infinitely late."""
    values = [record.latency_ms for record in records]
    p50, p95, p99, most = (_finite(percentile(values, at)) for at in (0.5, 0.95, 0.99, 1.0))
    return Latencies(count=len(values), p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=most)


def percentile(values: Sequence[float], at: float) -> float | None:
    """The smallest value that at least `at` (a share) of the values do not pass (nearest rank); None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(at * len(values)) - 1)]


def share(hits: Iterable[bool]) -> float | None:
    """How much of it is true; None of nothing."""
    seen = list(hits)
    return sum(seen) / len(seen) if seen else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
