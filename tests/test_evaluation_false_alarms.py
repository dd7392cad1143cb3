"""The same model on both sides raises no alarm: benchmarks/false_alarms.py on small made-up scores."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "false_alarms.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("false_alarms", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["false_alarms"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


def table(folder: Path, *, gap: float) -> Path:
    """Twelve photographs, four paintings; what two methods score moves with the photograph."""
    generator = np.random.default_rng(0)
    rows = []
    for photograph in range(12):
        for method in ("candidate", "adain"):
            own = generator.normal(gap if method == "candidate" else 0.0, 0.05, 3)
            for painting in range(4):
                ssim, edge, style = own + generator.normal(0.6, 0.02, 3)
                scores = {"ssim": ssim, "edge_ssim": edge, "style_left": style}
                rows.append({"content": photograph, "style": painting, "method": method, "strength": 1.0} | scores)
    pd.DataFrame(rows).to_parquet(folder / "pairs.parquet")
    return folder


@pytest.mark.parametrize("gap", [0.0, 0.2])
def test_in_at_most_one_of_twenty_of_200_resampled_runs_it_says_that_the_same_model_is_worse(script, tmp_path, gap):
    photographs, scores = script.read_sides(table(tmp_path, gap=gap), ("candidate", "adain"))
    assert set(scores) == {"ssim", "edge_ssim", "style_left"}
    alarms = script.count_alarms(photographs, scores, runs=200, drawn=8, seed=0)
    assert alarms.holm <= 0.05
    assert alarms.holm <= alarms.uncorrected <= alarms.percentile


def test_the_very_same_pictures_never_raise_an_alarm(script, tmp_path):
    photographs, scores = script.read_sides(table(tmp_path, gap=0.0), ("candidate", "candidate"))
    alarms = script.count_alarms(photographs, scores, runs=20, drawn=6, seed=0)
    assert alarms.holm == alarms.uncorrected == 0
