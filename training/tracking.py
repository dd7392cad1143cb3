"""MLflow's view of a run: one parent, one child per stage, so that every number can be found again."""

import io
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from registry.settings import Settings
from registry.store import ensure_experiment, open_client, told_plainly
from stylenet.pictures import write_bytes
from training.loop import StepReport


class Tracker:
    """Writes one training run; resuming continues the same MLflow runs. A context manager: an error marks them failed.

    Args:
        settings: which MLflow.
        name: the run's name.
        parameters: every setting and digest, by name.
        resume: the parent's run id to continue, and the child's by stage.

    Raises:
        StoreError: MLflow cannot be reached.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        parameters: dict[str, Any],
        resume: dict[str, str] | None = None,
        every_steps: int = 10,
    ) -> None:
        self._settings = settings
        self._client = open_client(settings)
        self._every = every_steps
        self._runs: dict[str, str] = {}
        with told_plainly(settings):
            self._experiment = ensure_experiment(self._client, settings)
            for key, run_id in (resume or {}).items():
                self._client.set_terminated(run_id, status="RUNNING")
                self._runs[key] = run_id
            if "parent" not in self._runs:
                run = self._client.create_run(self._experiment, run_name=name)
                self._runs["parent"] = run.info.run_id
                for key, value in parameters.items():
                    self._client.log_param(self.run_id, key, str(value)[:6000])

    @property
    def run_id(self) -> str:
        """The parent run's id."""
        return self._runs["parent"]

    @property
    def run_ids(self) -> dict[str, str]:
        """The ids by "parent", "stage1", "stage2": what `resume` takes."""
        return dict(self._runs)

    def start_stage(self, stage: int, parameters: dict[str, Any]) -> None:
        """Open the child run of a stage, unless it is being resumed."""
        key = f"stage{stage}"
        if key in self._runs:
            return
        with told_plainly(self._settings):
            tags = {"mlflow.parentRunId": self.run_id}
            run = self._client.create_run(self._experiment, run_name=key, tags=tags)
            self._runs[key] = run.info.run_id
            for name, value in parameters.items():
                self._client.log_param(run.info.run_id, name, str(value))

    def step(self, report: StepReport) -> None:
        """Log a step's loss terms, learning rate and speed, every few steps and at the last."""
        if report.step % self._every and report.step != report.steps:
            return
        from mlflow.entities import Metric
        from mlflow.utils.time import get_current_time_millis

        values = {f"loss/{name}": value for name, value in report.terms.items()} | {
            "loss/total": report.total,
            "learning_rate": report.learning_rate,
            "images_per_s": report.images_per_s,
        }
        now = get_current_time_millis()
        metrics = [Metric(name, value, now, report.step) for name, value in values.items()]
        with told_plainly(self._settings):
            self._client.log_batch(self._runs[f"stage{report.stage}"], metrics=metrics)

    def sheet(self, stage: int, step: int, pixels: NDArray[np.uint8], folder: Path) -> None:
        """Keep a sheet of samples as an artifact of the stage's run."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="JPEG", quality=90)
        path = folder / f"stage{stage}-step{step:06d}.jpg"
        write_bytes(buffer.getvalue(), path)
        with told_plainly(self._settings):
            self._client.log_artifact(self._runs[f"stage{stage}"], str(path), artifact_path="samples")

    def finish_stage(self, stage: int) -> None:
        """Mark a stage's run as done."""
        with told_plainly(self._settings):
            self._client.set_terminated(self._runs[f"stage{stage}"], status="FINISHED")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        status = "FINISHED" if kind is None else "KILLED" if interrupted else "FAILED"
        with told_plainly(self._settings):
            for run_id in reversed(self._runs.values()):
                if kind is not None or run_id == self.run_id:
                    self._client.set_terminated(run_id, status=status)
