"""kill -9 at random moments of register, promote, rollback and fetch: what is seen, what is left, what repair leaves.

    python benchmarks/registry_kills.py --kills 120 --store postgresql

After every kill this asks MLflow and the disk themselves, not our own code, what is there without belonging to a whole
version, and holds that against what `find_leftovers` names (that is what `pentimento doctor` shows). Then it cleans up
as `pentimento doctor --repair` does and looks again. Exits 1 at the first thing that is not as promised.
"""

import argparse
import dataclasses
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import torch

from registry.evidence import Evidence, RuleResult, write_evidence
from registry.leftovers import Leftover, clean, find_leftovers
from registry.promotion_log import champions
from registry.promotion_store import PromotionLog
from registry.settings import Settings
from registry.store import open_client
from registry.versions import Registry, Version
from runtime.package import Package, open_package, write_package

ROOT = Path(__file__).resolve().parents[1]
REGISTRATION = "pentimento.registration"


class BrokenPromise(AssertionError):
    """Something was seen after a kill that must never be seen."""


def main() -> int:
    """Run it and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=120, help="how many, over all operations")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--package", type=Path, default=ROOT / "pretrained" / "compact")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)  # a fork inherits no OpenMP pool, but the belief that there is one
    with tempfile.TemporaryDirectory(prefix="registry-kills-") as folder:
        settings = Settings.at(folder)
        if given.store == "postgresql":
            sys.path.insert(0, str(ROOT / "tests"))
            from postgres_server import start_postgres

            settings = dataclasses.replace(settings, tracking_uri=start_postgres().database())
        proof = Proof(settings, open_package(given.package), random.Random(given.seed))
        try:
            result = proof.run(given.kills)
        except BrokenPromise as broken:
            print(f"BROKEN: {broken}", file=sys.stderr)
            return 1
    print(json.dumps({"store": given.store, "seed": given.seed, **result}, indent=1))
    return 0


class Proof:
    """One registry, killed again and again.

    Args:
        settings: an empty registry.
        package: what is registered, each time under another commit and so another digest.
        chance: says when to kill.
    """

    def __init__(self, settings: Settings, package: Package, chance: random.Random) -> None:
        self.settings = settings
        self.package = package
        self.chance = chance
        self.registry = Registry(settings)
        self.whole: set[int] = set()  # versions whose files were fetched and checked
        self.made = 0

    def run(self, kills: int) -> dict[str, object]:
        """Kill, look, repair, look, `kills` times. Returns what was seen, counted."""
        for _ in range(3):
            self.registry.register(self.next_package().folder, engine="torch")
        self.registry.promote(1, self.next_evidence(self.registry.get(1)))
        operations = {
            "register": self.register,
            "promote": self.promote,
            "rollback": self.rollback,
            "fetch": self.fetch,
        }
        spans = {name: self.time(prepare) for name, prepare in operations.items()}
        order = ("register", "promote", "register", "promote", "rollback", "fetch")
        seen: dict[str, Counter[str]] = {name: Counter() for name in operations}
        for number in count():
            done = sum(counts["kills"] for counts in seen.values())
            if done >= kills:
                break
            name = order[number % len(order)]
            finished = self.kill(operations[name](), self.chance.uniform(0, 1.1 * spans[name]))
            seen[name]["kills"] += not finished
            seen[name]["finished before the kill"] += finished
            for leftover in self.look():
                seen[name][f"left: {leftover.kind}"] += 1
                clean(leftover, self.settings)
            self.look_again()
            print(f"{done}/{kills} {name}", file=sys.stderr, flush=True)
        return {
            "kills": done,
            "median_s": {name: round(span, 2) for name, span in spans.items()},
            "versions": len(self.registry.versions()),
            "promotions": len(self.registry.history()),
            "broken promises": 0,
            **seen,
        }

    # The operations, each as something that a child process does.

    def register(self) -> Callable[[Registry], object]:
        folder = self.next_package().folder
        return lambda registry: registry.register(folder, engine="torch")

    def promote(self) -> Callable[[Registry], object]:
        champion = self.registry.champion()
        others = [version for version in self.registry.versions() if version != champion]
        target = self.chance.choice(others)
        evidence = self.next_evidence(target)
        return lambda registry: registry.promote(target.number, evidence)

    def rollback(self) -> Callable[[Registry], object]:
        if self.registry.pointed("previous") is None:
            return self.promote()
        return lambda registry: registry.rollback()

    def fetch(self) -> Callable[[Registry], object]:
        version = self.chance.choice(self.registry.versions())
        kept = self.settings.packages_folder / version.digest
        for path in kept.glob("MODEL_CARD.md"):
            path.write_text("altered, so that it is fetched again")
        return lambda registry: registry.fetch(version)

    def next_package(self) -> Package:
        self.made += 1
        files = {name: self.package.path(name).read_bytes() for name in self.package.manifest.files}
        fields = self.package.manifest.model_copy(update={"git_commit": f"kill-{self.made}"})
        folder = self.settings.home / "made" / str(self.made)
        return write_package(folder, files=files, **fields.model_dump(exclude={"files", "schema_version"}))

    def next_evidence(self, version: Version) -> Path:
        self.made += 1
        folder = self.settings.home / "evidence" / str(self.made)
        champion = self.registry.champion()
        evidence = Evidence(
            candidate_digest=version.digest,
            champion_digest=champion.digest if champion else None,
            verdict="passed",
            rules=(RuleResult(name="ssim", passed=True, value=0.9, needed=">= 0.8"),),
            scores={"candidate": {"ssim": 0.9}},
            pairs=1,
            dataset_digest="0" * 64,
            policy_digest="1" * 64,
            created_at=datetime.now(UTC),
        )
        write_evidence(evidence, folder)
        for page in range(8):
            (folder / f"page-{page}.html").write_text("painted" * 20_000)
        return folder

    def time(self, prepare: Callable[[], Callable[[Registry], object]]) -> float:
        """Seconds that an operation takes in a child, undisturbed: the median of three."""
        spans = []
        for _ in range(3):
            operation = prepare()
            with child(self.settings, operation) as number:
                started = time.monotonic()
                os.waitpid(number, 0)
            spans.append(time.monotonic() - started)
        return statistics.median(spans)

    def kill(self, operation: Callable[[Registry], object], after_s: float) -> bool:
        """Whether the operation came to its end before the kill."""
        with child(self.settings, operation) as number:
            time.sleep(after_s)
            os.kill(number, signal.SIGKILL)
            _, status = os.waitpid(number, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            raise BrokenPromise("an operation failed by itself; its error stands above")
        return os.WIFEXITED(status)

    # What is seen afterwards.

    def look(self) -> tuple[Leftover, ...]:
        """What every reader sees is whole; what nobody sees is named."""
        self.check_versions()
        self.check_aliases()
        named = find_leftovers(self.settings)
        for orphan in self.orphans():
            if not any(orphan in leftover.name for leftover in named):
                raise BrokenPromise(f"{orphan} was left behind, and nobody names it; named: {[n.name for n in named]}")
        return named

    def look_again(self) -> None:
        """After the repair nothing is left, and aliases and log agree."""
        left = [*self.orphans(), *(leftover.name for leftover in find_leftovers(self.settings))]
        if left:
            raise BrokenPromise(f"repair left {left}")
        self.check_versions()
        self.check_aliases()
        stack = champions(PromotionLog(self.registry._client).chain().promotions)
        champion, previous = self.registry.champion(), self.registry.pointed("previous")
        numbers = [champion.number if champion else None, previous.number if previous else None]
        expected = [stack[-1][0], stack[-2][0] if len(stack) > 1 else None]
        if numbers != expected:
            raise BrokenPromise(f"champion and previous are {numbers}, the log says {expected}")

    def check_versions(self) -> None:
        """No half version: each one has its lineage and all its files, and they are the registered ones."""
        for version in self.registry.versions():
            if version.number not in self.whole:
                if self.registry.fetch(version).digest != version.digest or not version.environment:
                    raise BrokenPromise(f"{version.name} is not whole")
                self.whole.add(version.number)

    def check_aliases(self) -> None:
        """No alias that points nowhere."""
        there = {version.number for version in self.registry.versions()}
        client = open_client(self.settings)
        for alias, number in client.get_registered_model("pentimento").aliases.items():
            if int(number) not in there:
                raise BrokenPromise(f"alias {alias} points to {number}, which is not there")

    def orphans(self) -> Iterator[str]:
        """What MLflow and the disk hold that belongs to no version, by id or path."""
        client = open_client(self.settings)
        whole = {version.tags[REGISTRATION] for version in self.registry.versions()}
        experiment = client.get_experiment_by_name("pentimento").experiment_id
        for run in client.search_runs([experiment], max_results=10_000):
            if run.data.tags[REGISTRATION] not in whole:
                yield run.info.run_id
        models = {model.model_id: model for model in client.search_logged_models([experiment], max_results=10_000)}
        for model in models.values():
            if model.tags[REGISTRATION] not in whole:
                yield model.model_id
        for folder in (self.settings.artifact_root / "models").glob("*"):
            if folder.name not in models:
                yield folder.name
        yield from map(str, self.settings.home.glob(".registering-*"))
        yield from map(str, self.settings.packages_folder.glob(".fetching-*"))


@contextmanager
def child(settings: Settings, operation: Callable[[Registry], object]) -> Iterator[int]:
    """A process that has opened the registry and begins the operation now. The caller waits for it."""
    reader, writer = os.pipe()
    number = os.fork()
    if number == 0:
        code = 1
        try:
            _forget_connections()
            registry = Registry(settings)
            os.write(writer, b"!")
            operation(registry)
            code = 0
        except BaseException as error:
            print(f"child: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    yield number


def _forget_connections() -> None:
    """MLflow's open connections are the parent's, and two cannot talk over one."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Versions
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs

    for engine in {*Versions._engine_map.values(), *Runs._engine_map.values()}:
        engine.dispose(close=False)


if __name__ == "__main__":
    raise SystemExit(main())
