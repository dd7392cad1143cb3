"""Training on several processes: the same pictures, the same losses, one version."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from registry.settings import Settings
from registry.versions import Registry
from stylenet.images import Pixels
from tests.test_training import source_of, write_data
from training.errors import TrainingConfigError
from training.pictures import PictureSet
from training.preparation import pick_device
from training.workers import Worker, this_worker

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def pictures(photo: Pixels, painting: Pixels) -> tuple[PictureSet, PictureSet]:
    return PictureSet(("a", "b"), (photo, photo[::-1].copy()), "c"), PictureSet(("d",), (painting,), "s")


def torchrun(workers: int, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Start `python ARGUMENTS` once per worker, as a user would."""
    environment = {**os.environ, "PENTIMENTO_HOME": str(home), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    # --standalone finds its own free ports; the address because a machine's name need not lead back to it.
    alone = ["--standalone", "--local-addr=127.0.0.1"]
    start = ["-m", "torch.distributed.run", *alone, f"--nproc-per-node={workers}"]
    return subprocess.run(
        [sys.executable, *start, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def curves(home: Path) -> dict[str, list[float]]:
    """Every step's total loss, by stage, as MLflow keeps it."""
    from mlflow import MlflowClient

    settings = Settings.at(home)
    client = MlflowClient(settings.tracking_uri)
    run = Registry(settings).versions()[0].run_id
    found = {}
    for child in client.search_runs(
        [client.get_run(run).info.experiment_id], filter_string=f"tags.`mlflow.parentRunId` = '{run}'"
    ):
        history = client.get_metric_history(child.info.run_id, "loss/total")
        found[str(child.info.run_name)] = [metric.value for metric in sorted(history, key=lambda m: m.step)]
    return found


def test_two_workers_learn_what_one_with_the_whole_batch_learns(
    tmp_path: Path, photo: Pixels, painting: Pixels, tiny_package: Path
):
    stage = {"epochs": 10, "steps_per_epoch": 2, "batch_size": 4, "crop_px": 32, "warmup_steps": 0}
    config = {
        "name": "shared",
        "data": [str(write_data(tmp_path / "data", photo, painting))],
        "start_from": str(tiny_package),
        "extractor": "compact",
        "precision": "float32",
        "stage1": stage,
        "stage2": {**stage, "epochs": 5, "learning_rate": 1e-4},
    }
    path = tmp_path / "shared.yaml"
    path.write_text(yaml.safe_dump(config))
    for workers in (1, 2):
        done = torchrun(
            workers, "-m", "cli.main", "train", str(path), "--threads", "1", "--json", home=tmp_path / str(workers)
        )
        assert done.returncode == 0, f"{workers} workers: {done.stderr[:4000]} ... {done.stderr[-4000:]}"
        assert json.loads(done.stdout)["version"] == 1  # one worker speaks
    alone, shared = curves(tmp_path / "1"), curves(tmp_path / "2")
    assert set(alone) == {"stage1", "stage2"}
    assert [len(alone[name]) for name in sorted(alone)] == [2, 1]  # MLflow keeps every tenth step
    for name, values in alone.items():
        assert shared[name] == pytest.approx(values, rel=1e-3), name
    assert len(Registry(Settings.at(tmp_path / "2")).versions()) == 1


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(TrainingConfigError, match="use 6"):
        Worker(rank=0, count=3).places(5)


def test_the_shares_of_all_workers_make_the_batch(pictures: tuple[PictureSet, PictureSet]):
    source = source_of(pictures)
    whole = source.batch(3)
    shares = [source.batch(3, Worker(rank=rank, count=2).places(2)) for rank in range(2)]
    assert torch.equal(torch.cat([share.content for share in shares]), whole.content)
    assert torch.equal(torch.cat([share.dials for share in shares]), whole.dials)


def test_loader_processes_prepare_what_the_thread_prepares(pictures: tuple[PictureSet, PictureSet]):
    source = source_of(pictures)
    for (step, one), (again, other) in zip(source.stream(2, 5), source.stream(2, 5, processes=2), strict=True):
        assert step == again
        assert torch.equal(one.content, other.content)
        assert torch.equal(one.style, other.style)
        assert torch.equal(one.dials, other.dials)


def test_without_torchrun_there_is_one_worker(monkeypatch: pytest.MonkeyPatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert this_worker() == Worker()
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not this_worker().is_first


@pytest.mark.gpu
def test_a_worker_without_a_gpu_of_its_own_is_refused():
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    with pytest.raises(TrainingConfigError, match="nproc-per-node"):
        pick_device("cuda", Worker(rank=99, count=100, local_rank=99))
