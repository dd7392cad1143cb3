"""Engines: held statistics, seamless tiles, batches, INT8 that ships only if it passes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner

from cli.export import export
from runtime.engine import Engine
from runtime.errors import EngineUnavailable, PackageError, QuantisationRefused
from runtime.loading import load_engine
from runtime.networks import load_network
from runtime.openvino_core import openvino_core
from runtime.openvino_engine import REWRITES, OpenvinoRunner, check_inputs, has_vnni, pick_precision
from runtime.openvino_graph import convolve_places
from runtime.package import INT8_NAME, STYLIZE_ONNX_NAME, open_package
from runtime.package_engine import PackageEngine
from runtime.packaging import renew_package
from runtime.painting import psnr_db
from runtime.qdq import quantise_weights, write_qdq
from runtime.quantising import (
    Int8Check,
    Pair,
    calibrate,
    choose,
    encode,
    paint,
    quantise_package,
    simulated,
    with_graph,
)
from runtime.tiles import HALO_PX, spans
from runtime.torch_engine import TorchRunner
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.errors import CodeError, PictureError
from stylenet.images import Pixels
from stylenet.ledger import ContentStatistics, Ledger

SEED = np.random.default_rng(7)


@pytest.fixture(scope="module", params=["torch", "openvino"])
def runner(request: pytest.FixtureRequest, tiny_package: Path) -> Iterator[TorchRunner | OpenvinoRunner]:
    """Both runners, in float32."""
    package = open_package(tiny_package)
    made = TorchRunner(package) if request.param == "torch" else OpenvinoRunner(package, precision="float32")
    yield made
    made.close()


@pytest.fixture(scope="module")
def large() -> Pixels:
    """Large enough for four tiles of 200 pixels, with sides that no halving leaves whole."""
    coarse = SEED.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(coarse, np.ones((33, 29, 1), np.uint8))[:389, :451])


def test_tiles_and_the_whole_picture_are_the_same(runner: TorchRunner, large: Pixels, painting: Pixels):
    whole = PackageEngine(runner, guard_pixels=10**9)
    tiled = PackageEngine(runner, guard_pixels=10_000, tile_px=200)
    code, dials = whole.encode_style(painting), Dials(fidelity=0.2, semantics=0.7)
    one, other = whole.stylize(large, code, dials), tiled.stylize(large, code, dials)
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 1
    assert psnr_db(one, other) > 60


def test_a_tile_without_the_statistics_of_the_whole_is_another_picture(
    runner: TorchRunner, large: Pixels, painting: Pixels
):
    engine = PackageEngine(runner)
    code = engine.encode_style(painting)
    large = large.copy()
    large[:200, :200] //= 3  # darker than the whole
    corner = large[:200, :200].copy()
    inner = slice(0, 200 - HALO_PX)
    held = engine.stylize(corner, code, statistics=engine.measure(large, code))
    expected = engine.stylize(large, code)
    assert psnr_db(held[inner, inner], expected[inner, inner]) > 55
    assert psnr_db(engine.stylize(corner, code)[inner, inner], expected[inner, inner]) < 45


def test_statistics_held_from_the_same_picture_change_nothing(runner: TorchRunner, photo: Pixels, painting: Pixels):
    engine = PackageEngine(runner)
    code = engine.encode_style(painting)
    held = engine.stylize(photo, code, statistics=engine.measure(photo, code))
    assert np.abs(held.astype(int) - engine.stylize(photo, code).astype(int)).max() <= 1


def test_both_engines_measure_the_same(tiny_package: Path, adain_package: Path, photo: Pixels, painting: Pixels):
    for folder in (tiny_package, adain_package):
        engines = [load_engine(folder, "torch"), load_engine(folder, "openvino", precision="float32")]
        code = engines[0].encode_style(painting)
        one, other = (engine.measure(photo, code).values for engine in engines)
        np.testing.assert_allclose(one, other, atol=2e-4, rtol=2e-3)


def test_statistics_of_another_network_are_refused(tiny_engine: Engine, photo: Pixels, painting: Pixels):
    code = tiny_engine.encode_style(painting)
    with pytest.raises(CodeError, match="measure the picture with this package"):
        tiny_engine.stylize(photo, code, statistics=ContentStatistics(np.zeros(3, np.float32)))
    with pytest.raises(CodeError, match="finite"):
        ContentStatistics(np.array([np.nan], np.float32))


def test_a_half_held_ledger_gives_the_mean_of_measured_and_given():
    ledger = Ledger(torch.tensor([[4.0, 8.0]]), torch.tensor([[0.5]]))
    assert ledger.settle(torch.tensor([[2.0]])).item() == 3
    assert ledger.settle(torch.tensor([[0.0]])).item() == 4
    assert ledger.measured.tolist() == [[2.0, 0.0]]


def test_a_batch_paints_what_each_picture_gives_alone(runner: TorchRunner, photo: Pixels, painting: Pixels):
    engine = PackageEngine(runner, guard_pixels=photo.shape[0] * photo.shape[1] * 2)  # two at a time
    codes = [engine.encode_style(painting), engine.encode_style(photo), engine.encode_style(painting)]
    dials = [Dials(), Dials(strength=0.4), Dials(strength=0)]
    photos = [photo, photo[::-1].copy(), photo]
    together = engine.stylize_batch(photos, codes, dials)
    for made, one, code, dial in zip(together, photos, codes, dials, strict=True):
        assert np.abs(made.astype(int) - engine.stylize(one, code, dial).astype(int)).max() <= 1
    assert engine.stylize_batch([], [], []) == []


def test_a_batch_of_two_sizes_or_of_unequal_lists_is_refused(tiny_engine: Engine, photo: Pixels, painting: Pixels):
    code = tiny_engine.encode_style(painting)
    with pytest.raises(PictureError, match="size by size"):
        tiny_engine.stylize_batch([photo, painting], [code, code])
    with pytest.raises(PictureError, match="one of each"):
        tiny_engine.stylize_batch([photo], [code, code])


@pytest.mark.parametrize(("side", "tile"), [(16, 1024), (1024, 1024), (1025, 1024), (2048, 1024), (999, 200)])
def test_tiles_cover_a_side_once_and_begin_where_the_deepest_level_has_a_place(side: int, tile: int):
    cut = spans(side, tile)
    assert [place for span in cut for place in range(span.start, span.stop)] == list(range(side))
    assert all(span.first % 8 == 0 and span.first <= span.start and span.last >= span.stop for span in cut)


def test_openvino_and_torch_agree_on_random_sizes(tiny_package: Path, painting: Pixels):
    """Twelve here; `benchmarks/engines_parity.py` does two hundred."""
    reference, other = load_engine(tiny_package, "torch"), load_engine(tiny_package, "openvino", precision="float32")
    code = reference.encode_style(painting)
    for height, width in np.random.default_rng(3).integers(16, 160, (12, 2)):
        pixels = SEED.integers(0, 256, (height, width, 3), dtype=np.uint8)
        one, two = reference.stylize(pixels, code), other.stylize(pixels, code)
        assert np.abs(one.astype(int) - two.astype(int)).max() <= 1, (height, width)


@pytest.mark.parametrize("name", ["tiny_package", "adain_package"])
def test_graphs_hold_standard_operators_only_and_no_instance_norm(name: str, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(name)
    for path in sorted((folder / "onnx").glob("*.onnx")):
        model = onnx.load(path)
        assert {opset.domain for opset in model.opset_import} <= {"", "ai.onnx"}
        assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
        assert "InstanceNormalization" not in {node.op_type for node in model.graph.node}
        onnx.checker.check_model(model)


def test_attention_becomes_convolutions_for_openvino(tiny_package: Path):
    graph = openvino_core().read_model(str(tiny_package / STYLIZE_ONNX_NAME))
    assert convolve_places(graph) == 8  # keys and grain of four levels; two prototypes make no convolution


def test_openvino_gets_a_graph_without_double_passes(tiny_package: Path):
    graph = openvino_core().read_model(str(tiny_package / STYLIZE_ONNX_NAME))
    done = {rewrite.__name__: rewrite(graph) for rewrite in REWRITES}
    assert done["enlarge_to_size"] == 3
    assert done["square_while_summing"] == 6  # four levels and two styled residuals
    assert done["size_from_photograph"] > 20
    assert done["join_rounding"] == done["round_where_free"] == 0


def test_a_package_with_older_graphs_is_refused_with_the_cure_and_can_be_renewed(tiny_package: Path, tmp_path: Path):
    with pytest.raises(PackageError, match="--renew"):
        check_inputs(Path("stylize.onnx"), {"image", "colour", "texture", "semantics", "dials"})
    package = open_package(tiny_package)
    assert renew_package(package, tmp_path / "renewed").digest == package.digest


def test_weights_go_to_the_nearest_of_255_levels_per_channel():
    kernel = SEED.normal(size=(4, 3, 3, 3)).astype(np.float32)
    levels, scales = quantise_weights(kernel)
    assert levels.dtype == np.int8
    assert np.abs(levels).max() == 127
    assert np.abs(levels * scales[:, None, None, None] - kernel).max() <= scales.max() / 2 + 1e-7


@pytest.fixture(scope="module")
def pairs(photo: Pixels, painting: Pixels) -> list[Pair]:
    """Two pairs, each the other's mirror."""
    return [Pair(photo, painting), Pair(photo[:, ::-1].copy(), painting[::-1].copy())]


