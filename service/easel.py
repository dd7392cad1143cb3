"""What happens in the engine's lane: who paints a job, its style code, and the picture."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import ParamSpec, TypeVar

from service.codes import StyleCodes, WeightedStyle
from service.decoding import Decoded
from service.follower import Role
from service.lane import Abandoned, Ticket
from service.metrics import Metrics
from service.models import ModelHolder
from service.resident import Resident
from service.stages import Stages
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger("pentimento.service")


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One picture to paint.

    Args:
        decoded: its pictures.
        styles: styles of the library, mixed; empty where the client sent a style picture.
        dials: how much of what.
        key: jobs of one key are painted by one model.
        ticket: whether somebody still waits for it.
        stages: where its times go.
    """

    decoded: Decoded
    styles: list[WeightedStyle]
    dials: Dials
    key: str
    ticket: Ticket = field(default_factory=Ticket)
    stages: Stages = field(default_factory=Stages)

    @property
    def likeness(self) -> tuple[int, ...] | None:
        """Jobs of the same likeness can be painted together; None where it must be painted alone."""
        alone = self.decoded.mask is not None or self.dials.strength == 0
        return None if alone else self.decoded.photo.shape


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """What was painted, and by whom."""

    pixels: Pixels
    model: Resident
    role: Role


class Easel:
    """Paints jobs. Only for the lane."""

    def __init__(self, models: ModelHolder, codes: StyleCodes, metrics: Metrics) -> None:
        self._models = models
        self._codes = codes
        self._metrics = metrics

    def paint(self, job: Job) -> Canvas:
        """Paint with whichever model the job's key falls to now: a swap takes effect for everybody who still waits.

        Raises:
            Abandoned: nobody waits for it any more.
            UnknownStyle: a style that was removed meanwhile.
        """
        job.stages.end("wait")
        job.ticket.check()
        model, role = self._models.choose(job.key)
        if role == "challenger":
            try:
                return Canvas(self._stylize(job, model, role), model, role)
            except Abandoned:
                raise
            except Exception:  # whatever a challenger breaks, the champion makes good
                self._failed(model)
                model = self._models.resident()
        return Canvas(self._stylize(job, model, "champion"), model, "champion")

    def paint_together(self, jobs: Sequence[Job]) -> list[Canvas | Exception]:
        """Paint jobs of one likeness; what went wrong with one of them is its own outcome, and nobody else's."""
        if len(jobs) == 1 or self._models.rival() is not None:  # with a challenger, each key meets its own model
            return [_outcome(self.paint, job) for job in jobs]
        model = self._models.resident()
        codes = [_outcome(self._prepare, job, model) for job in jobs]
        ready = [(job, code) for job, code in zip(jobs, codes, strict=True) if isinstance(code, StyleCode)]
        painted = _outcome(self._stylize_batch, ready, model)
        canvases: Iterator[Canvas | Exception] = repeat(painted) if isinstance(painted, Exception) else iter(painted)
        return [code if isinstance(code, Exception) else next(canvases) for code in codes]

    def _prepare(self, job: Job, model: Resident) -> StyleCode:
        job.stages.end("wait")
        return self._code(job, model)

    def _stylize_batch(self, prepared: Sequence[tuple[Job, StyleCode]], model: Resident) -> list[Canvas]:
        jobs = [job for job, _ in prepared]
        for job in jobs:
            job.stages.begin("stylize")
        pictures = model.engine.stylize_batch(
            [job.decoded.photo for job in jobs], [code for _, code in prepared], [job.dials for job in jobs]
        )
        for job in jobs:
            job.stages.end("stylize")
            self._count(job, model, "champion")
        return [Canvas(pixels, model, "champion") for pixels in pictures]

    def shadow(self, job: Job, rival: Resident) -> None:
        """Have the challenger paint it too, if it still is one: for the metrics, not for anybody's answer."""
        if self._models.rival() is not rival:
            return
        try:
            self._stylize(job, rival, "challenger")
        except Exception:
            self._failed(rival)

    def _stylize(self, job: Job, model: Resident, role: Role) -> Pixels:
        code = self._code(job, model)
        with job.stages.timing("stylize"):
            pixels = model.engine.stylize(job.decoded.photo, code, job.dials, mask=job.decoded.mask)
        self._count(job, model, role)
        return pixels

    def _code(self, job: Job, model: Resident) -> StyleCode:
        """The job's style code, if anybody still waits for the job."""
        job.ticket.check()
        with job.stages.timing("encode_style"):
            if job.decoded.style is None:
                code = self._codes.of_styles(model, job.styles)
            else:
                code = self._codes.of_picture(model, job.decoded.style, job.decoded.style_key)
        job.ticket.check()
        return code

    def _count(self, job: Job, model: Resident, role: Role) -> None:
        self._metrics.paintings.labels(model.version, role, "painted").inc()
        self._metrics.painting_seconds.labels(model.version, role).observe(job.stages.seconds["stylize"])

    def _failed(self, challenger: Resident) -> None:
        log.exception("the challenger %s failed", challenger.version)
        self._metrics.paintings.labels(challenger.version, "challenger", "failed").inc()


def _outcome(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T | Exception:
    """What `work` returns, or what it raises."""
    try:
        return work(*arguments, **options)
    except Exception as error:  # handed to the one whose it is
        return error
