"""Without us: `mlflow.pyfunc.load_model` and `mlflow models serve` paint what our engine paints."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from postgres_server import die_with_the_parent, free_port
from registry_world import settings_in
from team_world import stop_group, wait_for

from registry.settings import Settings
from registry.versions import Registry
from runtime.loading import load_engine
from stylenet.dials import Dials
from stylenet.pictures import encode_picture, read_picture


@pytest.fixture(scope="module")
def settings(tiny_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A registry with one version."""
    made = settings_in(tmp_path_factory.mktemp("home"))
    Registry(made).register(tiny_package)
    return made


@pytest.fixture
def rows(photo, painting) -> list[dict[str, object]]:
    image, style = (base64.b64encode(encode_picture(pixels)).decode() for pixels in (photo, painting))
    dials = [{"strength": 0.7, "keep_color": True}, {"strength": 0.0, "keep_color": False}]
    return [{"image": image, "style": style, **given} for given in dials]


def alone(settings: Settings) -> dict[str, str]:
    """The environment of somebody who activated theirs (MLflow starts `uvicorn` by name) and knows only MLflow."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    mlflow = {"MLFLOW_TRACKING_URI": settings.tracking_uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**os.environ, **mlflow, "PATH": path, "PYTHONPATH": "", "PYTHONWARNINGS": "ignore"}


LOAD_AND_PAINT = """
import base64, json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/pentimento@candidate")
rows = json.load(sys.stdin)
pictures = [{name: base64.b64decode(row[name]) for name in ("image", "style")} for row in rows]
frame = pd.DataFrame([{**row, **files} for row, files in zip(rows, pictures)])
painted = [base64.b64encode(png).decode() for png in model.predict(frame)["stylized"]]
import runtime, stylenet
code = [runtime.__file__, stylenet.__file__]
print(json.dumps({"painted": painted, "code": code, "registry": "registry" in sys.modules}))
"""


@pytest.fixture
def served(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """`mlflow models serve` as a process of its own; its address."""
    port = free_port()
    command = "models serve -m models:/pentimento@candidate --env-manager local -h 127.0.0.1 -w 1 -p"
    with open(tmp_path / "serve.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command.split(), str(port)],
            cwd=tmp_path,
            env=alone(settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_the_parent,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process, tmp_path / "serve.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_group(process)


def test_loaded_by_mlflow_in_another_process_it_paints_what_our_engine_paints(
    settings, tiny_package, rows, photo, painting, tmp_path
):
    done = subprocess.run(
        [sys.executable, "-c", LOAD_AND_PAINT],
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=alone(settings),
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    check_painted(answer["painted"], tiny_package, photo, painting)
    assert all(str(settings.artifact_root) in path for path in answer["code"])  # the code that was registered with it
    assert not answer["registry"]


def test_served_by_mlflow_it_paints_what_our_engine_paints(served, tiny_package, rows, photo, painting):
    answer = httpx.post(f"{served}/invocations", json={"dataframe_records": rows}, timeout=120)
    assert answer.status_code == 200, answer.text
    painted = [row["stylized"] for row in answer.json()["predictions"]]
    check_painted(painted, tiny_package, photo, painting)


def check_painted(painted: list[str], package: Path, photo, painting) -> None:
    engine = load_engine(package)
    expected = engine.stylize(photo, engine.encode_style(painting), Dials(strength=0.7, keep_color=True))
    pictures = [read_picture(base64.b64decode(png)) for png in painted]
    np.testing.assert_array_equal(pictures[0], expected)
    np.testing.assert_array_equal(pictures[1], photo)


def test_it_names_the_row_that_it_cannot_paint_and_takes_absent_dials_as_defaults(settings, photo, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/pentimento/1")
    good = encode_picture(photo)
    frame = pd.DataFrame({"image": [good, good], "style": [good, good], "strength": [None, 1.0]})
    first, second = model.predict(frame)["stylized"]
    assert first == second
    with pytest.raises(ValueError, match=r"row 1: strength=1\.5 is out of range"):
        model.predict(pd.DataFrame({"image": [good] * 2, "style": [good] * 2, "strength": [0.5, 1.5]}))
    with pytest.raises(ValueError, match="row 0: the picture is not a picture"):
        model.predict(pd.DataFrame({"image": [b"text"], "style": [good]}))


def test_nothing_is_pickled_and_the_requirements_are_pinned(settings):
    (folder,) = settings.artifact_root.glob("models/*/artifacts")
    assert not [path for path in folder.rglob("*") if path.suffix in {".pkl", ".pickle", ".pt", ".pth"}]
    requirements = (folder / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("torch==") for line in requirements)
    assert all("==" in line and "+" not in line for line in requirements)