def test_int8_paints_what_its_simulation_says(tiny_package: Path, pairs: list[Pair], tmp_path: Path):
    package, check = quantise_package(open_package(tiny_package), tmp_path / "int8", pairs[:1], pairs[1:])
    assert check.passed
    assert check.quantised > 0
    assert check.engine_psnr_db is not None
    assert check.engine_psnr_db > 45  # in bfloat16 beside it, which the simulation leaves out
    engine = PackageEngine(OpenvinoRunner(package, precision="int8"))
    reference = load_engine(tiny_package, "torch")
    code = reference.encode_style(pairs[1].style)
    assert psnr_db(engine.stylize(pairs[1].photograph, code), reference.stylize(pairs[1].photograph, code)) > 36


def test_every_convolution_in_int8_is_computed_by_openvino_as_simulated(
    tiny_package: Path, pairs: list[Pair], tmp_path: Path
):
    """Those too whose input is also modulated: OpenVINO 2026.4 got them wrong until quantisers were joined."""
    package = open_package(tiny_package)
    network = load_network(package)
    scales = calibrate(network, pairs)
    graph = write_qdq(package.path(STYLIZE_ONNX_NAME).read_bytes(), scales)
    engine = PackageEngine(OpenvinoRunner(with_graph(package, tmp_path / "int8", graph), precision="int8"))
    with simulated(network, scales):
        expected = paint(network, pairs[0], code := encode(network, pairs[0].style))
    painted = engine.stylize(pairs[0].photograph, StyleCode(*(part[0].numpy() for part in code)))
    assert psnr_db(painted, expected) > 45


