"""TensorRT: every shipped graph becomes an engine for GPUs that are not here, and runs where there is one."""

import importlib.util
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch

from benchmarks.engines_tensorrt import graphs
from runtime.errors import EngineUnavailable
from runtime.loading import load_engine
from runtime.package import INT8_NAME, STYLIZE_ONNX_NAME, open_package
from runtime.package_engine import PackageEngine
from runtime.painting import psnr_db
from runtime.qdq import read_scales, write_qdq
from runtime.tensorrt_build import BUCKETS, CAPABILITIES, Bucket, bucket_for, build, import_tensorrt
from runtime.tensorrt_engine import TensorrtPrecision, TensorrtRunner, painting_graph
from runtime.torch_engine import TorchRunner
from stylenet.images import Pixels

PRETRAINED = Path(__file__).resolve().parents[1] / "pretrained"
T = TypeVar("T")


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without an NVIDIA GPU")
def test_engines_for_a_gpu_say_that_there_is_none(tiny_package: Path):
    package = open_package(tiny_package)
    with pytest.raises(EngineUnavailable, match=r"GPU|TensorRT"):
        TensorrtRunner(package)
    with pytest.raises(EngineUnavailable, match="no NVIDIA GPU"):
        TorchRunner(package, device="cuda")


def test_the_smallest_bucket_that_holds_a_picture_is_chosen():
    assert bucket_for(256, 300) == BUCKETS[0]
    assert bucket_for(1080, 1920) == BUCKETS[-1]
    with pytest.raises(EngineUnavailable, match="2048"):
        bucket_for(16, 4000)


def test_scales_are_read_back_as_they_were_written(tiny_package: Path):
    scales = {"content_encoder.level2": 0.25, "decoder.deep.0.first": 0.0625}
    assert read_scales(write_qdq((tiny_package / STYLIZE_ONNX_NAME).read_bytes(), scales)) == scales
    assert read_scales((tiny_package / STYLIZE_ONNX_NAME).read_bytes()) == {}


def test_tensorrt_takes_the_shipped_scales_beside_float16():
    package = open_package(PRETRAINED / "compact")
    theirs = read_scales(painting_graph(package, "int8"))
    shipped = read_scales(package.path(INT8_NAME).read_bytes())
    assert theirs == pytest.approx(shipped, rel=1e-3)  # in float16
    assert painting_graph(package, "float32") == package.path(STYLIZE_ONNX_NAME).read_bytes()


def test_a_precision_that_is_not_there_names_the_cure(tiny_package: Path):
    package = open_package(tiny_package)
    with pytest.raises(EngineUnavailable, match="export --int8"):
        painting_graph(package, "int8")
    with pytest.raises(EngineUnavailable, match="float16"):
        painting_graph(package, "float8")  # type: ignore[arg-type]


def apart(work: Callable[..., T], *arguments: object) -> T:
    """In a process of its own, so that what a compiler of 100 MB leaves behind stays out of the other tests."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def sizes_of_engines(folder: Path) -> dict[str, int]:
    """Bytes by graph of one engine for all capabilities; none where this TensorRT cannot build without a GPU."""
    if not hasattr(import_tensorrt(), "ComputeCapability"):
        return {}
    bucket = Bucket(16, (64, 64), 128)
    package = open_package(folder)
    return {name: len(build(graph, bucket, capabilities=CAPABILITIES, level=0)) for name, graph in graphs(package)}


def size_of_any_engine(graph: bytes, capabilities: tuple[str, ...]) -> int:
    return len(build(graph, BUCKETS[0], capabilities=capabilities))


@pytest.fixture
def tensorrt() -> None:
    if not any(importlib.util.find_spec(name) for name in ("tensorrt", "tensorrt_rtx_bindings")):
        pytest.skip("no TensorRT is installed; pip install 'pentimento[tensorrt-rtx]'")


@pytest.mark.parametrize("name", ["compact", "adain"])
@pytest.mark.usefixtures("tensorrt")
def test_every_shipped_graph_becomes_an_engine_for_every_capability_without_a_gpu(name: str):
    """One engine for 8.0, 8.6, 8.9 and 12.0 together; `benchmarks/engines_tensorrt.py` also builds for each alone."""
    sizes = apart(sizes_of_engines, PRETRAINED / name)
    if not sizes:
        pytest.skip("this TensorRT cannot build without a GPU; TensorRT-RTX can")
    assert list(sizes) == ["style float32", "painting float32", "painting float16", "painting int8"]
    assert min(sizes.values()) > 100_000


@pytest.mark.usefixtures("tensorrt")
def test_tensorrt_refuses_what_it_cannot_parse_and_whom_it_does_not_know(tiny_package: Path):
    with pytest.raises(EngineUnavailable, match="cannot parse"):
        apart(size_of_any_engine, b"no graph", ())
    with pytest.raises(EngineUnavailable, match=r"9\.0"):
        apart(size_of_any_engine, (tiny_package / STYLIZE_ONNX_NAME).read_bytes(), ("8.9", "9.0"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU that torch sees")
@pytest.mark.usefixtures("tensorrt")
@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_tensorrt_paints_what_torch_paints(
    precision: TensorrtPrecision, photo: Pixels, painting: Pixels, tmp_path: Path
):
    package = open_package(PRETRAINED / "compact")
    try:
        engine = PackageEngine(TensorrtRunner(package, precision=precision, cache=tmp_path))
        code = engine.encode_style(painting)
        painted = engine.stylize(photo, code)
    except EngineUnavailable as error:
        pytest.skip(str(error))  # a GPU that this TensorRT does not know
    assert psnr_db(painted, load_engine(package, "torch").stylize(photo, code)) > 36
    np.testing.assert_array_equal(engine.stylize(photo, code), painted)
