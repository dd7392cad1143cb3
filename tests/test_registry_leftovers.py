"""What kill -9 leaves behind is named and cleaned, and what belongs to somebody is left alone."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from registry_world import STORES, another, evidence_about, files_under, forget_connections, settings_in

import registry.leftovers
from cli.main import pentimento
from registry.errors import StoreError
from registry.leftovers import Leftover, clean, find_leftovers
from registry.registrars import is_gone, registrar
from registry.registration import store_version
from registry.settings import Settings
from registry.versions import Registry


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home", request.param)


def killed(settings: Settings, dies_in: str, work: Callable[[Registry], object]) -> None:
    """Do the work in a process that is killed when it calls this method of MLflow's client."""

    def child() -> None:
        torch.set_num_threads(1)  # a fork inherits no OpenMP pool, but the belief that there is one
        forget_connections()
        registry_ = Registry(settings)
        setattr(registry_._client, dies_in, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        work(registry_)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(timeout=60)
    was_killed = process.exitcode == -signal.SIGKILL
    process.kill()
    assert was_killed


def repair(settings: Settings) -> list[str]:
    """Clean everything; the kinds of what there was. Nothing is left after that."""
    found = find_leftovers(settings)
    for leftover in found:
        clean(leftover, settings)
    assert find_leftovers(settings) == ()
    return sorted(leftover.kind for leftover in found)


@pytest.mark.parametrize(
    ("dies_in", "kinds"),
    [
        ("create_run", []),
        ("create_logged_model", ["run"]),
        ("log_model_artifacts", ["folder", "model files", "run"]),
        ("create_model_version", ["model files", "run"]),
        ("set_registered_model_alias", ["version"]),
    ],
)
def test_what_a_killed_registration_leaves_is_named_and_cleaned(settings, tiny_package, dies_in, kinds):
    killed(settings, dies_in, lambda registry_: registry_.register(tiny_package, engine="torch"))
    whole = dies_in == "set_registered_model_alias"
    assert len(Registry(settings).versions()) == whole  # never a half one: all of it, or nothing that is seen
    assert repair(settings) == kinds
    if whole:
        assert Registry(settings).get("candidate").number == 1
    else:
        assert files_under(settings.artifact_root) == set()
    assert Registry(settings).register(tiny_package, engine="torch").aliases == ("candidate",)
    assert repair(settings) == []


def test_a_killed_promotion_is_carried_out_and_half_kept_evidence_is_removed(settings, tiny_package, tmp_path):
    version = Registry(settings).register(tiny_package, engine="torch")
    gate = evidence_about(version.digest, None, tmp_path / "gate")
    killed(settings, "log_batch", lambda registry_: registry_.promote(1, gate))
    assert repair(settings) == ["evidence"]
    killed(settings, "set_registered_model_alias", lambda registry_: registry_.promote(1, gate))
    assert Registry(settings).champion() is None
    (left,) = find_leftovers(settings)
    assert left.name == "line 1 of pentimento-promotions: promote pentimento/1"
    assert repair(settings) == ["promotion"]
    assert Registry(settings).champion().number == 1
    assert Registry(settings).evidence(1).passed


def test_a_half_fetched_package_is_removed_and_a_whole_one_stays(settings, tiny_package, tmp_path):
    registry_ = Registry(settings)
    for package in (tiny_package, another(tiny_package, tmp_path, "other").folder):
        registry_.fetch(registry_.register(package, engine="torch"))
    (settings.packages_folder / registry_.get(1).digest / "weights.safetensors").unlink()
    (settings.packages_folder / ".fetching-dead" / "package").mkdir(parents=True)
    (settings.home / "runs" / "demo" / ".package.dead").mkdir(parents=True)
    assert repair(settings) == ["folder", "package", "package"]
    assert [path.name for path in settings.packages_folder.iterdir() if path.is_dir()] == [registry_.get(2).digest]


def test_what_another_machine_is_registering_right_now_is_left_alone_for_an_hour(settings, tiny_package, monkeypatch):
    registry_ = Registry(settings)
    monkeypatch.setattr("registry.registration.registrar", lambda: "elsewhere 1 1")
    client = registry_._client
    monkeypatch.setattr(client, "create_model_version", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr("registry.registration._take_back", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        registry_.register(tiny_package, engine="torch")
    assert find_leftovers(settings) == ()
    monkeypatch.setattr("registry.registrars.ABANDONED_AFTER_S", 0.0)
    assert repair(settings) == ["model files", "run"]


def test_two_machines_that_register_the_same_package_at_once_end_with_one_version(settings, tiny_package, tmp_path):
    """The second finds, after its files are up, that a lower number holds the package, and withdraws its own."""
    registry_ = Registry(settings)
    first = registry_.register(tiny_package, engine="torch")
    package = another(tiny_package, tmp_path, "newer")
    registry_.register(package.folder, engine="torch")
    tags = {"pentimento.digest": first.digest}
    from runtime.package import open_package

    assert store_version(registry_._client, settings, open_package(tiny_package), run_id=None, tags=tags) == 1
    assert [version.number for version in registry_.versions()] == [2, 1]
    assert registry_.get("candidate").number == 1
    assert repair(settings) == []


def test_a_process_is_gone_when_it_ended_or_its_number_was_given_again():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host, mine, began = registrar().split()
    now_ms = time.time() * 1000
    assert not is_gone(f"{host} {mine} {began}", since_ms=0)
    assert is_gone(f"{host} {mine} {int(began) - 1}", since_ms=now_ms)
    process.kill()
    process.wait()
    assert is_gone(f"{host} {process.pid} {began}", since_ms=now_ms)
    assert not is_gone("elsewhere 1 1", since_ms=now_ms)
    assert is_gone("elsewhere 1 1", since_ms=now_ms - 3_700_000)


def doctor(*options: str):
    return CliRunner().invoke(pentimento, ["doctor", *options])


@pytest.fixture
def quick_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The doctor looks at this registry, and not at the machine."""
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("cli.doctor.LOOKS", ())
    return settings_in(tmp_path / "home")


def test_the_doctor_names_leftovers_and_repairs_them_when_asked(quick_doctor):
    folder = quick_doctor.home / ".registering-dead"
    folder.mkdir()
    told = doctor()
    assert told.exit_code == 0
    assert f"folder {folder}: remove the unfinished folder" in told.output
    assert folder.is_dir()
    (finding,) = json.loads(doctor("--json").output)
    assert (finding["what"], finding["cure"]) == ("leftover folder", "pentimento doctor --repair")
    assert "cleaned up:" in doctor("--repair").output
    assert not folder.exists()
    assert "nothing was left behind" in doctor("--repair").output


def test_what_the_doctor_cannot_clean_is_told_and_exits_with_4(quick_doctor, monkeypatch):
    def stuck() -> None:
        raise StoreError("the disk says no")

    left = Leftover(kind="blob", name="ab12", cure="delete it", clean=stuck)
    monkeypatch.setattr(registry.leftovers, "_styles", lambda settings: iter([left]))
    from cli.outcome import run_politely

    words = ["doctor", "--repair"]
    assert run_politely(lambda: pentimento.main(words, prog_name="pentimento", standalone_mode=False)) == 4


def test_killed_at_random_moments_nothing_half_is_seen_and_all_of_it_is_named_and_cleaned(tiny_package):
    """A few of the kills that benchmarks/registry_kills.py does by the hundred."""
    script = Path(__file__).parents[1] / "benchmarks" / "registry_kills.py"
    command = [sys.executable, str(script), "--kills", "6", "--package", str(tiny_package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert (result["kills"], result["broken promises"]) == (6, 0)
