"""What happens in the engine's lane: who paints a job, its style code, and the picture."""

import logging
from dataclasses import dataclass, field

from service.codes import StyleCodes, WeightedStyle
from service.decoding import Decoded
from service.follower import Role
from service.lane import Abandoned, Ticket
from service.metrics import Metrics
from service.models import ModelHolder
from service.resident import Resident
from service.stages import Stages
from stylenet.dials import Dials
from stylenet.images import Pixels

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

    def shadow(self, job: Job, rival: Resident) -> None:
        """Have the challenger paint it too, if it still is one: for the metrics, not for anybody's answer."""
        if self._models.rival() is not rival:
            return
        try:
            self._stylize(job, rival, "challenger")
        except Exception:
            self._failed(rival)

    def _stylize(self, job: Job, model: Resident, role: Role) -> Pixels:
        decoded, stages = job.decoded, job.stages
        with stages.timing("encode_style"):
            if decoded.style is None:
                code = self._codes.of_styles(model, job.styles)
            else:
                code = self._codes.of_picture(model, decoded.style, decoded.style_key)
        job.ticket.check()
        with stages.timing("stylize"):
            pixels = model.engine.stylize(decoded.photo, code, job.dials, mask=decoded.mask)
        self._metrics.paintings.labels(model.version, role, "painted").inc()
        self._metrics.painting_seconds.labels(model.version, role).observe(stages.seconds["stylize"])
        return pixels

    def _failed(self, challenger: Resident) -> None:
        log.exception("the challenger %s failed", challenger.version)
        self._metrics.paintings.labels(challenger.version, "challenger", "failed").inc()
