"""The house: arrows point one way, and the check of that bites."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder)},
        check=False,
    )


def test_the_arrows_hold():
    finished = lint_imports(ROOT)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    ("room", "wrong"),
    [
        ("stylenet", "runtime.package"),
        ("motion", "stylenet.images"),
        ("video", "batch.job"),
        ("service", "training.config"),
        ("loadtests", "stylenet.dials"),
    ],
)
def test_a_planted_wrong_import_is_found(tmp_path: Path, room: str, wrong: str):
    """The same contracts over a small copy of the house with one arrow the wrong way round."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rooms = contracts["root_packages"]
    for name in rooms:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    package, module = wrong.split(".")
    (tmp_path / package / f"{module}.py").touch()
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    assert lint_imports(tmp_path).returncode == 0
    (tmp_path / room / "planted.py").write_text(f"import {wrong}\n")
    finished = lint_imports(tmp_path)
    assert finished.returncode != 0
    assert "planted" in finished.stdout
