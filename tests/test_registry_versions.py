"""Registering: all or nothing, the same package once, and what comes back is what went in."""

import _thread
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from registry_world import STORES, another, files_under, settings_in

import registry.registration
from registry.errors import RegistrationFailed, SettingsError, StoreError, UnknownVersion
from registry.locks import exclusive
from registry.settings import Settings
from registry.store import ensure_experiment, open_client, without_password
from registry.versions import Registry
from runtime.errors import GoldenMismatch, PackageError
from runtime.package import open_package, write_package


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home", request.param)


@pytest.fixture
def registry_(settings: Settings) -> Registry:
    return Registry(settings)


@pytest.fixture(scope="module")
def one(tiny_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry with one version, to read from."""
    opened = Registry(settings_in(tmp_path_factory.mktemp("one")))
    opened.register(tiny_package, engine="torch")
    return opened


def test_an_empty_registry_has_no_versions_and_says_so(registry_):
    assert registry_.versions() == []
    assert registry_.champion() is None
    with pytest.raises(UnknownVersion, match=r"no version 'pentimento/1' in the registry \(have: none yet\)"):
        registry_.get(1)


def test_a_registered_package_has_a_number_an_alias_and_its_lineage(registry_, tiny_package, tmp_path):
    first = registry_.register(tiny_package, tags={"team": "sky"}, engine="torch")
    child = another(tiny_package, tmp_path, "c0ffee")
    second = registry_.register(child.folder, engine="torch")
    first = registry_.get(1)
    assert (first.number, first.name, first.reference) == (1, "pentimento/1", "models:/pentimento/1")
    assert (first.variant, first.git_commit, first.tags["team"]) == ("compact", "unknown", "sky")
    assert first.digest == open_package(tiny_package).digest
    assert (second.number, second.aliases, first.aliases) == (2, ("candidate",), ())
    assert (second.digest, second.git_commit, second.parents) == (child.digest, "c0ffee", (first.digest,))
    assert [version.number for version in registry_.versions()] == [2, 1]
    assert (second.parent_versions, first.parent_versions) == ((1,), ())
    assert second.environment.keys() >= {"python", "platform", "torch", "mlflow"}


def test_a_version_from_training_names_the_run_of_its_first_stage(registry_, tiny_package):
    assert registry_.register(tiny_package, engine="torch", stage1_run_id="abc").stage1_run_id == "abc"
    assert registry_.get(1).stage1_run_id == "abc"


def test_the_same_package_is_one_version_however_often_it_is_registered(registry_, settings, tiny_package, tmp_path):
    first = registry_.register(tiny_package, engine="torch")
    registry_.register(another(tiny_package, tmp_path, "other").folder, engine="torch")
    before = files_under(settings.artifact_root)
    again = registry_.register(tiny_package, engine="torch")
    assert again.number == first.number
    assert again.aliases == ("candidate",)  # it is the last one registered, again
    assert len(registry_.versions()) == 2
    assert files_under(settings.artifact_root) == before


@pytest.mark.parametrize(
    "ref", ["1", 1, "pentimento/1", "models:/pentimento/1", "candidate", "models:/pentimento@candidate"]
)
def test_a_version_is_found_by_each_of_its_spellings(one, ref):
    assert one.get(ref).number == 1


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("99", r"no version 'pentimento/99' in the registry \(have: pentimento/1 \(candidate\)\); see"),
        ("models:/pentimento@champion", r"no version 'pentimento@champion' in the registry \(have: pentimento/1"),
        ("models:/other/1", "names the model 'other'; the registered model is 'pentimento'"),
        ("models:/pentimento/champion", "for an alias write models:/pentimento@champion"),
        ("", "'' names no version"),
        ("a b", "'a b' names no version"),
    ],
)
def test_a_reference_to_nothing_is_told_with_what_there_is(one, ref, message):
    with pytest.raises(UnknownVersion, match=message):
        one.get(ref)


def test_a_package_that_was_altered_is_not_registered(registry_, tiny_package, tmp_path):
    broken = another(tiny_package, tmp_path, "broken").folder
    (broken / "MODEL_CARD.md").write_text("other")
    with pytest.raises(PackageError, match=r"MODEL_CARD\.md was altered"):
        registry_.register(broken, engine="torch")
    assert registry_.versions() == []


def test_a_package_that_does_not_paint_its_golden_picture_is_not_registered(
    registry_, settings, tiny_package, tmp_path
):
    known = open_package(tiny_package)
    files = {name: known.path(name).read_bytes() for name in known.manifest.files}
    files["golden/output.png"] = files["golden/input.png"]
    write_package(tmp_path / "liar", files=files, name="liar", variant="compact", config=known.manifest.config)
    with pytest.raises(GoldenMismatch):
        registry_.register(tmp_path / "liar", engine="torch")
    assert registry_.versions() == []
    assert files_under(settings.artifact_root) == set()


def test_a_reserved_tag_or_an_unknown_run_is_refused_and_leaves_nothing(registry_, settings, tiny_package):
    with pytest.raises(RegistrationFailed, match=r"'pentimento\.digest' is written by the registry itself"):
        registry_.register(tiny_package, tags={"pentimento.digest": "mine"}, engine="torch")
    with pytest.raises(RegistrationFailed, match="there is no run 'nosuchrun'"):
        registry_.register(tiny_package, run_id="nosuchrun", engine="torch")
    assert registry_.versions() == []
    assert files_under(settings.artifact_root) == set()


def test_a_version_belongs_to_the_run_that_trained_it(registry_, settings, tiny_package):
    client = open_client(settings)
    run = client.create_run(ensure_experiment(client, settings), run_name="training")
    assert registry_.register(tiny_package, run_id=run.info.run_id, engine="torch").run_id == run.info.run_id
    assert len(client.search_runs([run.info.experiment_id])) == 1


STEPS = ["create_run", "create_logged_model", "log_model_artifacts", "finalize_logged_model", "create_model_version"]


@pytest.mark.parametrize("step", [*STEPS, "set_registered_model_alias"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interruption_at_any_step_leaves_no_half_version(registry_, settings, tiny_package, tmp_path, step, when):
    registry_.register(another(tiny_package, tmp_path, "good").folder, engine="torch")
    client = registry_._client
    before = (files_under(settings.artifact_root), *_what_mlflow_knows(client))
    original = getattr(client, step)

    def interrupted(*args, **kwargs):
        delattr(client, step)  # the undoing must find a store that works
        if when == "after":
            original(*args, **kwargs)
        raise KeyboardInterrupt

    setattr(client, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        registry_.register(tiny_package, engine="torch")
    assert (files_under(settings.artifact_root), *_what_mlflow_knows(client)) == before
    assert registry_.get("candidate").git_commit == "good"
    assert not list(settings.home.glob(".registering-*"))
    assert registry_.register(tiny_package, engine="torch").aliases == ("candidate",)  # and it can be done again


def _what_mlflow_knows(client) -> tuple[set[str], set[str], set[str]]:
    experiment = client.get_experiment_by_name("pentimento").experiment_id
    return (
        {run.info.run_id for run in client.search_runs([experiment])},
        {model.model_id for model in client.search_logged_models([experiment])},
        {str(version.version) for version in client.search_model_versions("name = 'pentimento'")},
    )


def test_a_second_ctrl_c_does_not_stop_the_undoing(registry_, settings, tiny_package, monkeypatch):
    undo = registry.registration.drop_models

    def impatient(*args):
        _thread.interrupt_main(signal.SIGINT)
        time.sleep(0.05)
        undo(*args)

    monkeypatch.setattr(registry.registration, "drop_models", impatient)
    monkeypatch.setattr(
        registry_._client, "create_model_version", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        registry_.register(tiny_package, engine="torch")
    assert files_under(settings.artifact_root) == set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_two_that_register_the_same_package_at_once_get_the_same_version(settings, tiny_package):
    numbers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: numbers.append(Registry(settings).register(tiny_package, engine="torch").number)
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert numbers == [1, 1]
    assert len(Registry(settings).versions()) == 1


def test_fetching_gives_the_verified_package_and_mends_an_altered_copy(registry_, settings, tiny_package):
    version = registry_.register(tiny_package, engine="torch")
    package = registry_.fetch("models:/pentimento@candidate")
    assert package.digest == version.digest
    assert package.folder == settings.packages_folder / version.digest
    (package.folder / "MODEL_CARD.md").write_text("altered on this machine")
    assert registry_.fetch(1).path("MODEL_CARD.md").read_bytes() == (tiny_package / "MODEL_CARD.md").read_bytes()


def test_what_a_killed_process_left_unfinished_is_swept_up_by_the_next(registry_, settings, tiny_package):
    left = [settings.home / ".registering-dead" / "model", settings.packages_folder / ".fetching-dead" / "package"]
    for folder in left:
        folder.mkdir(parents=True)
    registry_.fetch(registry_.register(tiny_package, engine="torch"))
    assert not any(folder.parent.exists() for folder in left)


def test_files_altered_or_exchanged_or_gone_in_the_registry_are_refused(registry_, settings, tiny_package, tmp_path):
    registry_.register(tiny_package, engine="torch")
    (stored,) = settings.artifact_root.glob("models/*/artifacts/artifacts/package")
    (stored / "MODEL_CARD.md").write_text("altered")
    with pytest.raises(StoreError, match=r"pentimento/1 is damaged in the registry: .*MODEL_CARD\.md was altered"):
        registry_.fetch(1)
    stored.rename(tmp_path / "away")
    another(tiny_package, tmp_path, "exchanged").folder.rename(stored)
    with pytest.raises(StoreError, match="were exchanged"):
        registry_.fetch(1)
    stored.rename(tmp_path / "away too")
    with pytest.raises(StoreError, match="did not do as asked"):
        registry_.fetch(1)
    assert files_under(settings.packages_folder) == {"fetch.lock"}


def test_opening_a_new_registry_makes_its_database_and_nothing_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    home = tmp_path / "home"
    assert Registry(settings_in(home)).versions() == []
    assert files_under(tmp_path / "elsewhere") == set()
    assert files_under(home) == {"mlflow.db", "mlflow.lock"}


def test_a_store_that_cannot_be_reached_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = Settings(
        home=tmp_path,
        tracking_uri="http://127.0.0.1:9",
        artifact_root=tmp_path / "artifacts",
        styles_url=f"sqlite:///{tmp_path}/styles.db",
    )
    with pytest.raises(StoreError, match=r"the MLflow store http://127\.0\.0\.1:9 did not do as asked"):
        Registry(settings).versions()


def test_settings_come_from_the_environment_with_everything_in_one_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    default = Settings.from_env({})
    assert default == Settings.at(tmp_path / ".pentimento")
    assert default.tracking_uri == f"sqlite:///{tmp_path}/.pentimento/mlflow.db"
    given = {
        "PENTIMENTO_HOME": "/srv/p",
        "MLFLOW_TRACKING_URI": "https://ml",
        "PENTIMENTO_STYLES_URL": "postgresql://u@h/d",
    }
    team = Settings.from_env(given)
    assert (str(team.home), team.tracking_uri, team.styles_url) == ("/srv/p", "https://ml", "postgresql://u@h/d")
    assert not team.uses_database_directly


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"MLFLOW_TRACKING_URI": "./mlruns"}, "MLFLOW_TRACKING_URI='./mlruns' is neither a server nor a database"),
        ({"MLFLOW_TRACKING_URI": "file:///mlruns"}, "no longer keeps versions in plain files.*use http://HOST:PORT"),
        (
            {"PENTIMENTO_STYLES_URL": "styles.db"},
            "PENTIMENTO_STYLES_URL='styles.db' is no database URL; use sqlite:///",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_one_that_can(env, message):
    with pytest.raises(SettingsError, match=message):
        Settings.from_env(env)


def test_a_lock_that_is_held_too_long_names_its_holder(tmp_path):
    with (
        exclusive(tmp_path / "lock"),
        pytest.raises(StoreError, match=f"held by process {os.getpid()} for more than"),
        exclusive(tmp_path / "lock", timeout_s=0.1),
    ):
        pass


def test_passwords_are_not_shown():
    assert without_password("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"
    assert without_password("sqlite:///a@b.db") == "sqlite:///a@b.db"
    assert without_password("http://host:5000") == "http://host:5000"
