"""The same requests, checks and verdict in Locust's own window and command:

    locust -f loadtests/locustfile.py --host http://127.0.0.1:3000                     then http://127.0.0.1:8089
    locust -f loadtests/locustfile.py --host http://127.0.0.1:3000 --headless --shape spike --out build/load

Locust's unit is the user, so here a user is a source of requests: `--per-user` of them a second at Poisson times,
whatever became of the earlier ones. As many users as the phase's rate asks for are started; a phase changes within two
seconds of its time, how many requests fall into it is left to chance, and paintings are not held against golden ones.
For a verdict to hang a release on, `python -m loadtests` is the exact one. Works with Locust's --master and --worker.
"""

import gevent.monkey

gevent.monkey.patch_all()

import os  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402
from dataclasses import asdict, dataclass, field  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from gevent.pool import Pool  # noqa: E402
from locust import LoadTestShape, User, events, task  # noqa: E402
from locust.env import Environment  # noqa: E402
from locust.runners import MasterRunner, WorkerRunner  # noqa: E402

from loadtests.files import write_report  # noqa: E402
from loadtests.golden import Goldens  # noqa: E402
from loadtests.look import CannotRun, IllWhenIdle, first_look  # noqa: E402
from loadtests.mix import Scene, shots_of  # noqa: E402
from loadtests.openloop import Crowd, Target  # noqa: E402
from loadtests.phases import windows  # noqa: E402
from loadtests.records import Record, Run, Window  # noqa: E402
from loadtests.report import as_text  # noqa: E402
from loadtests.shots import Shot  # noqa: E402
from loadtests.slo import Shape, Slo, SloError, load_slo  # noqa: E402
from loadtests.verdict import EXIT_CODES, judge  # noqa: E402

_ROOT = Path(__file__).resolve().parents[1]
_FEW_USERS_PER_S = 100.0  # Locust warns above
_LAST_REPORTS_S = 8.0  # workers tell the master every 3 s what they saw


@dataclass(slots=True)
class _Test:
    """What this process knows of the test that runs. One at a time: Locust has one environment a process.

    Args:
        began_s: time 0, on this process's clock; 0.0 while none runs.
        reported: how many of the records the master has been told of.
    """

    slo: Slo | None = None
    shape: Shape | None = None
    phases: list[Window] = field(default_factory=list)
    per_user: float = 1.0
    crowd: Crowd | None = None
    shots: list[Shot] = field(default_factory=list)
    began_s: float = 0.0
    records: list[Record] = field(default_factory=list)
    reported: int = 0
    visits: Any = field(default_factory=Pool)

    def begin(self, environment: Environment) -> None:
        """Read the options, which the window may have changed."""
        options: Any = environment.parsed_options
        self.slo, self.per_user = load_slo(Path(options.slo)), float(options.per_user)
        self.shape = self.slo.shape(options.shape)
        self.phases = windows(self.shape.phases)
        if not self.shape.phases:
            raise SloError(f"{options.shape} is not made of phases; `python -m loadtests {options.shape}` can send it")
        self.began_s, self.records, self.reported, self.crowd = time.monotonic(), [], 0, None

    def phase(self) -> Window | None:
        """The one that it is time for."""
        at_s = time.monotonic() - self.began_s
        return next((phase for phase in self.phases if phase.starts_s <= at_s < phase.ends_s), None)

    def drained(self, longer_s: float = 0.0) -> bool:
        """Whether the last answers have been waited for long enough."""
        drain_s = self.slo.drain_s if self.slo else 0.0
        return time.monotonic() - self.began_s > self.phases[-1].ends_s + drain_s + longer_s

    def give_up(self) -> None:
        """What has not come by now counts as never."""
        for record in self.records:
            if record.status == 0 and record.problem is None:
                record.problem = "no answer before the test was stopped"


TEST = _Test()


@events.init_command_line_parser.add_listener
def _options(parser: Any) -> None:
    parser.add_argument("--shape", default="smoke", help="one of those in the SLO file that are made of phases")
    parser.add_argument(
        "--slo", default=str(_ROOT / "configs" / "slo.yaml"), help="promises, mixture and shapes (YAML)"
    )
    parser.add_argument("--per-user", type=float, default=0.5, help="requests a second of one user")
    parser.add_argument("--out", default="", help="write records.jsonl, verdict.json, junit.xml and report.html there")


