"""Training: the pictures that a step sees, the loss terms, exact resume, and the path to a registered version."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from registry.settings import Settings
from registry.versions import Registry
from runtime.loading import load_engine
from runtime.packaging import package_network
from stylenet import losses
from stylenet.adain import AdaIN
from stylenet.encoders import CompactEncoder
from stylenet.errors import ConfigError
from stylenet.images import Pixels
from stylenet.losses import ArticleWeights, ExtraWeights
from stylenet.network import StyleNetwork
from stylenet.pictures import write_picture
from stylenet.vgg import TAPS, Vgg19
from tests.conftest import TINY
from training.baseline import train_adain
from training.batches import BatchSource
from training.checkpoints import read_checkpoint
from training.config import StageConfig, TrainingConfig, load_config
from training.distillation import distil
from training.errors import CheckpointError, DivergedError, TrainingConfigError
from training.loop import Checkpointing, StepReport, run_stage
from training.objective import adain_objective, sample_dials, style_objective
from training.pictures import PictureSet, load_pictures, match_histogram, random_crop
from training.preparation import pick_device
from training.runs import train

STAGE = StageConfig(epochs=2, steps_per_epoch=3, batch_size=2, crop_px=32, learning_rate=1e-3, warmup_steps=1)


@pytest.fixture
def pictures(photo: Pixels, painting: Pixels) -> tuple[PictureSet, PictureSet]:
    content = PictureSet(("a", "b"), (photo, photo[::-1].copy()), "content")
    style = PictureSet(("c", "d"), (painting, painting[:, ::-1].copy()), "style")
    return content, style


def source_of(pictures: tuple[PictureSet, PictureSet], stage: int = 1) -> BatchSource:
    return BatchSource(content=pictures[0], style=pictures[1], batch_size=2, crop_px=32, seed=7, stage=stage)


def tiny_extractor() -> CompactEncoder:
    torch.manual_seed(11)
    return CompactEncoder((4, 4, 8, 8)).eval().requires_grad_(False)


def run_tiny(
    source: BatchSource, checkpointing: Checkpointing | None = None, stop_at: int | None = None
) -> StyleNetwork:
    """Two epochs of three steps; `stop_at` interrupts as Ctrl-C would."""
    torch.manual_seed(0)
    network, extractor = StyleNetwork(TINY), tiny_extractor()

    def listen(report: StepReport) -> None:
        if report.step == stop_at:
            raise KeyboardInterrupt

    run_stage(
        network,
        stage=1,
        config=STAGE,
        source=source,
        objective=lambda batch: style_objective(network, batch, extractor, ArticleWeights(), ExtraWeights()),
        checkpointing=checkpointing,
        listener=listen,
    )
    return network


def test_the_same_step_sees_the_same_pictures_and_another_step_others(pictures: tuple[PictureSet, PictureSet]):
    one, again, other = source_of(pictures).batch(3), source_of(pictures).batch(3), source_of(pictures).batch(4)
    assert torch.equal(one.content, again.content)
    assert torch.equal(one.style, again.style)
    assert torch.equal(one.dials, again.dials)
    assert not torch.equal(one.content, other.content)


def test_a_crop_of_a_rotated_picture_has_no_empty_corner(photo: Pixels):
    white = np.full_like(photo, 255)
    for seed in range(30):
        crop = random_crop(white, 32, np.random.default_rng(seed))
        assert crop.shape == (1, 3, 32, 32)
        assert float(crop.min()) == 1.0


def test_a_matched_histogram_is_the_photographs(pictures: tuple[PictureSet, PictureSet]):
    rng = np.random.default_rng(0)
    content, style = random_crop(pictures[0].pictures[0], 32, rng), random_crop(pictures[1].pictures[0], 32, rng)
    matched = match_histogram(style, content)
    for channel in range(3):
        ours, theirs = (x[0, channel].flatten().sort().values for x in (matched, content))
        assert (ours - theirs).abs().mean() < 0.05


def test_sampled_dials_cover_their_range_and_are_often_full():
    dials = sample_dials(2000, torch.Generator().manual_seed(0))
    assert dials.shape == (2000, 5)
    assert float(dials.min()) >= 0
    assert float(dials.max()) <= 1
    assert 0.5 < float((dials[:, 0] == 1).float().mean()) < 0.6
    assert float(dials[:, 1].mean()) == pytest.approx(0.5, abs=0.03)
    assert (dials[:, 4] == 0).all()


def features_of(image: Tensor) -> dict[str, Tensor]:
    return tiny_extractor()(image)


def test_the_unedited_photograph_has_all_of_the_style_left_and_the_style_none():
    content = {tap: torch.rand(2, 6, 12, 12, generator=torch.Generator().manual_seed(0)) for tap in TAPS}
    style = {tap: 3 * torch.rand(2, 6, 9, 9, generator=torch.Generator().manual_seed(1)) for tap in TAPS}
    full = dict.fromkeys(TAPS, torch.ones(2))
    for measure in (losses.gram, losses.statistics):
        # 5 % of the style's own size stands in the divisor, so that the whole way is a little less than 1.
        assert (losses.share_left(content, content, style, full, measure) > 0.9).all()
        assert (losses.share_left(content, content, style, full, measure) <= 1).all()
        assert (losses.share_left(style, content, style, full, measure) < 1e-3).all()


def test_content_and_edges_cost_nothing_at_the_photograph_and_something_elsewhere(
    pictures: tuple[PictureSet, PictureSet],
):
    batch = source_of(pictures).batch(5)
    content, style = features_of(batch.content), features_of(batch.style)
    assert (losses.content_loss(content, content, style) == 0).all()
    torch.testing.assert_close(losses.content_loss(style, content, style), torch.ones(2), atol=1e-3, rtol=0)
    assert (losses.edge_loss(batch.content, batch.content) == 0).all()
    assert (losses.edge_loss(batch.style, batch.content) > 0.1).all()


def test_total_variation_of_the_rougher_picture_is_about_one(pictures: tuple[PictureSet, PictureSet]):
    batch = source_of(pictures).batch(5)
    assert (losses.total_variation(batch.style, batch.style, batch.style) > 0.5).all()
    assert (losses.total_variation(torch.zeros_like(batch.style), batch.content, batch.style) == 0).all()


def test_a_style_looks_consistent_with_itself(pictures: tuple[PictureSet, PictureSet]):
    batch = source_of(pictures).batch(5)
    style = features_of(batch.style)
    own = losses.attention_loss(style, style, side=8)
    other = losses.attention_loss(features_of(torch.rand_like(batch.style) * 2 - 1), style, side=8)
    assert (own < other).all()


def test_the_articles_weights_are_the_default():
    assert ArticleWeights() == ArticleWeights(content=0.5, style=0.3, total_variation=0.2)
    with pytest.raises(ConfigError, match="content"):
        ArticleWeights(content=-1)


def test_interrupting_and_resuming_gives_the_same_weights_as_not_interrupting(
    pictures: tuple[PictureSet, PictureSet], tmp_path: Path
):
    source = source_of(pictures)
    whole = run_tiny(source).state_dict()
    checkpointing = Checkpointing(path=tmp_path / "c.pt", every_steps=2, config_digest="c", data_digest="d")
    with pytest.raises(KeyboardInterrupt):
        run_tiny(source, checkpointing, stop_at=5)
    resumed = run_tiny(source, checkpointing).state_dict()
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_a_checkpoint_of_another_run_or_a_broken_one_is_refused(
    pictures: tuple[PictureSet, PictureSet], tmp_path: Path
):
    path = tmp_path / "c.pt"
    run_tiny(source_of(pictures), Checkpointing(path=path, every_steps=2, config_digest="c", data_digest="d"))
    with pytest.raises(CheckpointError, match="other settings"):
        read_checkpoint(path, config_digest="other", data_digest="d")
    with pytest.raises(CheckpointError, match="other pictures"):
        read_checkpoint(path, config_digest="c", data_digest="other")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="broken"):
        read_checkpoint(path, config_digest="c", data_digest="d")


def test_a_loss_that_is_no_number_stops_the_run(pictures: tuple[PictureSet, PictureSet]):
    network = StyleNetwork(TINY)

    def nan(_: object) -> tuple[Tensor, dict[str, Tensor]]:
        return next(network.parameters()).sum() * float("nan"), {}

    with pytest.raises(DivergedError, match="learning_rate"):
        run_stage(network, stage=1, config=STAGE, source=source_of(pictures), objective=nan)


def test_the_learning_rate_warms_up_and_halves_every_ten_epochs():
    stage = StageConfig(epochs=30, learning_rate=1e-4, halve_every_epochs=10, warmup_steps=3)
    assert stage.learning_rate_at(0, 5) == pytest.approx(0.25e-4)
    assert [stage.learning_rate_at(epoch * 5 + 4, 5) for epoch in (1, 9, 10, 19, 20)] == pytest.approx(
        [1e-4, 1e-4, 0.5e-4, 0.5e-4, 0.25e-4]
    )


def test_adain_learns_and_keeps_its_encoder(pictures: tuple[PictureSet, PictureSet]):
    encoder, source = tiny_extractor(), source_of(pictures)

    def trained(steps: int) -> AdaIN:
        stage = StageConfig(epochs=1, steps_per_epoch=steps, batch_size=2, crop_px=32, learning_rate=1e-3)
        return train_adain(encoder, tiny_extractor(), source, stage, bf16=False)

    def loss(network: AdaIN) -> float:  # batches differ in difficulty: both networks see the same eight
        with torch.no_grad():
            judged = [adain_objective(network, source.batch(1000 + n), tiny_extractor(), 2.0)[0] for n in range(8)]
        return float(torch.stack(judged).mean())

    network = trained(100)
    assert loss(network) < loss(trained(1))
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(network.content_encoder.state_dict()[name], tensor)


def test_adain_on_vgg19_is_trained_packaged_and_paints(pictures: tuple[PictureSet, PictureSet], tmp_path: Path):
    torch.manual_seed(0)
    vgg = Vgg19(None, "oxford").requires_grad_(False)
    stage = StageConfig(epochs=1, steps_per_epoch=2, batch_size=2, crop_px=32)
    network = train_adain(vgg, tiny_extractor(), source_of(pictures), stage, bf16=False)
    for name, tensor in vgg.state_dict().items():
        assert torch.equal(network.content_encoder.state_dict()[name], tensor)
    package = package_network(network, tmp_path / "adain-vgg19", name="adain-vgg19", card="tried")
    assert package.manifest.config["vgg_source"] == "oxford"
    photo, style = pictures[0].pictures[0], pictures[1].pictures[0]
    engine = load_engine(package)
    assert engine.stylize(photo, engine.encode_style(style)).shape == photo.shape


def test_distillation_brings_the_student_closer_to_its_teacher(pictures: tuple[PictureSet, PictureSet]):
    torch.manual_seed(0)
    errors: list[float] = []
    student = distil(
        Vgg19(None).requires_grad_(False),
        pictures[0],
        steps=12,
        batch_size=2,
        crop_px=32,
        bf16=False,
        progress=lambda step, steps, by_tap: errors.append(sum(by_tap.values())),
    )
    assert errors[-1] < errors[0]
    assert not any(parameter.requires_grad for parameter in student.parameters())


def write_data(folder: Path, photo: Pixels, painting: Pixels) -> Path:
    write_picture(photo, folder / "photographs" / "house.png")
    write_picture(photo[:, ::-1].copy(), folder / "photographs" / "other.png")
    write_picture(painting, folder / "paintings" / "Fauvism" / "someone_waves-1905.png")
    (folder / "photographs" / "broken.jpg").write_bytes(b"no picture")
    return folder


def test_unreadable_training_pictures_are_skipped_and_named(tmp_path: Path, photo: Pixels, painting: Pixels):
    found = load_pictures(write_data(tmp_path, photo, painting), "content", side_px=64)
    assert found.names == ("photographs/house.png", "photographs/other.png")
    assert "broken.jpg" in found.skipped[0]


def test_test_pictures_are_never_trained_on(assets: Path):
    import csv

    with open(assets / "index.csv", newline="", encoding="utf-8") as stream:
        train_split = {row["path"] for row in csv.DictReader(stream) if row["split"] == "train"}
    found = load_pictures(assets, "style", side_px=32)
    assert len(found.names) > 200
    assert set(found.names) <= train_split


def test_a_folder_without_pictures_says_what_it_should_hold(tmp_path: Path):
    with pytest.raises(ConfigError, match="photographs"):
        load_pictures(tmp_path, "content")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"stage1": {"crop_px": 30}}, "crop_px"),
        ({"stage2": {"learning_rate": 0}}, "learning_rate"),
        ({"surprise": 1}, "surprise"),
        ({"loss": {"content": -1}}, "loss.content"),
        ({"name": "No Spaces"}, "name"),
        ({"data": []}, "data"),
    ],
)
def test_a_setting_that_cannot_work_is_named(tmp_path: Path, change: dict[str, object], key: str):
    good = {"name": "ok", "data": ["sample"], "stage1": {}, "stage2": {}}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({**good, **change}))
    with pytest.raises(TrainingConfigError, match=key):
        load_config(path)


@pytest.mark.parametrize("content", ["- 1\n- 2\n", "a: [", ""])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    with pytest.raises(TrainingConfigError, match=r"config\.yaml"):
        load_config(path)


@pytest.mark.parametrize("name", ["demo.yaml", "assets.yaml", "base.yaml"])
def test_the_shipped_configurations_are_valid(name: str):
    load_config(Path(__file__).resolve().parents[1] / "configs" / name)


def test_a_run_is_tracked_resumed_and_registered(tmp_path: Path, photo: Pixels, painting: Pixels, tiny_package: Path):
    """The whole path on a tiny network: interrupted in stage 2, resumed, one version, one run with two children."""
    from mlflow import MlflowClient

    settings = Settings.at(tmp_path / "home")
    stage = {"epochs": 1, "steps_per_epoch": 3, "batch_size": 1, "crop_px": 32, "warmup_steps": 0}
    config = TrainingConfig.model_validate(
        {
            "name": "tiny",
            "data": [str(write_data(tmp_path / "data", photo, painting))],
            "start_from": str(tiny_package),
            "extractor": "compact",
            "precision": "float32",
            "checkpoint_every_steps": 1,
            "stage1": stage,
            "stage2": {**stage, "learning_rate": 1e-4, "halve_every_epochs": 10},
        }
    )

    def interrupt(report: StepReport) -> None:
        if (report.stage, report.step) == (2, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, settings, progress=interrupt)
    assert Registry(settings).versions() == []
    result = train(config, settings)

    assert [version.number for version in Registry(settings).versions()] == [1]
    assert result.version.aliases == ("candidate",)
    assert result.version.run_id == result.run_id
    client = MlflowClient(settings.tracking_uri)
    parent = client.get_run(result.run_id)
    children = client.search_runs(
        [parent.info.experiment_id], filter_string=f"tags.`mlflow.parentRunId` = '{result.run_id}'"
    )
    assert {run.info.run_name for run in children} == {"stage1", "stage2"}
    assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
    assert parent.data.params["data_digest"] == result.package.manifest.data_digest
    assert "broken.jpg" in parent.data.params["skipped"]
    for run in children:
        assert {"loss/content", "loss/gram", "loss/total", "learning_rate", "images_per_s"} <= set(run.data.metrics)
        assert client.list_artifacts(run.info.run_id, "samples")
    assert not (result.folder / "checkpoint.pt").exists()

    straight = train(config.model_copy(update={"name": "straight"}), Settings.at(tmp_path / "other"))
    weights = [open_weights(r.package.folder) for r in (result, straight)]
    assert weights[0] == weights[1]
    load_engine(result.package).close()


def open_weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def test_starting_from_another_kind_of_network_is_refused(
    tmp_path: Path, photo: Pixels, painting: Pixels, adain_package: Path
):
    config = TrainingConfig.model_validate(
        {
            "name": "wrong",
            "data": [str(write_data(tmp_path / "data", photo, painting))],
            "start_from": str(adain_package),
            "stage1": {},
            "stage2": {},
        }
    )
    with pytest.raises(ConfigError, match="adain"):
        train(config, Settings.at(tmp_path / "home"))
    assert json.dumps(Registry(Settings.at(tmp_path / "home")).versions()) == "[]"


def test_data_that_is_not_there_is_named(tmp_path: Path):
    config = TrainingConfig.model_validate(
        {"name": "nowhere", "data": [str(tmp_path / "nowhere")], "stage1": {}, "stage2": {}}
    )
    with pytest.raises(TrainingConfigError, match="nowhere"):
        train(config, Settings.at(tmp_path / "home"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows what a machine without a GPU says")
def test_asking_for_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(TrainingConfigError, match="sees no GPU"):
        pick_device("cuda")
    assert pick_device("auto").type == "cpu"


def test_the_base_variant_trains_on_vgg_and_becomes_a_package_that_every_engine_paints_alike(
    tmp_path: Path, photo: Pixels, painting: Pixels, assets: Path
):
    stage = {"epochs": 1, "steps_per_epoch": 1, "batch_size": 1, "crop_px": 32, "warmup_steps": 0}
    config = TrainingConfig.model_validate(
        {
            "name": "base",
            "variant": "base",
            "data": [str(write_data(tmp_path / "data", photo, painting))],
            "extractor": "vgg19",
            "precision": "float32",
            "stage1": stage,
            "stage2": stage,
        }
    )
    package = train(config, Settings.at(tmp_path / "home")).package
    assert package.manifest.variant == "base"
    assert package.manifest.config["vgg_source"] == "oxford"
    engines = [load_engine(package, "torch"), load_engine(package, "openvino", precision="float32")]
    code = engines[0].encode_style(painting)
    ours, theirs = (engine.stylize(photo[:45, :61].copy(), code).astype(int) for engine in engines)
    assert ours.shape == (45, 61, 3)
    assert np.abs(ours - theirs).max() <= 1
