"""A team's registry on loopback: MLflow's real server as deploy/compose.yaml starts it, PostgreSQL, and an S3."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml
from postgres_server import die_with_the_parent, free_port, start_postgres

COMPOSE = Path(__file__).resolve().parents[1] / "deploy" / "compose.yaml"
ACCESS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
BUCKET = "pentimento-artifacts"


@contextmanager
def s3_on_loopback() -> Iterator[str]:
    """An S3 in memory, with the team's bucket in it; its address."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket=BUCKET)
    try:
        yield address
    finally:
        server.stop()


def server_command(port: int, database: str) -> list[str]:
    """The `mlflow` service's command in deploy/compose.yaml, with this machine's addresses put in."""
    words = yaml.safe_load(COMPOSE.read_text())["services"]["mlflow"]["command"]
    replaced = {"--host": "127.0.0.1", "--port": str(port), "--workers": "1", "--backend-store-uri": database}
    command = []
    for word in words:
        option, equals, value = word.partition("=")
        value = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", replaced.get(option, value))
        command.append(option + equals + value)
    return [sys.executable, "-m", *command]


@contextmanager
def mlflow_server(folder: Path, s3: str) -> Iterator[str]:
    """The real server, as a process of its own; its address."""
    port = free_port()
    settings = yaml.safe_load(COMPOSE.read_text())["services"]["mlflow"]["environment"]
    fixed = {key: value for key, value in settings.items() if key.startswith("MLFLOW_") and "$" not in value}
    env = {**os.environ, **ACCESS, **fixed, "MLFLOW_S3_ENDPOINT_URL": s3, "PYTHONWARNINGS": "ignore"}
    with open(folder / "mlflow.log", "wb") as log:
        server = subprocess.Popen(
            server_command(port, start_postgres().database()),
            cwd=folder,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_the_parent,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, folder / "mlflow.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_group(server)


def wait_for(url: str, process: subprocess.Popen, log: Path, timeout_s: float = 240) -> None:
    """Until the address answers 200; the log's end in the error where it never does."""
    deadline = time.monotonic() + timeout_s
    while True:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{url} does not answer: {log.read_text()[-2000:]}")
        time.sleep(0.5)


def stop_group(process: subprocess.Popen) -> None:
    """End a server and its workers, which are its process group."""
    with suppress(ProcessLookupError):  # it ended by itself
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
