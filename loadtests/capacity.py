"""From the records of a step or breakpoint run to what one replica can do, and what follows: pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.figures import percentile
from loadtests.mix import LARGE_PX, PICTURE_PX, PREVIEW_PX
from loadtests.records import IDLE, Record, Run, Window

_PIXELS = {
    "preview": PREVIEW_PX[0] * PREVIEW_PX[1],
    "large": LARGE_PX[0] * LARGE_PX[1],
    "picture": PICTURE_PX[0] * PICTURE_PX[1],
}


class CapacityError(ValueError):
    """Records from which no capacity follows. The message names the cure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """One rate and what it did to the paintings.

    Args:
        rate_per_s: of all requests that were asked for.
        answered_per_s: right answers of any kind, over the time until the last of them.
        painted_per_s: the paintings among them.
        in_progress: paintings under way, on average (Little's law: the sum of their times over the phase's length).
        held: nothing wrong, nothing shed, and the 95th percentile within the SLO.
    """

    rate_per_s: float
    answered_per_s: float
    painted_per_s: float
    p95_ms: float | None
    in_progress: float
    wrong: int
    shed: int
    held: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity:
    """What one replica can do within the SLO, and what that means for a demand.

    Args:
        pixels: of a painting, on average.
        replicas: that the demand needs, with the headroom.
        in_progress_target: KEDA's `threshold` of in-progress: as many as a replica has at its rate within the SLO.
        queue_pixels_target: the same in pixels.
        queue_pixels_bound: PENTIMENTO_QUEUE_PIXELS with which nobody who is accepted waits longer than about the SLO.
        is_lower_bound: the highest rate that was tried still held.
    """

    slo_ms: float
    rungs: list[Rung]
    rate_per_s: float
    pixels: float
    demand_per_s: float
    headroom: float
    replicas: int
    in_progress_target: int
    queue_pixels_target: int
    queue_pixels_bound: int
    is_lower_bound: bool


def capacity(
    run: Run, records: Sequence[Record], *, slo_ms: float, demand_per_s: float, headroom: float = 0.8, replicas: int = 1
) -> Capacity:
    """What the run shows.

    Args:
        slo_ms: 95th percentile that paintings promise, from the intended start.
        headroom: which part of its rate within the SLO a replica shall get.
        replicas: that served the run.

    Raises:
        CapacityError: no phase held, or nothing was painted.
    """
    by_rate = sorted(run.phases, key=lambda phase: phase.rate_per_s)
    rungs = [rung(phase, [r for r in records if r.phase == phase.name], slo_ms) for phase in by_rate]
    held = [found for found, _ in zip(rungs, _until_first_failure(rungs), strict=False)]
    if not held:
        raise CapacityError(
            f"not even {rungs[0].rate_per_s:g} per second held {slo_ms:g} ms; begin lower (rise.from_per_s)"
            if rungs
            else "the run has no phases; use the shape step or breakpoint"
        )
    best = held[-1]
    rate_per_s = best.rate_per_s / replicas
    pixels = mean_pixels(records)
    in_progress = max(1, math.floor(best.in_progress / replicas + 0.5))
    return Capacity(
        slo_ms=slo_ms,
        rungs=rungs,
        rate_per_s=rate_per_s,
        pixels=pixels,
        demand_per_s=demand_per_s,
        headroom=headroom,
        replicas=max(1, math.ceil(demand_per_s / (rate_per_s * headroom) - 1e-9)),
        in_progress_target=in_progress,
        queue_pixels_target=round(in_progress * pixels),
        queue_pixels_bound=round(max(1.0, best.painted_per_s / replicas * slo_ms / 1000) * pixels),
        is_lower_bound=len(held) == len(rungs),
    )


def rung(phase: Window, records: Sequence[Record], slo_ms: float) -> Rung:
    """One phase's figures; a phase in which nothing was painted did not hold."""
    paintings = [record for record in records if record.endpoint == "stylize"]
    right = [record for record in paintings if record.status == 200 and not record.is_wrong]
    p95 = percentile([record.latency_ms for record in paintings if not record.was_shed], 0.95)
    busy_s = sum(r.answered_s - r.sent_s for r in right if r.answered_s is not None and r.sent_s is not None)
    answered = [record for record in records if record.status and not record.is_wrong and not record.was_shed]
    took_s = max([phase.ends_s, *(record.answered_s or 0.0 for record in answered)]) - phase.starts_s
    wrong, shed = sum(record.is_wrong for record in records), sum(record.was_shed for record in records)
    return Rung(
        rate_per_s=phase.rate_per_s,
        answered_per_s=len(answered) / took_s,
        painted_per_s=len(right) / took_s,
        p95_ms=p95 if p95 is not None and math.isfinite(p95) else None,
        in_progress=busy_s / phase.duration_s,
        wrong=wrong,
        shed=shed,
        held=bool(right) and not wrong and not shed and p95 is not None and p95 <= slo_ms,
    )


def mean_pixels(records: Sequence[Record]) -> float:
    """Of a painting, as the service counts them, over everything that was painted.

    Raises:
        CapacityError: nothing was.
    """
    names = [record.name for record in records if record.endpoint == "stylize" and record.phase != IDLE]
    sizes = [next((size for word, size in _PIXELS.items() if name.startswith(word)), 0) for name in names]
    known = [size for size in sizes if size]
    if not known:
        raise CapacityError("nothing was painted; give preview or picture a weight in the SLO file's mix")
    return sum(known) / len(known)


def _until_first_failure(rungs: Sequence[Rung]) -> list[Rung]:
    held = []
    for found in rungs:
        if not found.held:
            break
        held.append(found)
    return held
