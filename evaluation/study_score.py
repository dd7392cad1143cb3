"""Votes become numbers: preference rates, Bradley-Terry strengths, and how far the voters agree.

Letters: V voters, M methods, B resamples.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from evaluation.errors import StudyError
from evaluation.scores import CANDIDATE, Form
from evaluation.study_build import SCRAMBLED, Study, Trial
from evaluation.study_results import Preference, Strength, StudyResult
from evaluation.verdict_numbers import VoteShare

LEAST_RIGHT = 0.8  # of a voter's attention checks
LEAST_VOTERS = 3  # an interval over fewer voters would look certain
RESAMPLES = 1000
SEED = 20261123
Numbers = NDArray[np.float64]


class Vote(Form):
    """One choice."""

    trial: str
    left: str
    right: str
    chosen: str
    seconds: float = Field(ge=0)


class Ballot(Form):
    """What one voter saved."""

    schema_version: Literal[1]
    study: str
    voter: str = Field(min_length=1)
    votes: tuple[Vote, ...]


def read_ballots(paths: Iterable[Path], study: Study) -> list[Ballot]:
    """Read votes, one ballot a voter. The same file twice counts once.

    Raises:
        StudyError: not votes, of another study, on pictures that it does not show, or two ballots of one voter.
    """
    trials = {trial.trial: trial for trial in study.key.trials}
    ballots: dict[str, Ballot] = {}
    for path in _files(paths):
        ballot = _read(path)
        _check(ballot, path, study, trials)
        before = ballots.setdefault(ballot.voter, ballot)
        if before != ballot:
            raise StudyError(f"{path}: voter {ballot.voter} has voted before, differently; keep one of the two files")
    if not ballots:
        raise StudyError("no votes; the study's page saves them as votes-*.json")
    return [ballots[voter] for voter in sorted(ballots)]


def score_study(study: Study, ballots: Sequence[Ballot]) -> StudyResult:
    """Count the votes of everybody who answered the attention checks."""
    trials = {trial.trial: trial for trial in study.key.trials}
    attentive = [ballot for ballot in ballots if is_attentive(ballot, study)]
    votes = [[vote for vote in ballot.votes if not trials[vote.trial].is_check] for ballot in attentive]
    every = [vote for each in votes for vote in each]
    methods = sorted({name for trial in study.key.trials for name in trial.pictures.values()} - {SCRAMBLED})
    return StudyResult(
        study_digest=study.digest,
        candidate_digest=study.key.candidate_digest,
        voters=len(attentive),
        dropped=len(ballots) - len(attentive),
        votes=len(every),
        preferences={name: _preference(every, trials, name) for name in methods if name != CANDIDATE},
        strengths=_strengths([_wins(each, trials, methods) for each in votes], methods),
        agreement=krippendorff_alpha(_choices(every, trials)),
        left=_share(sum(vote.chosen == vote.left for vote in every), len(every)),
    )


def is_attentive(ballot: Ballot, study: Study) -> bool:
    """Whether every attention check was answered, and enough of them rightly."""
    checks = {trial.trial: trial for trial in study.key.trials if trial.is_check}
    answers = [checks[vote.trial].pictures[vote.chosen] for vote in ballot.votes if vote.trial in checks]
    right = sum(answer != SCRAMBLED for answer in answers)
    return len(answers) == len(checks) and right >= LEAST_RIGHT * len(checks)


def bradley_terry(wins: Numbers) -> Numbers:
    """The log-odds strength of each method, their mean 0 (Bradley & Terry 1952, by Hunter's 2004 iteration).

    Half a win is added on either side of every pair that met: without it a method that never lost would be infinitely
    strong.

    Args:
        wins: (..., M, M), how often the row was chosen over the column.

    Returns:
        (..., M).
    """
    met = wins + np.swapaxes(wins, -1, -2)
    smoothed = wins + 0.5 * (met > 0)
    met = smoothed + np.swapaxes(smoothed, -1, -2)
    strength = np.ones(wins.shape[:-1])
    for _ in range(500):
        meeting = met / (strength[..., :, None] + strength[..., None, :])
        updated = smoothed.sum(axis=-1) / np.maximum(meeting.sum(axis=-1), 1e-12)
        updated = updated / np.exp(np.log(np.maximum(updated, 1e-12)).mean(axis=-1, keepdims=True))
        if np.allclose(updated, strength, rtol=1e-10):
            break
        strength = updated
    logs = np.log(np.maximum(strength, 1e-12))
    return logs - logs.mean(axis=-1, keepdims=True)


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float:
    """Agreement on names, for any number of raters a unit (Krippendorff 2011): 1 is perfect, 0 is chance.

    Args:
        units: what each rater said of each unit; those with one rater say nothing about agreement.

    Returns:
        NaN where no unit has two raters; 1 where nobody ever disagreed.
    """
    counted = [Counter(unit) for unit in units if len(unit) > 1]
    totals = sum(counted, Counter[str]())
    size = totals.total()
    if not size:
        return math.nan
    observed = sum(_disagreements(unit) / (unit.total() - 1) for unit in counted)
    if observed == 0:
        return 1.0
    return 1 - observed * (size - 1) / _disagreements(totals)


def _disagreements(counts: "Counter[str]") -> int:
    """Ordered pairs of different names."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())


def _files(paths: Iterable[Path]) -> list[Path]:
    found = [sorted(path.glob("votes*.json")) if path.is_dir() else [path] for path in paths]
    return [path for each in found for path in each]


def _read(path: Path) -> Ballot:
    try:
        return Ballot.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StudyError(
            f"{path}: cannot be read ({error.strerror}); give files that the study's page saved"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise StudyError(f"{path}: {where}: {first['msg']}; give files that the study's page saved") from error


def _check(ballot: Ballot, path: Path, study: Study, trials: dict[str, Trial]) -> None:
    if ballot.study != study.digest:
        raise StudyError(
            f"{path}: votes on study {ballot.study[:12]}, not {study.digest[:12]}; give that study's folder"
        )
    seen = Counter(vote.trial for vote in ballot.votes)
    for vote in ballot.votes:
        trial = trials.get(vote.trial)
        if trial is None or {vote.left, vote.right} != set(trial.pictures) or vote.chosen not in trial.pictures:
            raise StudyError(f"{path}: a vote on pictures that the study does not show ({json.dumps(vote.trial)})")
        if seen[vote.trial] > 1:
            raise StudyError(f"{path}: two votes on the same pair ({json.dumps(vote.trial)}); the page saves one")


def _preference(votes: Sequence[Vote], trials: dict[str, Trial], other: str) -> Preference:
    met = [vote for vote in votes if other in trials[vote.trial].pictures.values()]
    return _share(sum(trials[vote.trial].pictures[vote.chosen] == CANDIDATE for vote in met), len(met))


def _share(won: int, votes: int) -> Preference:
    share = VoteShare(won, votes)
    low, high = share.interval(0.025)
    return Preference(won=won, votes=votes, share=share.value, low=low, high=high)


def _choices(votes: Sequence[Vote], trials: dict[str, Trial]) -> list[list[str]]:
    chosen: dict[str, list[str]] = {}
    for vote in votes:
        chosen.setdefault(vote.trial, []).append(trials[vote.trial].pictures[vote.chosen])
    return list(chosen.values())


def _wins(votes: Sequence[Vote], trials: dict[str, Trial], methods: Sequence[str]) -> Numbers:
    """(M, M) of one voter: how often the row was chosen over the column."""
    wins = np.zeros((len(methods), len(methods)))
    for vote in votes:
        pictures = trials[vote.trial].pictures
        winner = pictures[vote.chosen]
        loser = next(method for token, method in pictures.items() if token != vote.chosen)
        wins[methods.index(winner), methods.index(loser)] += 1
    return wins


def _strengths(wins: Sequence[Numbers], methods: Sequence[str]) -> dict[str, Strength]:
    """Strengths with percentile intervals over resampled voters, since one voter's choices belong together."""
    if not wins:
        return {}
    each = np.stack(wins)
    values = bradley_terry(each.sum(axis=0))
    low = high = np.full(len(methods), math.nan)
    if len(wins) >= LEAST_VOTERS:
        draws = np.random.default_rng(SEED).multinomial(len(wins), np.full(len(wins), 1 / len(wins)), size=RESAMPLES)
        low, high = np.quantile(bradley_terry(np.tensordot(draws, each, axes=1)), [0.025, 0.975], axis=0)
    return {
        name: Strength(value=float(values[i]), low=float(low[i]), high=float(high[i])) for i, name in enumerate(methods)
    }
