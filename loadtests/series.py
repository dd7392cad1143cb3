"""A run over time: latencies, rates, refusals and errors in stretches of time, as panels to draw."""

from collections.abc import Callable, Sequence

from loadtests.figures import percentile
from loadtests.plots import Line, Panel
from loadtests.records import IDLE, Record

_MOST_STRETCHES = 240
_SMALLEST_S = 1.0
_BLUE, _DARK, _PALE, _RED, _AMBER, _GREEN = "#2d6da3", "#173f63", "#9db9d1", "#b5382a", "#c08a1c", "#3f7a45"


def panels_of(records: Sequence[Record]) -> list[Panel]:
    """What happened in each stretch of a second or more, by the time at which each request should have been sent."""
    loaded = sorted((record for record in records if record.phase != IDLE), key=lambda record: record.intended_s)
    ends_s = max((record.intended_s for record in loaded), default=0.0)
    width_s = max(_SMALLEST_S, ends_s / _MOST_STRETCHES)
    stretches: list[list[Record]] = [[] for _ in range(int(ends_s / width_s) + 1)]
    for record in loaded:
        stretches[int(max(0.0, record.intended_s) / width_s)].append(record)

    def line(label: str, colour: str, value: Callable[[list[Record]], float | None]) -> Line:
        found = [((index + 0.5) * width_s, value(stretch)) for index, stretch in enumerate(stretches)]
        # A second in which nobody asked is bridged: between two gaps a single point would not be seen at all.
        return Line(label=label, points=[point for point in found if point[1] is not None], colour=colour)

    def per_second(hit: Callable[[Record], bool]) -> Callable[[list[Record]], float]:
        return lambda stretch: sum(map(hit, stretch)) / width_s

    return [
        Panel(
            title="latency of what was accepted, ms",
            lines=[
                line("longest", _PALE, _latency(1.0)),
                line("p95", _BLUE, _latency(0.95)),
                line("p50", _DARK, _latency(0.5)),
            ],
        ),
        Panel(
            title="requests per second",
            lines=[
                line("sent", _PALE, per_second(lambda record: record.sent_s is not None)),
                line("answered well", _GREEN, per_second(lambda record: not record.is_wrong and not record.was_shed)),
            ],
        ),
        Panel(
            title="refused and wrong per second",
            lines=[
                line("refused for load", _AMBER, per_second(lambda record: record.was_shed)),
                line("wrong or no answer", _RED, per_second(lambda record: record.is_wrong)),
            ],
        ),
        Panel(title="requests under way", lines=[_under_way(loaded, width_s, len(stretches))]),
    ]


def _latency(at: float) -> Callable[[list[Record]], float | None]:
    """Of those that were answered: what never came is drawn as wrong, two panels below."""

    def value(stretch: list[Record]) -> float | None:
        return percentile([record.latency_ms for record in stretch if record.status and not record.was_shed], at)

    return value


def _under_way(records: Sequence[Record], width_s: float, count: int) -> Line:
    changes = [(record.sent_s, 1) for record in records if record.sent_s is not None]
    changes += [(record.answered_s, -1) for record in records if record.sent_s is not None and record.answered_s]
    changes.sort()
    points, now, place = [], 0, 0
    for index in range(count):
        most = now
        while place < len(changes) and changes[place][0] < (index + 1) * width_s:
            now += changes[place][1]
            most, place = max(most, now), place + 1
        points.append(((index + 0.5) * width_s, float(most)))
    return Line(label="most in each stretch", points=points, colour=_BLUE)
