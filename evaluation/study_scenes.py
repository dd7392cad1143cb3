"""Which pairs a study shows, and everybody's pictures of them: the same pictures that the evaluation judged."""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.errors import StudyError
from evaluation.methods import Painter, null_sweeps
from evaluation.pairs import Manifest, Picture
from evaluation.scores import ADAIN, CANDIDATE, NULL_METHODS, PairScore, Report
from evaluation.settings import EvaluationSettings
from evaluation.study_build import Scene
from stylenet.images import Pixels


def settings_of(report: Report) -> EvaluationSettings:
    """The settings that a report was made with."""
    return EvaluationSettings(**{**report.settings, "strengths": tuple(report.settings["strengths"])})


def choose_pairs(report: Report, count: int, *, seed: int) -> list[PairScore]:
    """Comparable pairs by lot, every photograph once before any comes twice.

    Raises:
        StudyError: there is none.
    """
    pairs = [pair for pair in report.pairs if pair.comparable]
    if not pairs:
        raise StudyError("the evaluation has no comparable pair; evaluate on more pictures")
    order = [pairs[place] for place in np.random.default_rng(seed).permutation(len(pairs))]
    turn: dict[str, int] = {}
    ranked: list[tuple[int, int, PairScore]] = []
    for pair in order:
        turn[pair.content] = turn.get(pair.content, -1) + 1
        ranked.append((turn[pair.content], len(ranked), pair))
    return [pair for _, _, pair in sorted(ranked, key=lambda each: each[:2])][:count]


def paint_scenes(
    report: Report,
    manifest: Manifest,
    painters: Mapping[str, Painter],
    against: Sequence[str],
    pairs: Sequence[PairScore],
    *,
    at_equal_style: bool,
) -> list[Scene]:
    """Paint the chosen pairs once more.

    Args:
        painters: the engines by their names in the report; the candidate and AdaIN at least.
        against: whom the candidate meets: names of `painters`, or of null methods (at full strength only).
        at_equal_style: the candidate and AdaIN at the strengths at which the report compares them, else all at 1.

    Raises:
        StudyError: the pictures or a model are not those of the report, or `against` names somebody unknown.
    """
    _check(report, manifest, painters, against, at_equal_style=at_equal_style)
    places = {(manifest.photographs[i].name, manifest.paintings[j].name): (i, j) for i, j in manifest.pairs()}
    scenes = []
    for pair in pairs:
        i, j = places[pair.content, pair.style]
        photo, style = manifest.photographs[i], manifest.paintings[j]
        strengths = {CANDIDATE: pair.candidate_strength, ADAIN: pair.adain_strength} if at_equal_style else {}
        pictures = {
            name: _paint(name, painters, photo, style, strengths.get(name, 1.0)) for name in (CANDIDATE, *against)
        }
        scenes.append(Scene(pair.content, pair.style, photo.pixels, style.pixels, pictures))
    return scenes


def _paint(name: str, painters: Mapping[str, Painter], photo: Picture, style: Picture, strength: float) -> Pixels:
    if name in painters:
        return painters[name].paint(photo, style, strength)
    baseline = painters[ADAIN].paint(photo, style, 1.0)
    return null_sweeps(photo.pixels, style.pixels, baseline, (strength,))[name][0]


def _check(
    report: Report,
    manifest: Manifest,
    painters: Mapping[str, Painter],
    against: Sequence[str],
    *,
    at_equal_style: bool,
) -> None:
    if manifest.digest != report.data.digest:
        raise StudyError(
            f"the pictures are not those that were judged ({manifest.digest[:12]}, judged {report.data.digest[:12]}); "
            "give the same --data in the same order"
        )
    found = painters[CANDIDATE].engine.package.digest
    if found != report.candidate.digest:
        raise StudyError(
            f"stale: the evaluation is about package {(report.candidate.digest or '')[:12]}, not {found[:12]}; "
            "run `pentimento evaluate` on that very version"
        )
    known = {ADAIN} if at_equal_style else {*painters, *NULL_METHODS} - {CANDIDATE}
    unknown = [name for name in against if name not in known]
    if unknown or not against:
        raise StudyError(f"cannot compare with {', '.join(unknown) or 'nobody'}; there are {', '.join(sorted(known))}")
