"""From an answer to what the record says of it."""

from loadtests import checks
from loadtests.checks import Answer
from loadtests.golden import Goldens
from loadtests.records import Record
from loadtests.shots import Shot


def mark(record: Record, shot: Shot, answer: Answer, goldens: Goldens) -> None:
    """Write into the record what came back, and what is wrong with it."""
    record.status, record.received_bytes = answer.status, len(answer.body)
    record.version = answer.headers.get("x-model-version")
    record.retry_after_s = checks.shed_after_s(answer)
    if not record.was_shed:
        record.problem = _problem(record, shot, answer, goldens)


def _problem(record: Record, shot: Shot, answer: Answer, goldens: Goldens) -> str | None:
    if answer.status in (429, 503):
        return f"status {answer.status} without a Retry-After in seconds"
    if shot.paints and goldens.is_same(shot.name, answer.body):
        return checks.wrong_envelope(answer, shot.paints)
    wrong = shot.check(answer)
    if wrong or not shot.paints:
        return wrong
    record.ssim = goldens.likeness(shot.name, answer.body, answer.headers["x-model-digest"])
    if record.ssim is not None and record.ssim < goldens.min_ssim:
        return f"SSIM below {goldens.min_ssim:g} to what the same request was answered when idle"
    return None
