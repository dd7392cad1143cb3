"""A training run from its configuration to a registered version: the main path of this folder."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from registry.settings import Settings
from registry.versions import Registry, Version
from runtime.package import Package
from runtime.packaging import package_network
from stylenet.network import StyleNetwork, count_parameters
from stylenet.perception import load_extractor
from stylenet.pictures import write_bytes
from training.batches import BatchSource
from training.cards import model_card
from training.config import StageConfig, TrainingConfig
from training.loop import Checkpointing, StepReport, run_stage
from training.objective import Batch, Terms, style_objective
from training.pictures import PictureSet, join, load_pictures
from training.preparation import (
    batch_source,
    channels_last,
    data_folder,
    describe_device,
    flatten,
    freeze_for_stage,
    git_commit,
    onto,
    pick_device,
    starting_network,
)
from training.sheets import sample_sheet
from training.temporal import temporal_loss
from training.tracking import Tracker
from training.workers import Worker, joined

STAGES = (1, 2)
Progress = Callable[[StepReport], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run leaves behind."""

    version: Version
    package: Package
    run_id: str
    folder: Path


def train(
    config: TrainingConfig,
    settings: Settings,
    *,
    progress: Progress = lambda report: None,
    fresh: bool = False,
) -> TrainingResult:
    """Train in two stages, package and register. Continues where an interrupted run of the same settings stopped.

    Under `torchrun` every worker calls this; the first one tracks, packages and registers, and all get its result.

    Args:
        config: the run.
        settings: where runs and versions are kept.
        progress: told of every step, by the first worker.
        fresh: forget an earlier run of that name.

    Raises:
        TrainingConfigError, ConfigError: the data or the start cannot be used.
        CheckpointError: an interrupted run of that name had other settings or pictures.
        DivergedError: the loss became no number.
        RegistryError, PackageError: registering failed; nothing half-done is left in the registry.
    """
    with joined(pick_device(config.device)) as worker:
        if worker.is_first:
            run = _Run.prepare(config, settings, worker, fresh=fresh)
            worker.wait()  # the embedded sample is written, what `fresh` forgets is gone
            return worker.hear(_track(run, settings, progress))
        worker.wait()
        run = _Run.prepare(config, settings, worker)
        for stage in STAGES:
            run.train_stage(stage)
        result: TrainingResult = worker.hear(None)
        return result


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """What one worker trains with."""

    config: TrainingConfig
    worker: Worker
    network: StyleNetwork
    parents: list[str]
    extractor: nn.Module
    content: PictureSet
    style: PictureSet
    folder: Path

    @staticmethod
    def prepare(config: TrainingConfig, settings: Settings, worker: Worker, *, fresh: bool = False) -> "_Run":
        """Load pictures, network and extractor."""
        roots = [data_folder(name, settings) for name in config.data]
        content, style = (join([load_pictures(root, kind) for root in roots]) for kind in ("content", "style"))
        network, parents = starting_network(config, settings)
        device = pick_device(config.device, worker)
        run = _Run(
            config=config,
            worker=worker,
            network=onto(device, network),
            parents=parents,
            extractor=onto(device, load_extractor(config.extractor)),
            content=content,
            style=style,
            folder=settings.home / "runs" / config.name,
        )
        if fresh:
            run.forget()
        return run

    @property
    def data_digest(self) -> str:
        return f"{self.content.digest}:{self.style.digest}"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def state(self) -> Path:
        """The MLflow runs of an unfinished training."""
        return self.folder / "run.json"

    def forget(self) -> None:
        self.checkpoint.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)

    def earlier(self) -> dict[str, str] | None:
        """The MLflow runs of the training that this one continues."""
        if not (self.state.is_file() and self.checkpoint.is_file()):
            return None
        runs: dict[str, str] = json.loads(self.state.read_text())
        return runs

    def parameters(self) -> dict[str, object]:
        """Everything that decides the result, by name."""
        return {
            **flatten(self.config.model_dump()),
            "data_digest": self.data_digest,
            "pictures": f"{len(self.content.pictures)} photographs, {len(self.style.pictures)} paintings",
            "extractor_used": self.extractor.name,
            "git_commit": git_commit(),
            "parameters": count_parameters(self.network),
            "skipped": "; ".join((*self.content.skipped, *self.style.skipped)) or "none",
            "workers": self.worker.count,
            "device": describe_device(next(self.network.parameters()).device),
        }

    def source(self, stage: int) -> BatchSource:
        """Where a stage's batches come from."""
        return batch_source(self.config, stage_config(self.config, stage), stage, self.content, self.style)

    def train_stage(self, stage: int, listener: Progress = lambda report: None) -> None:
        config = self.config
        freeze_for_stage(self.network, stage)

        def objective(batch: Batch) -> tuple[Tensor, Terms]:
            total, terms = style_objective(
                self.network, batch, channels_last(self.extractor), config.loss.article(), config.loss.extra()
            )
            if config.loss.temporal == 0:
                return total, terms
            terms["temporal"] = temporal_loss(self.network, batch)
            return total + config.loss.temporal * terms["temporal"], terms

        run_stage(
            self.network,
            stage=stage,
            config=stage_config(config, stage),
            source=self.source(stage),
            objective=torch.compile(objective) if config.compile else objective,
            checkpointing=Checkpointing(
                path=self.checkpoint,
                every_steps=config.checkpoint_every_steps,
                config_digest=config.digest(),
                data_digest=self.data_digest,
            ),
            listener=listener,
            bf16=config.precision == "bfloat16",
            worker=self.worker,
            loader_processes=config.loader_processes,
        )


def _track(run: _Run, settings: Settings, progress: Progress) -> TrainingResult:
    """The first worker's part: train, with MLflow watching, then package and register."""
    config, parameters = run.config, run.parameters()
    with Tracker(settings, name=config.name, parameters=parameters, resume=run.earlier()) as tracker:
        for stage in STAGES:
            tracker.start_stage(stage, stage_config(config, stage).model_dump())
            write_bytes(json.dumps(tracker.run_ids).encode(), run.state)
            sheets = run.source(stage)

            def listen(report: StepReport, source: BatchSource = sheets) -> None:
                tracker.step(report)
                if report.step % config.sample_every_steps == 0 or report.step == report.steps:
                    sheet = sample_sheet(run.network, source)
                    tracker.sheet(report.stage, report.step, sheet, run.folder / "samples")
                progress(report)

            run.train_stage(stage, listen)
            tracker.finish_stage(stage)
        package = package_network(
            run.network.cpu(),
            run.folder / "package",
            name=config.name,
            card=model_card(config, parameters),
            git_commit=git_commit(),
            data_digest=run.data_digest,
            parents=run.parents,
        )
        version = Registry(settings).register(
            package.folder, run_id=tracker.run_id, stage1_run_id=tracker.run_ids["stage1"]
        )
    run.forget()  # the run is whole: the next one of that name starts anew
    return TrainingResult(version, package, tracker.run_id, run.folder)


def stage_config(config: TrainingConfig, stage: int) -> StageConfig:
    """The settings of stage 1 or 2."""
    return config.stage1 if stage == 1 else config.stage2
