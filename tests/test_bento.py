"""A Bento holds one package by its digest and needs nothing else: no network, no root, nowhere to write but scratch."""

import contextlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from runtime.package import open_package
from stylenet.images import Pixels
from stylenet.pictures import encode_picture

ROOT = Path(__file__).resolve().parents[1]
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")  # nothing survives it
ROOMS = ("service", "runtime", "registry", "stylenet", "samples")


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory, tiny_package: Path) -> Path:
    """A Bento around the tiny package."""
    home = tmp_path_factory.mktemp("bentos")
    built = subprocess.run(
        [sys.executable, "deploy/build_bento.py", "--model", str(tiny_package)],
        cwd=ROOT,
        env={**os.environ, "BENTOML_HOME": str(home), "PENTIMENTO_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    name, version = built.stdout.strip().split(":")
    return home / "bentos" / name / version


def bentofile() -> dict[str, object]:
    return yaml.safe_load((ROOT / "bentofile.yaml").read_text())  # type: ignore[no-any-return]


def test_a_bento_holds_the_package_under_its_digest_and_everything_that_serves(bento, tiny_package):
    package = open_package(tiny_package)
    [inside] = (bento / "src" / "pretrained").iterdir()
    assert open_package(inside).digest == package.digest
    described = yaml.safe_load((bento / "bento.yaml").read_text())
    assert package.digest.startswith(described["labels"]["package"])
    assert package.digest.startswith(inside.name.rsplit("-", 1)[1])
    for room in ROOMS:  # code, the page, migrations: whatever a room has under version control
        kept = subprocess.run(["git", "ls-files", room], cwd=ROOT, capture_output=True, text=True, check=True)
        missing = [
            name for name in kept.stdout.split() if (ROOT / name).exists() and not (bento / "src" / name).exists()
        ]
        assert not missing
    assert not list((bento / "src").rglob("*.pyc"))


@pytest.mark.timeout(240)
def test_a_bento_serves_without_a_network_without_root_and_on_a_read_only_file_system(bento, tmp_path, photo: Pixels):
    if os.geteuid() != 0 or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        pytest.skip("needs root and namespaces of its own (unshare) to take the network and the file system away")
    (tmp_path / "photo.png").write_bytes(encode_picture(photo))
    ran = subprocess.run(
        [
            *UNSHARE,
            sys.executable,
            "tests/bento_offline.py",
            str(bento),
            str(tmp_path / "photo.png"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    seen = json.loads(ran.stdout.splitlines()[-1])
    label = yaml.safe_load((bento / "bento.yaml").read_text())["labels"]["package"]
    assert seen["user"] == 10001
    assert seen["model"].get("state") == "ready", f"{seen}\n{ran.stderr[-3000:]}"
    assert seen["model"]["digest"].startswith(label)
    assert (seen["status"], seen["digest"], seen["picture"]) == (200, seen["model"]["digest"], "89504e47")
    assert seen["page"] == 200
    assert seen["exit_code"] == 0, ran.stderr[-3000:]


def test_the_bento_asks_for_what_the_project_asks_for_and_for_all_that_its_rooms_import():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = {requirement.replace(" ", "") for requirement in project["dependencies"]}
    known |= {text for extra in project["optional-dependencies"].values() for text in extra}
    packages = bentofile()["python"]["packages"]  # type: ignore[index]
    assert set(packages) <= known, "write the same range in bentofile.yaml and in pyproject.toml"
    there = {"pentimento", *with_what_they_need(packages)}
    owners = importlib.metadata.packages_distributions()
    for room in ROOMS:
        for module in sorted(imported_eagerly(ROOT / room)):
            distributions = {name.lower().replace("_", "-") for name in owners.get(module, [])}
            assert not distributions or distributions & there, f"{room} imports {module}; add it to bentofile.yaml"


def with_what_they_need(requirements: Iterable[str]) -> set[str]:
    """The names of what these ask for and of all that comes with it, extras and markers that do not apply left out."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            waiting += [Requirement(text) for text in importlib.metadata.requires(name) or []]
    return found


def imported_eagerly(room: Path) -> set[str]:
    """The top-level modules that a room imports when it is imported itself: lazy imports may be optional."""
    pattern = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)
    return {module for path in room.rglob("*.py") for module in pattern.findall(path.read_text())}


def test_the_bill_of_materials_names_every_library_and_the_model_by_its_digest(bento, tmp_path, tiny_package):
    out = tmp_path / "sbom.json"
    subprocess.run([sys.executable, str(bento / "src/deploy/docker/sbom.py"), str(out)], check=True)
    document = json.loads(out.read_text())
    by_type: dict[str, list[dict[str, object]]] = {}
    for component in document["components"]:
        by_type.setdefault(component["type"], []).append(component)
    libraries = {component["name"]: component["version"] for component in by_type["library"]}
    assert libraries["torch"] == importlib.metadata.version("torch")
    [model] = by_type["machine-learning-model"]
    assert model["hashes"] == [{"alg": "SHA-256", "content": open_package(tiny_package).digest}]
    references = {component["bom-ref"] for component in document["components"]}
    assert all({entry["ref"], *entry["dependsOn"]} <= references for entry in document["dependencies"])
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, str(bento / "src/deploy/docker/sbom.py"), str(again)], check=True)
    assert again.read_bytes() == out.read_bytes()


def test_the_bill_of_materials_is_cyclonedx(tmp_path):
    validation = pytest.importorskip("cyclonedx.validation.json", reason="needs cyclonedx-python-lib[json-validation]")
    from cyclonedx.schema import SchemaVersion

    out = tmp_path / "sbom.json"
    subprocess.run([sys.executable, str(ROOT / "deploy/docker/sbom.py"), str(out)], check=True)
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(out.read_text()) is None


def test_a_bento_of_a_model_that_is_not_there_is_an_error_that_says_so(tmp_path):
    ran = subprocess.run(
        [sys.executable, "deploy/build_bento.py", "--model", "nowhere"],
        cwd=ROOT,
        env={**os.environ, "PENTIMENTO_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 4
    assert ran.stderr.startswith("error: no model 'nowhere'")
