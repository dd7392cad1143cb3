"""Pictures for the page: the best and the worst pairs, painted once more exactly where they were compared."""

import math
from dataclasses import dataclass

from evaluation.findings import RANKED_BY
from evaluation.methods import Method
from evaluation.pairs import Manifest
from evaluation.scores import ADAIN, CANDIDATE, NstScore, PairScore, Report
from stylenet.images import Pixels


@dataclass(frozen=True, slots=True)
class Example:
    """One pair to look at: (caption, picture), shown in rows of three.

    Args:
        kind: "best", "worst" or "nst".
        score: the pair's numbers.
    """

    kind: str
    score: PairScore | NstScore
    pictures: tuple[tuple[str, Pixels], ...]


def make_examples(
    report: Report, manifest: Manifest, methods: list[Method], nst_pictures: dict[tuple[int, int], Pixels]
) -> list[Example]:
    """The best and the worst pairs at equal style, and the NST pairs.

    Worst first: a pair where the candidate does not reach the style is worse than any where it does.
    """
    by_name = {method.name: method for method in methods}
    ranked = sorted(
        (pair for pair in report.pairs if pair.comparable and math.isfinite(gain(pair))),
        key=lambda pair: (pair.reached, gain(pair), pair.content, pair.style),
    )
    count = min(int(report.settings["examples"]), (len(ranked) + 1) // 2)
    chosen = [("worst", pair) for pair in ranked[:count]]
    chosen += [("best", pair) for pair in reversed(ranked[len(ranked) - count :]) if ("worst", pair) not in chosen]
    places = {(manifest.photographs[i].name, manifest.paintings[j].name): (i, j) for i, j in manifest.pairs()}
    examples = [
        Example(kind, pair, _paint(by_name, manifest, places[pair.content, pair.style], pair)) for kind, pair in chosen
    ]
    for score in report.nst:
        place = places[score.content, score.style]
        examples.append(Example("nst", score, _paint_full(by_name, manifest, place, nst_pictures[place])))
    return examples


def gain(pair: PairScore) -> float:
    """By how much the candidate is better in the metric that ranks the pairs."""
    return pair.candidate[RANKED_BY] - pair.adain[RANKED_BY]


def _paint(
    methods: dict[str, Method], manifest: Manifest, place: tuple[int, int], pair: PairScore
) -> tuple[tuple[str, Pixels], ...]:
    photo, style = manifest.photographs[place[0]], manifest.paintings[place[1]]
    ours, adain = methods[CANDIDATE], methods[ADAIN]
    where = "equal style" if pair.reached else "as near as it gets"
    return (
        ("photograph", photo.pixels),
        (
            f"candidate, {where}, strength {pair.candidate_strength:.2f}",
            ours.paint(photo, style, pair.candidate_strength),
        ),
        (f"AdaIN, tuned, strength {pair.adain_strength:.2f}", adain.paint(photo, style, pair.adain_strength)),
        ("style", style.pixels),
        ("candidate, full strength", ours.paint(photo, style, 1.0)),
        ("AdaIN, full strength", adain.paint(photo, style, 1.0)),
    )


def _paint_full(
    methods: dict[str, Method], manifest: Manifest, place: tuple[int, int], nst: Pixels
) -> tuple[tuple[str, Pixels], ...]:
    photo, style = manifest.photographs[place[0]], manifest.paintings[place[1]]
    return (
        ("photograph", photo.pixels),
        ("candidate, full strength", methods[CANDIDATE].paint(photo, style, 1.0)),
        ("AdaIN, full strength", methods[ADAIN].paint(photo, style, 1.0)),
        ("style", style.pixels),
        ("Gatys NST", nst),
    )