@events.init.add_listener
def _on_init(environment: Environment, **_: Any) -> None:
    """Say at once what could not be sent."""
    try:
        TEST.begin(environment)
    except SloError as error:
        print(f"could_not_run: {error}", file=sys.stderr)
        sys.exit(EXIT_CODES["could_not_run"])
    TEST.began_s = 0.0


class Source(User):
    """Sends at Poisson times and waits for nobody."""

    @task
    def send(self) -> None:
        """For ever: Locust ends it when the phase asks for fewer users."""
        dice = random.Random()
        at_s = time.monotonic()
        while True:
            at_s += dice.expovariate(TEST.per_user)
            gevent.sleep(max(0.0, at_s - time.monotonic()))
            phase = TEST.phase()
            if phase and TEST.crowd:
                shot = dice.choices(TEST.shots, [shot.weight for shot in TEST.shots])[0]
                TEST.visits.spawn(TEST.crowd.visit, phase.name, shot, at_s - TEST.crowd.zero_s, TEST.records)


class Phases(LoadTestShape):
    """The users that each phase's rate asks for; then none, until the last answers are there."""

    def tick(self) -> tuple[int, float] | None:
        """Called once a second."""
        runner: Any = self.runner
        if not TEST.began_s:
            TEST.begin(runner.environment)
        phase = TEST.phase()
        if phase:
            return max(1, round(phase.rate_per_s / TEST.per_user)), _FEW_USERS_PER_S
        if isinstance(runner, MasterRunner):
            over = TEST.drained(longer_s=_LAST_REPORTS_S)
        else:
            over = TEST.drained() or not len(TEST.visits)
        return None if over else (0, _FEW_USERS_PER_S)


@events.test_start.add_listener
def _on_start(environment: Environment, **_: Any) -> None:
    TEST.begin(environment)
    if TEST.slo is None or isinstance(environment.runner, MasterRunner):
        return
    runner: Any = environment.runner  # not every kind has a worker_index by its type, but each has one
    target = Target(host=str(environment.host).rstrip("/"), token=os.environ.get("PENTIMENTO_TOKEN") or None)
    crowd = Crowd(environment, target, Goldens(TEST.slo.golden.min_ssim), worker=runner.worker_index)
    try:
        sight = first_look(crowd)
    except (CannotRun, IllWhenIdle) as error:
        print(f"could_not_run: {error}", file=sys.stderr)
        environment.process_exit_code = EXIT_CODES["could_not_run"]
        gevent.spawn(runner.quit)
        return
    scene = Scene(styles=sight.styles, may_upload=sight.may_upload, run_id=f"load-{uuid.uuid4().hex[:10]}")
    TEST.shots = shots_of(TEST.slo.mix, scene)
    TEST.began_s = crowd.zero_s = time.monotonic()
    TEST.crowd = crowd


@events.report_to_master.add_listener
def _on_report(client_id: str, data: dict[str, Any]) -> None:
    """A worker tells what it has seen since it last told."""
    if TEST.phases and TEST.drained():
        TEST.give_up()
    done = [record for record in TEST.records[TEST.reported :] if record.status or record.problem]
    waiting = [record for record in TEST.records[TEST.reported :] if not (record.status or record.problem)]
    TEST.records[TEST.reported :] = done + waiting
    TEST.reported += len(done)
    data["pentimento"] = [asdict(record) for record in done]


@events.worker_report.add_listener
def _on_worker(client_id: str, data: dict[str, Any]) -> None:
    TEST.records += [Record(**row) for row in data.get("pentimento", ())]


@events.test_stop.add_listener
def _on_stop(environment: Environment, **_: Any) -> None:
    """Judge what was seen; of a worker, the master does."""
    sent_here = TEST.crowd is not None and not isinstance(environment.runner, WorkerRunner)
    if TEST.slo is None or TEST.shape is None or not (sent_here or isinstance(environment.runner, MasterRunner)):
        return
    options: Any = environment.parsed_options
    TEST.visits.kill()
    TEST.give_up()
    workers = len(environment.runner.clients) if isinstance(environment.runner, MasterRunner) else 1
    run = Run(shape=options.shape, host=str(environment.host), seed=TEST.slo.seed, workers=workers,
              started_at=datetime.now(UTC).isoformat(timespec="seconds"), phases=tuple(TEST.phases))  # fmt: skip
    verdict = judge(run, TEST.records, TEST.slo, TEST.shape)
    print(as_text(verdict))
    if options.out:
        write_report(verdict, TEST.records, Path(options.out))
    environment.process_exit_code = verdict.exit_code
    TEST.began_s = 0.0
