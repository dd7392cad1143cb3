"""Before the load: is anybody there, what can be asked, and what is answered when nobody else asks?"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gevent

from loadtests.checks import Answer
from loadtests.golden import Golden, structure_kept
from loadtests.openloop import Crowd
from loadtests.records import Record
from loadtests.shots import Shot, multipart

_LONGEST_PAUSE_S = 5.0
_TRIES = 3


class CannotRun(Exception):
    """Nothing to test: no server, no model, no styles, no right to ask."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What was seen.

    Args:
        model: the version and the digest that are served; None where the service did not say.
    """

    styles: tuple[str, ...]
    may_upload: bool
    model: dict[str, str] | None


class IllWhenIdle(Exception):
    """What was asked when nobody else asked was answered wrongly, or not at all: a verdict, not an obstacle.

    Args:
        records: of the idle phase so far, the last one being the one that says why.
    """

    def __init__(self, records: list[Record]) -> None:
        last = records[-1]
        why = last.problem or f"status {last.status}"
        super().__init__(f"{last.name}, asked when nobody else asked: {why}")
        self.records = records


def first_look(crowd: Crowd) -> Sight:
    """See whether the service is ready, which styles it has, and whether they may be changed.

    Raises:
        CannotRun: it is not there, not ready, has no styles, or asks for a token.
        IllWhenIdle: somebody accepts connections and does not answer.
    """
    ready = _get(crowd, "/readyz")
    if ready.status != 200:
        why = ready.body.decode("utf-8", "replace")[:300]
        raise CannotRun(f"the service is not ready (GET /readyz gave {ready.status}): {why}")
    styles = _get(crowd, "/v1/styles")
    if styles.status in (401, 403):
        raise CannotRun(
            f"GET /v1/styles gave {styles.status}; set PENTIMENTO_TOKEN to a token of the scopes read and stylize "
            "(`pentimento tokens add` makes one)"
        )
    names = _names(styles)
    if not names:
        raise CannotRun(f"there are no styles (GET /v1/styles gave {styles.status}); add one: `pentimento styles add`")
    model = _json(_get(crowd, "/v1/model"))
    named = {key: str(model[key]) for key in ("version", "digest") if model.get(key)}
    return Sight(styles=names, may_upload=_may_upload(crowd), model=named if len(named) == 2 else None)


def ask_everything(crowd: Crowd, shots: Sequence[Shot], *, timeout_s: float, min_structure: float) -> list[Record]:
    """Every kind of request once, one after the other; paintings become the golden ones.

    Raises:
        IllWhenIdle: one was answered wrongly, refused for load or not answered.
    """
    records: list[Record] = []
    for shot in shots:
        for part, record, answer in _patiently(crowd, shot, timeout_s):
            records.append(record)
            if part.paints and not record.is_wrong and not record.was_shed:
                kept = structure_kept(part.photo, answer.body)
                if kept < min_structure:
                    record.problem = f"a painting of something else: it shows {kept:.2f} of the photograph's outlines"
                crowd.goldens.add(part.name, Golden(answer.body, answer.headers["x-model-digest"]))
            if record.is_wrong or record.was_shed:
                raise IllWhenIdle(records)
    return records


def _patiently(crowd: Crowd, shot: Shot, timeout_s: float) -> list[tuple[Shot, Record, Answer]]:
    """Ask; where it is shed, somebody else may just have been there: ask again when told to."""
    for last in (False,) * (_TRIES - 1) + (True,):
        asked = crowd.ask(shot, timeout_s=timeout_s)
        final = asked[-1][1]
        if last or not final.was_shed:
            break
        gevent.sleep(min(_LONGEST_PAUSE_S, final.retry_after_s or 0.0))
    return asked


def sweep(crowd: Crowd, run_id: str, tell: Callable[[str], None]) -> list[str]:
    """Remove the styles of this run that are still there; returns the names of those that could not be removed."""
    left = []
    end_s = time.monotonic() + 3 * crowd.patience_s
    found = _json(_get(crowd, f"/v1/styles?query={run_id}&limit=200")).get("styles")
    for style in found or ():
        if not str(style.get("name", "")).startswith(run_id):
            continue
        if time.monotonic() > end_s or _ask(crowd, "DELETE", f"/v1/styles/{style.get('id')}").status != 204:
            left.append(str(style["name"]))
        else:
            tell(f"removed the style {style['name']}, which an upload had left")
    return left


def _may_upload(crowd: Crowd) -> bool:
    """An upload that names nothing is refused as a bad form where styles may be added, and forbidden where not."""
    body, content_type = multipart({"title": ""}, {})
    return _ask(crowd, "POST", "/v1/styles", body, content_type).status in (400, 422)


def _get(crowd: Crowd, path: str) -> Answer:
    return _ask(crowd, "GET", path)


def _ask(crowd: Crowd, method: str, path: str, body: bytes = b"", content_type: str = "") -> Answer:
    """One request that is no part of the test.

    Raises:
        CannotRun: nobody is there.
        IllWhenIdle: somebody is there and says nothing.
    """
    shot = Shot(name=f"{method} {path}", endpoint="look", weight=1, method=method, path=path, body=lambda: body,
                content_type=content_type, check=lambda _: None)  # fmt: skip
    _, record, answer = crowd.ask(shot, timeout_s=crowd.patience_s)[0]
    if answer.status:
        return answer
    if answer.headers.get("error"):
        raise CannotRun(f"{record.name}: nobody answers ({answer.headers['error']}); is the service running?")
    raise IllWhenIdle([record])


def _names(answer: Answer) -> tuple[str, ...]:
    styles = _json(answer).get("styles")
    named = [style.get("name") or style.get("id") for style in styles or () if isinstance(style, dict)]
    return tuple(str(name) for name in named if name)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body) if answer.status == 200 else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
