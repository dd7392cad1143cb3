"""A team's registry: the real MLflow server on PostgreSQL with files in an S3, and two machines that share it."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from postgres_server import why_not
from registry_world import another, evidence_about
from team_world import ACCESS, BUCKET, COMPOSE, mlflow_server, s3_on_loopback

from registry.leftovers import clean, find_leftovers
from registry.settings import Settings
from registry.versions import Registry, Version


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    if why_not():
        pytest.skip(str(why_not()))
    with s3_on_loopback() as address:
        yield address


@pytest.fixture(scope="module")
def server(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("server"), s3) as address:
        yield address


@pytest.fixture(scope="module")
def machine(server: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One machine of the team: a home of its own, the shared server."""
    return dataclasses.replace(Settings.at(tmp_path_factory.mktemp("machine")), tracking_uri=server)


@pytest.fixture(scope="module")
def versions(machine: Settings, tiny_package: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Version]:
    """Three versions, the first of them champion."""
    folder, registry = tmp_path_factory.mktemp("packages"), Registry(machine)
    made = [registry.register(another(tiny_package, folder, name).folder, engine="torch") for name in "abc"]
    registry.promote(1, evidence_about(made[0].digest, None, folder / "gate"))
    return made


def keys(s3: str) -> list[str]:
    import boto3

    access = {"aws_access_key_id": ACCESS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "testing"}
    listed = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **access).list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def test_files_lie_in_the_object_store_and_come_back_verified_on_another_machine(s3, machine, versions, tmp_path):
    assert any(key.endswith("artifacts/package/weights.safetensors") for key in keys(s3))
    other = Registry(dataclasses.replace(machine, home=tmp_path / "other"))
    assert other.fetch("models:/pentimento@champion").digest == versions[0].digest
    assert other.evidence("champion").passed
    assert not machine.artifact_root.exists()


PROMOTE = """
import sys
from pathlib import Path
from registry.errors import PromotionRefused
from registry.settings import Settings
from registry.versions import Registry
registry = Registry(Settings.from_env())
print("ready", flush=True)
sys.stdin.readline()
try:
    print("won", registry.promote(sys.argv[1], Path(sys.argv[2])).version)
except PromotionRefused as refusal:
    print("refused", refusal)
"""


def test_of_two_machines_that_promote_at_once_exactly_one_wins_and_a_rollback_undoes_it(machine, versions, tmp_path):
    processes = []
    for version in versions[1:]:
        gate = evidence_about(version.digest, versions[0].digest, tmp_path / f"gate-{version.number}")
        env = {
            **os.environ,
            "PENTIMENTO_HOME": str(tmp_path / f"machine-{version.number}"),  # with it, a lock of its own
            "MLFLOW_TRACKING_URI": machine.tracking_uri,
        }
        command = [sys.executable, "-c", PROMOTE, str(version.number), str(gate)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, env=env, cwd=Path(__file__).parents[1], **pipes))
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=120)[0].split(maxsplit=1) for process in processes)
    assert [words[0] for words in said] == ["refused", "won"]
    assert "the champion changed since the evidence was made" in said[0][1]
    registry = Registry(machine)
    assert registry.champion().number == int(said[1][1])
    assert [line.version for line in registry.history()] == [1, int(said[1][1])]
    assert registry.rollback().version == 1


def test_what_a_killed_registration_left_in_the_object_store_is_named_and_removed(
    s3, machine, versions, tiny_package, tmp_path
):
    before = keys(s3)
    folder = another(tiny_package, tmp_path, "killed").folder
    child = os.fork()
    if child == 0:
        registry = Registry(machine)
        registry._client.create_model_version = lambda *_, **__: os._exit(9)  # all files are there by now
        registry.register(folder, engine="torch")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert len(keys(s3)) > len(before)
    left = find_leftovers(machine)
    assert {leftover.kind for leftover in left} == {"run", "model files"}
    for leftover in left:
        clean(leftover, machine)
    assert find_leftovers(machine) == ()
    assert keys(s3) == before


def test_the_compose_file_opens_no_port_to_others_and_holds_no_password():
    compose = yaml.safe_load(COMPOSE.read_text())
    services = compose["services"]
    assert {"postgres", "mlflow", "s3"} <= set(services)
    for name, service in services.items():
        assert all(port.startswith("${BIND:-127.0.0.1}:") for port in service.get("ports", [])), name
        image = service.get("image")
        assert image is None or not image.endswith(":latest")
        assert ":" in (image or "built:here")
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key or "SECRET" in key:
                assert ":?" in value, f"{name}: {key} has a default that somebody would leave as it is"
    for service in services.values():
        for needed in service.get("depends_on", {}):
            assert needed in services
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"]
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"]
