"""One load test from the first look to the verdict. Importing this patches the whole process for gevent."""

import gevent.monkey

gevent.monkey.patch_all()  # before anything that opens sockets is imported

import time  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from datetime import UTC, datetime, timedelta  # noqa: E402
from typing import Protocol  # noqa: E402

from locust.env import Environment  # noqa: E402

from loadtests.golden import Goldens  # noqa: E402
from loadtests.look import CannotRun, IllWhenIdle, Sight, ask_everything, first_look, sweep  # noqa: E402
from loadtests.mix import Scene, shots_of  # noqa: E402
from loadtests.openloop import Crowd, Target  # noqa: E402
from loadtests.phases import schedule, windows  # noqa: E402
from loadtests.records import Record, Run, Window  # noqa: E402
from loadtests.shots import Shot  # noqa: E402
from loadtests.slo import Shape, Slo  # noqa: E402
from loadtests.verdict import Verdict, judge, phase_of, problems  # noqa: E402

_PATIENCE_S = 10.0
Tell = Callable[[str], None]


class Senders(Protocol):
    """Whoever sends: this process, or several that a master told."""

    workers: int
    lost: int
    lead_s: float  # from the word to the first request

    def prepare(self, scene: Scene, goldens: Goldens) -> None:
        """Get to know what is asked, and what it must be answered."""

    def fire(self, phases: Sequence[Window], *, zero_s: float) -> list[Record]:
        """Send everything of these phases, wait for the answers, and give every record."""

    def close(self) -> None:
        """Send nobody any more."""


@dataclass(slots=True)
class Alone:
    """This process sends."""

    crowd: Crowd
    slo: Slo
    tell: Tell
    shots: Sequence[Shot] = ()
    workers: int = 1
    lost: int = 0
    lead_s: float = 0.1

    def prepare(self, scene: Scene, goldens: Goldens) -> None:
        self.shots = shots_of(self.slo.mix, scene)

    def fire(self, phases: Sequence[Window], *, zero_s: float) -> list[Record]:
        self.crowd.zero_s = zero_s
        arrivals = schedule(self.shots, phases, seed=self.slo.seed)
        return self.crowd.fire(arrivals, drain_s=self.slo.drain_s, tell=self.tell)

    def close(self) -> None:
        return None


def run_load(
    target: Target, slo: Slo, shape_name: str, *, tell: Tell, senders: Callable[[], Senders] | None = None
) -> tuple[Verdict, list[Record]]:
    """Look, ask everything once, send the shape, judge.

    Args:
        shape_name: one of the SLO file's.
        tell: told what is happening, one line at a time.
        senders: makes whoever sends; this process by default.

    Returns:
        The verdict and every record.

    Raises:
        SloError: there is no such shape.
    """
    shape = slo.shape(shape_name)
    environment = Environment(catch_exceptions=False)
    runner = environment.create_local_runner()
    patience_s = min(_PATIENCE_S, slo.drain_s)
    crowd = Crowd(environment, target, Goldens(slo.golden.min_ssim), patience_s=patience_s)
    run = Run(shape=shape_name, host=target.host, started_at=_now(), seed=slo.seed)
    made: Senders | None = None
    try:
        made = senders() if senders else Alone(crowd, slo, tell)
        return _run(run, crowd, made, slo, shape, tell)
    except CannotRun as error:
        return Verdict(outcome="could_not_run", reason=str(error), run=run), []
    except IllWhenIdle as error:
        return _ill(run, error), error.records
    finally:
        if made:
            made.close()
        runner.quit()


def _run(run: Run, crowd: Crowd, senders: Senders, slo: Slo, shape: Shape, tell: Tell) -> tuple[Verdict, list[Record]]:
    sight = first_look(crowd)
    scene = Scene(styles=sight.styles, may_upload=sight.may_upload, run_id=f"load-{uuid.uuid4().hex[:10]}")
    run = replace(run, model=sight.model, notes=_left_out(sight, slo), workers=senders.workers)
    for note in run.notes:
        tell(f"note: {note}")
    try:
        shots = shots_of(slo.mix, replace(scene, worker=-1))
        tell(f"asking each of {len(shots)} kinds of requests once, when idle")
        idle = ask_everything(crowd, shots, timeout_s=slo.drain_s, min_structure=slo.golden.min_structure)
        senders.prepare(scene, crowd.goldens)
        idle_zero_s = crowd.zero_s
        ran, records = _fire(crowd, senders, slo, shape)
        records = _earlier(idle, crowd.zero_s - idle_zero_s) + records
        run = replace(run, phases=tuple(ran), started_at=_now(-crowd.now_s()))
    finally:
        left = _swept(crowd, scene, slo, tell)
    if left:
        run = replace(run, notes=(*run.notes, f"styles that could not be removed: {', '.join(left)}"))
    return judge(run, records, slo, shape, lost_workers=senders.lost), records


def _fire(crowd: Crowd, senders: Senders, slo: Slo, shape: Shape) -> tuple[list[Window], list[Record]]:
    """Send the shape; a rise rung by rung, until one of them is not held."""
    crowd.zero_s = time.monotonic() + senders.lead_s
    if shape.rise is None:
        ran = windows(shape.phases)
        return ran, senders.fire(ran, zero_s=crowd.zero_s)
    ran, records = [], []
    while rung := shape.rise.rung(len(ran)):
        window = windows([rung], from_s=max(0.0, crowd.now_s() + senders.lead_s))
        records += senders.fire(window, zero_s=crowd.zero_s)
        ran += window
        if senders.lost or phase_of(window[0], records, slo, shape).outcome != "passed":
            break
    return ran, records


def _earlier(records: list[Record], by_s: float) -> list[Record]:
    """The records of the idle phase on the clock of the others, where time 0 is later."""
    for record in records:
        record.intended_s -= by_s
        record.sent_s = None if record.sent_s is None else record.sent_s - by_s
        record.answered_s = None if record.answered_s is None else record.answered_s - by_s
    return records


def _left_out(sight: Sight, slo: Slo) -> tuple[str, ...]:
    if sight.may_upload or not slo.mix.upload:
        return ()
    return ("no styles were uploaded: the library may not be changed over HTTP here, or not with this token",)


def _swept(crowd: Crowd, scene: Scene, slo: Slo, tell: Tell) -> list[str]:
    if not scene.may_upload or not slo.mix.upload:
        return []
    try:
        return sweep(crowd, scene.run_id, tell)
    except (CannotRun, IllWhenIdle) as error:
        return [f"any whose name begins with {scene.run_id} ({error})"]


def _ill(run: Run, error: IllWhenIdle) -> Verdict:
    unanswered = sum(record.status == 0 for record in error.records)
    return Verdict(outcome="failed", reason=str(error), run=run, requests=len(error.records), unanswered=unanswered,
                   problems=problems(error.records))  # fmt: skip


def _now(after_s: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=after_s)).isoformat(timespec="milliseconds")
