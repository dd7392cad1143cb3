"""`pentimento package verify`: whatever was done to a package, it is refused, and the file is named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cli.main import pentimento
from cli.outcome import COULD_NOT_RUN, PASSED, run_politely
from runtime.errors import PackageError
from runtime.package import MANIFEST_NAME, Manifest, open_package, write_package


@pytest.fixture
def package(tiny_package: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_package, tmp_path / "package"))


@pytest.fixture
def verify(package: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command on the package: (exit code, stdout, stderr)."""

    def call(*options: str) -> tuple[int, str, str]:
        words = ["package", "verify", str(package), *options]
        code = run_politely(lambda: pentimento.main(words, prog_name="pentimento", standalone_mode=False))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def edit(package: Path, change: Callable[[dict], object]) -> None:
    """Change package.json."""
    raw = json.loads((package / MANIFEST_NAME).read_text())
    change(raw)
    (package / MANIFEST_NAME).write_text(json.dumps(raw))


def test_a_whole_package_is_told_file_by_file_with_its_digest(verify, package):
    code, out, _ = verify("--engine", "torch")
    assert code == PASSED
    for name in open_package(package).manifest.files:
        assert f"ok  {name}" in out
    assert "golden picture, painted by torch float32" in out
    assert open_package(package).digest in out
    told = json.loads(verify("--engine", "torch", "--json")[1])
    assert (told["digest"], told["schema_version"]) == (open_package(package).digest, 1)


@pytest.mark.parametrize("kind", ["altered", "missing", "linked"])
def test_any_file_that_is_altered_or_missing_or_a_link_is_named(verify, package, tmp_path, kind):
    for name in open_package(package).manifest.files:
        path = package / name
        original = path.read_bytes()
        path.unlink()
        if kind == "altered":
            path.write_bytes(bytes([original[0] ^ 1]) + original[1:])
        elif kind == "linked":
            (tmp_path / "elsewhere").write_bytes(original)
            path.symlink_to(tmp_path / "elsewhere")
        code, out, err = verify()
        assert (code, out) == (COULD_NOT_RUN, "")
        assert str(path) in err
        path.unlink(missing_ok=True)
        path.write_bytes(original)


def test_a_folder_that_is_a_link_and_a_file_that_is_not_listed_are_named(verify, package, tmp_path):
    (package / "golden").rename(tmp_path / "golden")
    (package / "golden").symlink_to(tmp_path / "golden")
    assert f"{package / 'golden'} is not listed" in verify()[2]
    (package / "golden").unlink()
    (tmp_path / "golden").rename(package / "golden")
    (package / "extra.pkl").write_bytes(b"")
    assert "extra.pkl is not listed in package.json; remove it" in verify()[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw.update(schema_version=2), "has schema version 2; this Pentimento reads 1"),
        (lambda raw: raw.pop("schema_version"), "has schema version None"),
        (lambda raw: raw.update(surprise=1), "surprise: Extra inputs are not permitted"),
        (lambda raw: raw["files"].update({"weights.safetensors": "abc"}), "weights.safetensors: String should match"),
        (lambda raw: raw["files"].pop("onnx/style.onnx"), "does not list onnx/style.onnx"),
    ],
)
def test_a_package_json_that_cannot_be_right_names_the_key(verify, package, change, words):
    edit(package, change)
    code, _, err = verify()
    assert code == COULD_NOT_RUN
    assert MANIFEST_NAME in err
    assert words in err


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../outside", "a/../../b", "..\\outside", "C:\\x", "c:x", "", ".", "./weights.safetensors", "a//b"]
    + ["a\0b", "a\nb", "package.json", "a" * 300],
)
def test_an_unsafe_path_is_named_and_nothing_outside_is_read(verify, package, name):
    edit(package, lambda raw: raw["files"].update({name: "0" * 64}))
    code, _, err = verify()
    assert code == COULD_NOT_RUN
    assert f"lists the unsafe path {name!r}" in err


@pytest.mark.parametrize("text", ["", "[]", "{", '"text"', "[" * 100_000, "\xff"])
def test_a_package_json_that_is_none_is_refused(verify, package, text):
    (package / MANIFEST_NAME).write_text(text, encoding="latin-1")
    code, _, err = verify()
    assert code == COULD_NOT_RUN
    assert str(package / MANIFEST_NAME) in err
    assert "Traceback" not in err


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=30), digest=st.text(max_size=70))
def test_whatever_package_json_lists_only_a_package_error_comes_of_it(tiny_package, tmp_path, name, digest):
    target = tmp_path / "fuzzed"
    if not target.exists():
        shutil.copytree(tiny_package, target)
    raw = json.loads((tiny_package / MANIFEST_NAME).read_text())
    raw["files"][name] = digest
    (target / MANIFEST_NAME).write_text(json.dumps(raw))
    with pytest.raises(PackageError):
        open_package(target)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(package):
    (package / "MODEL_CARD.md").chmod(0)
    with pytest.raises(PackageError, match=r"MODEL_CARD\.md cannot be read"):
        open_package(package)


def test_a_package_that_does_not_paint_its_golden_picture_is_refused(verify, package):
    known = open_package(package)
    files = {name: known.path(name).read_bytes() for name in known.manifest.files}
    files["golden/output.png"] = files["golden/input.png"]
    write_package(package, files=files, name="liar", variant="compact", config=known.manifest.config)
    code, _, err = verify("--engine", "torch")
    assert code == COULD_NOT_RUN
    assert "does not paint golden/output.png" in err


def test_the_schema_that_is_printed_is_the_one_that_is_checked():
    printed = json.loads(CliRunner().invoke(pentimento, ["package", "schema"]).output)
    assert printed["properties"].keys() == Manifest.model_fields.keys()
    assert set(printed["required"]) >= {"schema_version", "files", "config"}


@pytest.mark.parametrize("name", ["verify", "register", "schema"])
def test_every_help_ends_with_examples(name):
    lines = CliRunner().invoke(pentimento, ["package", name, "--help"]).output.strip().splitlines()
    assert all(line.strip().startswith(f"pentimento package {name}") for line in lines[-2:])
