"""A blind preference study as one page that runs from a file: two paintings of the same photograph, which is better?

Blind and fair by construction: the page knows pictures by random names only, and which method painted which stands in
key.json, which stays at home. Every voter gets another order of pairs and of sides. Every eighth pair or so is an
attention check: the same painting once whole and once with its pieces shuffled.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from evaluation.errors import StudyError
from evaluation.scores import CANDIDATE, Form
from evaluation.study_results import digest_of
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, resize_short_side, write_bytes

PAGE_NAME, KEY_NAME = "index.html", "key.json"
TEMPLATE = Path(__file__).with_name("study_page.html.j2")
SIDE_PX, REMINDER_PX = 448, 192  # short sides of the paintings, and of the photograph and the style above them
JPEG_QUALITY = 90
PAIRS_A_CHECK = 8
LEAST_CHECKS = 2
SCRAMBLED = "scrambled"
PIECES = 6


@dataclass(frozen=True, slots=True)
class Scene:
    """One photograph in one style, painted by the candidate and by others.

    Args:
        pictures: uint8 (H, W, 3) by method; `candidate` is among them.
    """

    content: str
    style: str
    photo: Pixels
    painting: Pixels
    pictures: dict[str, Pixels]


class Trial(Form):
    """One pair that voters see.

    Args:
        pictures: random name -> method.
        is_check: an attention check, whose right answer is the picture that is not scrambled.
    """

    trial: str
    content: str
    style: str
    pictures: dict[str, str] = Field(min_length=2, max_length=2)
    is_check: bool = False


class Key(Form):
    """key.json: who painted what. Voters must not see it."""

    schema_version: Literal[1] = 1
    candidate_digest: str
    data_digest: str
    at: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A study on disk.

    Args:
        digest: sha256 of key.json; every vote names it.
    """

    key: Key
    digest: str


def build_study(
    scenes: Sequence[Scene], out: Path, *, candidate_digest: str, data_digest: str, at: str, seed: int = 0
) -> Study:
    """Write index.html and key.json into `out`. The same scenes and seed give the same study.

    Raises:
        StudyError: no scene, or one that the candidate or everybody else is missing from.
    """
    for scene in scenes:
        if CANDIDATE not in scene.pictures or len(scene.pictures) < 2:
            raise StudyError(f"{scene.content} as {scene.style} needs the candidate's picture and one other to compare")
    if not scenes:
        raise StudyError("a study needs at least one pair of pictures; ask for more --pairs")
    generator = np.random.default_rng(seed)
    trials: list[Trial] = []
    pictures: dict[str, Pixels] = {}
    for scene in [*_versus(scenes), *_checks(scenes, generator)]:
        trial, named = _trial(scene, generator)
        trials.append(trial)
        pictures |= named
    shown = [trials[place] for place in generator.permutation(len(trials))]
    key = Key(candidate_digest=candidate_digest, data_digest=data_digest, at=at, trials=tuple(shown))
    blob = (key.model_dump_json(indent=1) + "\n").encode()
    page = _render(key, digest_of(blob), scenes, pictures)
    write_bytes(page.encode(), out / PAGE_NAME)
    write_bytes(blob, out / KEY_NAME)
    return Study(key, digest_of(blob))


def read_key(folder: Path) -> Study:
    """The key of a study's folder.

    Raises:
        StudyError: missing, or not this form.
    """
    path = folder / KEY_NAME
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); `pentimento study build` writes it") from error
    try:
        return Study(Key.model_validate_json(blob), digest_of(blob))
    except ValidationError as error:
        raise StudyError(f"{path}: {error.errors()[0]['msg']}; build the study again") from error


def scramble(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """The same picture with its pieces shuffled: colours and strokes are right, nothing is where it was."""
    height, width = pixels.shape[0] // PIECES, pixels.shape[1] // PIECES
    pieces = [
        pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(PIECES)
        for column in range(PIECES)
    ]
    order = generator.permutation(len(pieces))
    rows = [np.concatenate([pieces[i] for i in order[r * PIECES : (r + 1) * PIECES]], axis=1) for r in range(PIECES)]
    return np.concatenate(rows, axis=0)


def _versus(scenes: Sequence[Scene]) -> list[Scene]:
    """One scene for the candidate against each other method."""
    return [
        replace(scene, pictures={CANDIDATE: scene.pictures[CANDIDATE], name: each})
        for scene in scenes
        for name, each in scene.pictures.items()
        if name != CANDIDATE
    ]


def _checks(scenes: Sequence[Scene], generator: np.random.Generator) -> list[Scene]:
    """Attention checks on other methods' pictures, so that they say nothing about the candidate."""
    count = max(LEAST_CHECKS, len(scenes) // PAIRS_A_CHECK)
    checks = []
    for place in generator.permutation(len(scenes))[:count]:
        scene = scenes[place]
        name = next(each for each in scene.pictures if each != CANDIDATE)
        whole = scene.pictures[name]
        checks.append(replace(scene, pictures={name: whole, SCRAMBLED: scramble(whole, generator)}))
    return checks


def _trial(scene: Scene, generator: np.random.Generator) -> tuple[Trial, dict[str, Pixels]]:
    names = {_token(generator): method for method in sorted(scene.pictures)}
    trial = Trial(
        trial=_token(generator),
        content=scene.content,
        style=scene.style,
        pictures=dict(sorted(names.items())),
        is_check=SCRAMBLED in scene.pictures,
    )
    return trial, {token: scene.pictures[method] for token, method in names.items()}


def _token(generator: np.random.Generator) -> str:
    return generator.bytes(6).hex()


def _render(key: Key, digest: str, scenes: Sequence[Scene], pictures: dict[str, Pixels]) -> str:
    from jinja2 import Environment, StrictUndefined

    reminders = {(scene.content, scene.style): scene for scene in scenes}
    shown = []
    for trial in key.trials:
        scene = reminders[trial.content, trial.style]
        shown.append(
            {
                "trial": trial.trial,
                "photo": _uri(scene.photo, REMINDER_PX),
                "style": _uri(scene.painting, REMINDER_PX),
                "pictures": {token: _uri(pictures[token], SIDE_PX) for token in trial.pictures},
            }
        )
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(study=digest, trials=json.dumps(shown).replace("<", "\\u003c"), count=len(shown))


def _uri(pixels: Pixels, side_px: int) -> str:
    small = resize_short_side(pixels, side_px) if min(pixels.shape[:2]) > side_px else pixels
    return "data:image/jpeg;base64," + base64.b64encode(encode_picture(small, "jpeg", quality=JPEG_QUALITY)).decode()
