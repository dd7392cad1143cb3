"""When each request is sent: decided before the first one, so that a slow answer cannot put off the next request."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.records import Window
from loadtests.shots import Shot
from loadtests.slo import Phase


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that shall be sent `at_s` seconds after the first phase begins."""

    at_s: float
    phase: str
    shot: Shot


def windows(phases: Sequence[Phase], *, from_s: float = 0.0) -> list[Window]:
    """The phases on the clock, one right after the other."""
    made: list[Window] = []
    for phase in phases:
        made.append(
            Window(
                name=phase.name,
                rate_per_s=phase.rate_per_s,
                starts_s=from_s,
                duration_s=phase.duration_s,
                settle_s=phase.settle_s,
            )
        )
        from_s = made[-1].ends_s
    return made


def schedule(shots: Sequence[Shot], phases: Sequence[Window], *, seed: int) -> list[Arrival]:
    """Every arrival of the phases, in order; the same arguments give the same schedule.

    Strangers do not wait for one another, so arrivals are Poisson; given their number, that is: evenly likely anywhere
    in the phase. Fixing the number makes the rate that was asked for the rate that is sent, also in a short phase.
    """
    arrivals: list[Arrival] = []
    for phase in phases:
        dice = random.Random(f"{seed} {phase.name}")
        count = max(1, round(phase.rate_per_s * phase.duration_s))
        times = sorted(phase.starts_s + phase.duration_s * dice.random() for _ in range(count))
        deck = _deck(shots, count, dice)
        arrivals += [Arrival(at_s, phase.name, shot) for at_s, shot in zip(times, deck, strict=True)]
    return arrivals


def _deck(shots: Sequence[Shot], count: int, dice: random.Random) -> list[Shot]:
    """`count` shots in random order: each endpoint once where there is room, and else by weight, with little luck."""
    endpoints = dict.fromkeys(shot.endpoint for shot in shots)
    deck: list[Shot] = []
    if count >= len(endpoints):
        for endpoint in endpoints:
            theirs = [shot for shot in shots if shot.endpoint == endpoint]
            deck += dice.choices(theirs, [shot.weight for shot in theirs])
    total, left = sum(shot.weight for shot in shots), count - len(deck)
    fair = [shot.weight / total * left for shot in shots]
    for shot, number in zip(shots, fair, strict=True):
        deck += [shot] * int(number)
    rest = [number - int(number) for number in fair]
    deck += dice.choices(shots, rest if sum(rest) else fair, k=count - len(deck))
    dice.shuffle(deck)
    return deck
