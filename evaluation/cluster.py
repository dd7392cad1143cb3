"""Pairs scored on a Ray cluster: each worker opens the same method and instruments, and sends back the numbers.

The work of a pair is the very function that this process would call, with as many threads, so the numbers are the same
to the last digit. A worker whose code, weights or libraries differ has another key, and is refused before it scores.
Ray is an extra (`pip install 'pentimento[ray]'`), and is imported when it is asked for.
"""

import logging
import os
from collections import deque
from collections.abc import Iterator
from typing import Any

import torch

from evaluation.errors import MethodError
from evaluation.ledger import Record
from evaluation.measuring import Instruments
from evaluation.methods import Recipe
from evaluation.pairs import Manifest, Picture
from evaluation.pipeline import Place, give_memory_back
from evaluation.scoring import Scorer
from evaluation.settings import EvaluationSettings

PAIRS_A_TASK = 4
TASKS_A_WORKER = 2
"""One being done and one waiting: enough to keep a worker busy, little enough to hold few results in memory."""


class RayWorkers:
    """A Ray cluster: the one that `RAY_ADDRESS` (or `address`) names, else this machine's cores.

    Args:
        settings: of the judgement; each worker loads its instruments from them.
        address: of a running cluster.
        workers: how many; by default as many as the cluster's cores allow at this process's number of threads.

    Raises:
        ImportError: Ray is not installed.
    """

    def __init__(self, settings: EvaluationSettings, *, address: str | None = None, workers: int | None = None) -> None:
        import ray

        self._settings, self._threads = settings, torch.get_num_threads()
        self._started = not ray.is_initialized()
        if self._started:
            where = address or os.environ.get("RAY_ADDRESS")
            local: dict[str, Any] = {} if where else {"include_dashboard": False}
            ray.init(address=where, logging_level=logging.ERROR, log_to_driver=False, **local)
        cores = int(ray.cluster_resources().get("CPU", 1))
        self._count = workers or max(1, cores // self._threads)

    def score(self, scorer: Scorer, manifest: Manifest, places: list[Place]) -> Iterator[tuple[Place, Record]]:
        """See `pipeline.Workers.score`.

        Raises:
            MethodError: the method broke its contract, or a worker is not like this machine.
        """
        import ray

        if not places:
            return
        actor = ray.remote(_Worker).options(num_cpus=min(self._threads, ray.cluster_resources().get("CPU", 1)))
        workers: list[Any] = [
            actor.remote(scorer.method.recipe(), scorer.strengths, self._settings, self._threads, scorer.key)
            for _ in range(min(self._count, -(-len(places) // PAIRS_A_TASK)))
        ]
        waiting = deque(places[start : start + PAIRS_A_TASK] for start in range(0, len(places), PAIRS_A_TASK))
        running: dict[Any, tuple[Any, list[Place]]] = {}

        def hand_out(worker: Any) -> None:
            if waiting:
                task = waiting.popleft()
                pictures = [(manifest.photographs[i], manifest.paintings[j]) for i, j in task]
                running[worker.score.remote(pictures)] = (worker, task)

        try:
            for worker in workers * TASKS_A_WORKER:
                hand_out(worker)
            while running:
                (finished,), _ = ray.wait(list(running), num_returns=1)
                worker, task = running.pop(finished)
                records = _result(ray, finished)
                hand_out(worker)
                yield from zip(task, records, strict=True)
        finally:
            for worker in workers:
                ray.kill(worker)

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here."""
        import ray

        if self._started:
            ray.shutdown()


class _Worker:
    """One process of the cluster."""

    def __init__(
        self,
        recipe: Recipe,
        strengths: tuple[float, ...],
        settings: EvaluationSettings,
        threads: int,
        key: str,
    ) -> None:
        torch.set_num_threads(threads)
        self._scorer = Scorer(recipe(), strengths, Instruments.load(settings))
        if self._scorer.key != key:
            raise MethodError(
                "a cluster worker would measure something else: its code, weights or libraries differ from this "
                "machine's; install the same Pentimento there"
            )

    def score(self, pairs: list[tuple[Picture, Picture]]) -> list[Record]:
        """The pairs' records, in order."""
        records = [self._scorer.score(photo, style) for photo, style in pairs]
        give_memory_back()
        return records


def _result(ray: Any, task: Any) -> list[Record]:
    """A task's records; an error of ours comes through as itself."""
    try:
        records: list[Record] = ray.get(task)
        return records
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.ActorDiedError as error:
        raise MethodError(f"a cluster worker could not start or died: {error}") from error
