"""From a reference to a verified package; what names nothing is told with what there is."""

import pytest
from registry_world import another, settings_in

from registry import references
from registry.errors import UnknownVersion
from registry.references import pretrained_names, resolve
from registry.settings import Settings
from registry.versions import Registry
from runtime.errors import PackageError
from runtime.package import open_package


def test_a_folder_is_opened_and_verified_without_asking_the_registry(tiny_package, tmp_path):
    nowhere = Settings.at(tmp_path / "never made")
    assert resolve(str(tiny_package), nowhere) == open_package(tiny_package)
    assert not nowhere.home.exists()


def test_a_version_and_an_alias_come_from_the_registry(tiny_package, tmp_path):
    settings = settings_in(tmp_path)
    version = Registry(settings).register(tiny_package, engine="torch")
    for ref in ("models:/pentimento/1", "models:/pentimento@candidate"):
        assert resolve(ref, settings).digest == version.digest
    with pytest.raises(UnknownVersion, match=r"no version 'pentimento@champion'.*have: pentimento/1 \(candidate\)"):
        resolve("models:/pentimento@champion", settings)


def test_an_altered_folder_is_refused_by_its_file_name(tiny_package, tmp_path):
    folder = another(tiny_package, tmp_path, "altered").folder
    (folder / "weights.safetensors").write_bytes(b"")
    with pytest.raises(PackageError, match=r"weights\.safetensors was altered"):
        resolve(str(folder), Settings.at(tmp_path))
    with pytest.raises(PackageError, match="is not a model package"):
        resolve(str(tmp_path), Settings.at(tmp_path))


def test_a_shipped_package_is_found_by_its_name(tiny_package, tmp_path, monkeypatch):
    another(tiny_package, tmp_path, "compact")
    monkeypatch.setattr(references, "pretrained_folder", lambda: tmp_path)
    assert pretrained_names() == ["compact"]
    assert resolve("pretrained:compact", Settings.at(tmp_path)).manifest.git_commit == "compact"
    with pytest.raises(UnknownVersion, match=r"no shipped model 'pretrained:huge' \(have: pretrained:compact\)"):
        resolve("pretrained:huge", Settings.at(tmp_path))


@pytest.mark.parametrize("name", ["../tests", "", "/etc"])
def test_a_shipped_name_does_not_lead_out_of_its_folder(name, tmp_path):
    with pytest.raises(UnknownVersion, match="no shipped model"):
        resolve(f"pretrained:{name}", Settings.at(tmp_path))


def test_what_names_nothing_is_told_with_every_kind_of_name_that_would(tmp_path):
    with pytest.raises(UnknownVersion, match=r"no model '/no/such/folder'.*models:/pentimento@champion"):
        resolve("/no/such/folder", Settings.at(tmp_path))
