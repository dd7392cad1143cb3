"""The server as a child process: it comes up or says why not, it goes when it is told to, and it never stays behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.errors import ServeError, ServiceSettingsError
from service.launch import running_replica, running_service, serve

ROOT = Path(__file__).resolve().parents[1]
SERVE = """
import sys
from service.launch import serve
sys.exit(serve(sys.argv[1], port=0, engine="torch", on_ready=lambda url: print(url, flush=True)))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PENTIMENTO_HOME": str(tmp_path / "home"), "PENTIMENTO_SEED_STYLES": "0", "PENTIMENTO_STYLES_URL": ""}


@pytest.fixture
def launcher(tiny_package: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the tiny package."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tiny_package)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def family(process: subprocess.Popen[str], at_least: int) -> list[psutil.Process]:
    """All that the process started, as soon as there are so many."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        members = psutil.Process(process.pid).children(recursive=True)
        if len(members) >= at_least:
            return members
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def replica_folders(environment: dict[str, str]) -> list[Path]:
    return list((Path(environment["PENTIMENTO_HOME"]) / "replicas").iterdir())


@pytest.mark.timeout(180)
def test_a_server_that_is_told_to_stop_stops_with_0_and_leaves_nothing(launcher, environment):
    assert launcher.stdout is not None
    base_url = launcher.stdout.readline().strip()
    assert httpx.get(f"{base_url}/readyz", trust_env=False).status_code == 200
    assert base_url.startswith("http://127.0.0.1:")
    members = family(launcher, 2)
    assert {connection.laddr.ip for member in members for connection in listening(member)} == {"127.0.0.1"}
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(60) == 0
    assert psutil.wait_procs(members, timeout=10)[1] == []
    assert replica_folders(environment) == []


@pytest.mark.timeout(180)
def test_a_launcher_that_is_killed_takes_its_server_with_it_and_the_next_one_sweeps(launcher, environment):
    members = family(launcher, 2)
    launcher.kill()
    launcher.wait()
    assert psutil.wait_procs(members, timeout=60)[1] == []
    left = replica_folders(environment)
    assert len(left) == 1
    with running_replica("nowhere", environment=environment):
        assert not left[0].exists()


@pytest.mark.timeout(180)
def test_a_server_without_a_model_is_an_error_that_names_the_reason(environment):
    with (
        pytest.raises(ServeError, match=r"no model.*no such folder"),
        running_service("nowhere", environment=environment),
    ):
        raise AssertionError("it has no model to be ready with")


def test_a_port_in_use_and_a_foreign_host_are_errors_before_anything_starts(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServeError, match="choose another port"):
            serve("nowhere", port=taken.getsockname()[1], environment=environment)
    with pytest.raises(ServeError, match="IP address of this machine"):
        serve("nowhere", host="203.0.113.1", environment=environment)
    with pytest.raises(ServiceSettingsError, match="PENTIMENTO_ENGINE"):
        serve("nowhere", engine="abacus", environment=environment)


def test_signals_are_given_back_to_whoever_had_them(environment):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ServeError):
        serve("nowhere", host="203.0.113.1", environment=environment)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.timeout(180)
def test_a_bento_is_built_that_holds_the_code_that_serves_and_imports_by_itself(tmp_path):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # `uv` lies beside python
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True", "PATH": path}
    environment.pop("PYTHONPATH", None)
    built = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    name, version = built.stdout.strip().splitlines()[-1].removeprefix("__tag__:").split(":")
    source = tmp_path / "bentos" / name / version / "src"
    assert (source / "service" / "page" / "index.html").is_file()
    assert {path.name for path in source.iterdir() if path.is_dir()} <= {
        *("service", "runtime", "registry", "stylenet", "samples", "pretrained", "deploy"),
    }
    program = "import sys; sys.path.insert(0, sys.argv[1]); from service import app, routes; print(routes.__file__)"
    imported = subprocess.run(
        [sys.executable, "-P", "-c", program, str(source)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert imported.stdout.strip() == str(source / "service" / "routes.py"), imported.stderr[-2000:]


def listening(process: psutil.Process) -> list[Any]:
    return [connection for connection in process.net_connections("tcp") if connection.status == psutil.CONN_LISTEN]
