"""What people said, as data: the form of study.json, which `pentimento study score` writes and the gate reads."""

import hashlib
from os import PathLike
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from evaluation.errors import StudyError
from evaluation.scores import Form, Number

RESULT_NAME = "study.json"


class Preference(Form):
    """How often the candidate's picture was chosen over another method's.

    Args:
        won: votes for the candidate.
        share: won over votes.
        low, high: Wilson's 95 % interval.
    """

    won: int = Field(ge=0)
    votes: int = Field(ge=0)
    share: Number
    low: Number
    high: Number


class Strength(Form):
    """A method's Bradley-Terry strength: the log of its odds against the average method.

    Args:
        low, high: 95 % interval over voters; null with fewer than three.
    """

    value: Number
    low: Number
    high: Number


class StudyResult(Form):
    """One preference study, counted.

    Args:
        study_digest: sha256 of the key: what was shown.
        candidate_digest: the package that painted the candidate's pictures.
        voters: people who passed the attention checks.
        dropped: people who did not.
        votes: of the voters, attention checks not counted.
        preferences: by the other method's name.
        strengths: by method.
        agreement: Krippendorff's alpha among the voters, nominal: 1 is perfect, 0 is chance.
        left: how often the left picture was chosen; far from 0.5 means that somebody did not look.
    """

    schema_version: Literal[1] = 1
    study_digest: str
    candidate_digest: str
    voters: int = Field(ge=0)
    dropped: int = Field(ge=0)
    votes: int = Field(ge=0)
    preferences: dict[str, Preference]
    strengths: dict[str, Strength]
    agreement: Number
    left: Preference


def read_study(path: str | PathLike[str]) -> StudyResult:
    """Read what `pentimento study score` wrote.

    Raises:
        StudyError: missing, or not this form; the key is named.
    """
    try:
        blob = Path(path).read_bytes()
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); `pentimento study score` writes it") from error
    try:
        return StudyResult.model_validate_json(blob)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StudyError(f"{path}: {where}: {first['msg']}; run `pentimento study score` again") from error


def digest_of(blob: bytes) -> str:
    """sha256, as digests are written everywhere."""
    return hashlib.sha256(blob).hexdigest()
