"""The temporal loss: what moves as one costs nothing, what stands still costs 1, and training brings it down."""

from pathlib import Path

import numpy as np
import pytest
import torch

from registry.settings import Settings
from stylenet.images import Pixels, to_image
from stylenet.network import StyleNetwork
from stylenet.pictures import write_picture
from tests.conftest import TINY
from tests.film_world import scene
from training.config import TrainingConfig, load_config
from training.loop import StepReport
from training.objective import Batch
from training.runs import train
from training.temporal import batch_motion, move, temporal_loss


@pytest.fixture
def batch(painting: Pixels) -> Batch:
    content = torch.cat([to_image(scene(seed)[:64, :64]) for seed in (0, 1)])
    style = to_image(painting[:64, :64]).repeat(2, 1, 1, 1)
    return Batch(content, style, torch.tensor([[1.0, 0.5, 1.0, 1.0, 0.0]] * 2))


def test_a_painting_that_moves_along_costs_nothing(batch: Batch):
    """At strength 0 the painting is the photograph."""
    torch.manual_seed(0)
    untouched = Batch(batch.content, batch.style, torch.zeros(2, 5))
    assert float(temporal_loss(StyleNetwork(TINY), untouched)) < 1e-4


def test_the_motion_is_decided_by_the_pictures(batch: Batch):
    one, again, other = batch_motion(batch.content), batch_motion(batch.content), batch_motion(batch.content * 0.9)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == (2, 2, 64, 64)


def test_moving_by_whole_pixels_moves_the_picture_and_knows_where_it_ends():
    image = torch.rand(1, 3, 16, 24)
    flow = torch.zeros(1, 2, 16, 24)
    flow[:, 0] = 4
    moved, inside = move(image, flow)
    torch.testing.assert_close(moved[:, :, :, :-4], image[:, :, :, 4:])
    assert inside[0, 0, 0].tolist() == [1.0] * 20 + [0.0] * 4


def test_a_few_steps_bring_the_loss_down(batch: Batch):
    torch.manual_seed(0)
    network = StyleNetwork(TINY)
    with torch.no_grad():  # strong grain: what stands still
        for grain in network.decoder.grain:
            grain.gain.bias.fill_(1.0)
    optimizer = torch.optim.Adam(network.decoder.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = temporal_loss(network, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.9 * losses[0]


def test_the_configuration_for_films_is_valid_and_others_are_as_before():
    configs = Path(__file__).resolve().parents[1] / "configs"
    assert load_config(configs / "temporal.yaml").loss.temporal > 0
    assert load_config(configs / "demo.yaml").loss.temporal == 0


def test_a_run_with_the_term_reports_it(tmp_path: Path, photo: Pixels, painting: Pixels, tiny_package: Path):
    write_picture(photo, tmp_path / "data" / "photographs" / "house.png")
    write_picture(painting, tmp_path / "data" / "paintings" / "Style" / "a_b-1900.png")
    stage = {"steps_per_epoch": 2, "batch_size": 1, "crop_px": 32, "warmup_steps": 0}
    config = TrainingConfig.model_validate(
        {
            "name": "film",
            "data": [str(tmp_path / "data")],
            "start_from": str(tiny_package),
            "extractor": "compact",
            "precision": "float32",
            "loss": {"temporal": 0.5},
            "stage1": stage,
            "stage2": stage,
        }
    )
    reports: list[StepReport] = []

    def watch(report: StepReport) -> None:
        reports.append(report)
        if len(reports) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, Settings.at(tmp_path / "home"), progress=watch)
    assert all(0 < report.terms["temporal"] < 10 for report in reports)