def test_simulating_int8_leaves_the_network_as_it_was(tiny_package: Path, pairs: list[Pair]):
    network = load_network(open_package(tiny_package))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    scales, _ = choose(network, pairs[:1])
    with simulated(network, scales):
        pass
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_int8_that_fails_its_check_is_refused_with_the_figures(
    tiny_package: Path, pairs: list[Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runtime.quantising.LIKENESS_DB", 90.0)
    with pytest.raises(QuantisationRefused, match=r"needed 90"):
        quantise_package(open_package(tiny_package), tmp_path / "int8", pairs[:1], pairs[1:])
    assert not (tmp_path / "int8").exists()


@pytest.mark.parametrize(("psnr", "change"), [(37.9, 0.0), (50.0, 0.006), (float("nan"), 0.0), (50.0, float("nan"))])
def test_a_check_below_the_bar_or_without_a_number_does_not_pass(psnr: float, change: float):
    check = Int8Check(psnr_db=psnr, mean_psnr_db=50, ssim_change=change, quantised=1, kept=0)
    assert not check.passed


@pytest.mark.parametrize(("psnr", "change"), [(37.9, 0.0), (50.0, 0.006), (float("nan"), 0.0)])
def test_int8_that_the_engine_computes_worse_than_the_simulation_does_not_pass(psnr: float, change: float):
    simulation = Int8Check(psnr_db=50, mean_psnr_db=50, ssim_change=0, quantised=1, kept=0)
    assert simulation.passed
    assert not replace(simulation, engine_psnr_db=psnr, engine_ssim_change=change).passed


def test_a_processor_with_8_bit_products_but_no_bfloat16_takes_int8_where_it_passed(tiny_package: Path, tmp_path: Path):
    plain = open_package(tiny_package)
    with_int8 = with_graph(plain, tmp_path / "int8", b"any")
    assert pick_precision(with_int8, bfloat16=True, vnni=True) == "bfloat16"
    assert pick_precision(with_int8, bfloat16=False, vnni=True) == "int8"
    assert pick_precision(with_int8, bfloat16=False, vnni=False) == "float32"
    assert pick_precision(plain, bfloat16=False, vnni=True) == "float32"
    (tmp_path / "cpuinfo").write_text("flags: avx512_vnni\n")
    assert has_vnni(tmp_path / "cpuinfo")
    assert not has_vnni(tmp_path / "nothing")


def test_int8_without_a_graph_and_unknown_precisions_name_the_cure(tiny_package: Path):
    package = open_package(tiny_package)
    with pytest.raises(EngineUnavailable, match="export --int8"):
        OpenvinoRunner(package, precision="int8")
    with pytest.raises(EngineUnavailable, match="bfloat16"):
        OpenvinoRunner(package, precision="float8")
    with pytest.raises(EngineUnavailable, match="float16"):
        TorchRunner(package, precision="float8")  # type: ignore[arg-type]


def test_a_second_start_finds_compiled_graphs_in_the_cache(
    tiny_package: Path, photo: Pixels, painting: Pixels, tmp_path: Path
):
    package = open_package(tiny_package)
    first = PackageEngine(OpenvinoRunner(package, precision="float32", cache=tmp_path))
    kept = sorted(path.name for path in tmp_path.glob("*.blob"))
    assert len(kept) == 2
    second = PackageEngine(OpenvinoRunner(package, precision="float32", cache=tmp_path))
    assert sorted(path.name for path in tmp_path.glob("*.blob")) == kept
    code = first.encode_style(painting)
    np.testing.assert_array_equal(first.stylize(photo, code), second.stylize(photo, code))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_torch_in_16_bits_paints_nearly_the_same(tiny_package: Path, photo: Pixels, painting: Pixels, precision: str):
    package = open_package(tiny_package)
    exact, short = PackageEngine(TorchRunner(package)), PackageEngine(TorchRunner(package, precision=precision))  # type: ignore[arg-type]
    code = exact.encode_style(painting)
    assert psnr_db(exact.stylize(photo, code), short.stylize(photo, code)) > 35


def test_export_renews_and_names_what_it_wrote(tiny_package: Path, tmp_path: Path):
    out = tmp_path / "out"
    done = CliRunner().invoke(export, ["--model", str(tiny_package), "--renew", "-o", str(out)], catch_exceptions=False)
    assert done.exit_code == 0
    assert STYLIZE_ONNX_NAME in done.stdout
    assert INT8_NAME not in done.stdout
