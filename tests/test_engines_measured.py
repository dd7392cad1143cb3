"""The scripts that measure engines run from end to end, small; their figures are in docs/BENCHMARKS.md."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.engines_base import main as compare_base
from benchmarks.engines_gpu import main as time_gpu
from benchmarks.engines_parity import main as compare_sizes
from runtime.footprint import peak_mb
from runtime.package import STYLE_ONNX_NAME, STYLIZE_ONNX_NAME, open_package, write_package
from runtime.packaging import package_network
from stylenet.network import StyleNetwork
from tests.conftest import TINY


def test_the_gpu_script_times_both_variants_alone_and_in_batches_of_eight():
    rows = time_gpu("cpu", 32, 32, 2, 1.0)
    assert [(row["variant"], row["batch"]) for row in rows] == [
        ("compact", 1),
        ("compact", 8),
        ("base", 1),
        ("base", 8),
    ]
    for row in rows:
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["pictures_per_s"] > 0
        assert row["share_of_limit"] > 0
    assert rows[1]["gflop"] == pytest.approx(8 * rows[0]["gflop"])
    assert rows[2]["gflop"] > 10 * rows[0]["gflop"]


def test_the_gpu_script_counts_what_1080p_costs():
    script = [sys.executable, "-m", "benchmarks.engines_gpu", "--device", "cpu", "--side", "16", "--rounds", "1"]
    done = subprocess.run(script, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    assert [row["share_of_limit"] for row in json.loads(done.stdout)] == [None] * 4


def test_the_base_script_times_every_precision():
    assert {name: median > 0 for name, median in compare_base(32, 1).items()} == dict.fromkeys(
        ("float32", "bfloat16", "int8"), True
    )


@pytest.mark.parametrize("kind", ["tiny_package", "adain_package"])
def test_the_parity_script_finds_both_graphs_alike_in_every_engine(kind: str, request: pytest.FixtureRequest):
    worst = compare_sizes(str(request.getfixturevalue(kind)), 3, most_px=64)
    assert [one.engine for one in worst] == ["onnxruntime", "openvino"]
    for one in worst:
        assert one.levels <= 1
        assert one.beyond == 0
        assert one.psnr_db > 60
        assert one.code < 1e-3


def test_the_parity_script_sees_a_graph_that_computes_something_else(tiny_package: Path, tmp_path: Path):
    torch.manual_seed(9)
    other = package_network(StyleNetwork(TINY), tmp_path / "other", name="other", card="# Other")
    files = {name: tiny_package.joinpath(name).read_bytes() for name in open_package(tiny_package).manifest.files}
    files |= {name: other.path(name).read_bytes() for name in (STYLE_ONNX_NAME, STYLIZE_ONNX_NAME)}
    manifest = other.manifest
    mixed = write_package(
        tmp_path / "mixed", files=files, name="mixed", variant=manifest.variant, config=manifest.config
    )
    worst = compare_sizes(str(mixed.folder), 1, most_px=64)[0]
    assert worst.beyond == 1
    assert worst.psnr_db < 40
    assert worst.code > 1e-2


def test_peak_memory_is_the_measured_process_own_and_not_its_parents(tiny_package: Path):
    held = np.ones(250_000_000, np.uint8)
    script = [sys.executable, "-m", "runtime.footprint", str(tiny_package), "openvino", "float32", "32"]
    lean = subprocess.run(script, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True)
    assert held.sum() == len(held)
    assert 50 < float(lean.stdout) < peak_mb()
