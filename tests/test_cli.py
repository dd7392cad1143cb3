"""The command line: what it prints where, what it exits with, and that every error names its cure."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, pentimento
from cli.outcome import COULD_NOT_RUN, PASSED, REJECTED, WRONG_USAGE, run_politely
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture, write_picture

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with a home of its own: (exit code, stdout, stderr)."""
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        words = [str(argument) for argument in arguments]
        code = run_politely(lambda: pentimento.main(words, prog_name="pentimento", standalone_mode=False))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def pictures(tmp_path: Path, photo: Pixels, painting: Pixels) -> dict[str, Path]:
    paths = {"photo": tmp_path / "photo.png", "painting": tmp_path / "painting.png"}
    write_picture(photo, paths["photo"])
    write_picture(painting, paths["painting"])
    return paths


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_ends_with_two_lines_to_paste(name: str):
    shown = CliRunner().invoke(pentimento, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    lines = shown.output.strip().splitlines()
    assert lines[-3].strip() == "Examples:"
    assert all(line.strip().startswith(f"pentimento {name}") for line in lines[-2:])


@pytest.mark.parametrize("name", ["add", "list", "show", "remove"])
def test_every_help_of_the_style_library_ends_with_examples(name: str):
    lines = CliRunner().invoke(pentimento, ["styles", name, "--help"]).output.strip().splitlines()
    assert all(line.strip().startswith(f"pentimento styles {name}") for line in lines[-2:])


def test_the_examples_use_options_that_exist():
    for name in COMMANDS:
        command = pentimento.get_command(click.Context(pentimento), name)
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        if isinstance(command, click.Group):
            known |= {option for sub in command.commands.values() for p in sub.params for option in p.opts}
        used = {word for word in (command.epilog or "").split() if word.startswith("--")}
        assert used <= known, name


def test_help_imports_neither_torch_nor_mlflow():
    script = "import sys; from cli.main import main\nsys.argv=['pentimento','--help']\n"
    script += "try:\n main()\nexcept SystemExit: pass\n"
    script += "assert not {'torch', 'mlflow', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=Path(__file__).parents[1])


def test_an_unknown_command_names_those_there_are(run: Run):
    code, _, err = run("paint")
    assert code == WRONG_USAGE
    assert "stylize" in err


@pytest.mark.parametrize("size", [(853, 1280), (517, 333), (16, 16)])
def test_a_painting_has_exactly_the_size_of_its_photograph(
    run: Run, tiny_package: Path, tmp_path: Path, pictures: dict[str, Path], size: tuple[int, int]
):
    path = tmp_path / "large.png"
    write_picture(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8), path)
    out = tmp_path / "out.png"
    code, said, _ = run("stylize", path, "--style", pictures["painting"], "--model", tiny_package, "-o", out)
    assert code == PASSED
    assert said.strip() == str(out)
    assert read_picture(out).shape == (*size, 3)


def test_strength_zero_returns_the_input(run: Run, tiny_package: Path, tmp_path: Path, pictures: dict[str, Path]):
    out = tmp_path / "out.png"
    code, _, _ = run(
        *("stylize", pictures["photo"], "--style", pictures["painting"], "--strength", 0),
        *("--model", tiny_package, "-o", out),
    )
    assert code == PASSED
    np.testing.assert_array_equal(read_picture(out), read_picture(pictures["photo"]))


def test_a_mask_leaves_the_rest_alone(run: Run, tiny_package: Path, tmp_path: Path, pictures: dict[str, Path]):
    photo = read_picture(pictures["photo"])
    mask = np.zeros_like(photo)
    mask[:, :64] = 255
    write_picture(mask, tmp_path / "mask.png")
    out = tmp_path / "out.png"
    code, _, _ = run(
        *("stylize", pictures["photo"], "--style", pictures["painting"], "--mask", tmp_path / "mask.png"),
        *("--model", tiny_package, "-o", out),
    )
    assert code == PASSED
    np.testing.assert_array_equal(read_picture(out)[:, 64:], photo[:, 64:])


def test_several_photographs_go_into_a_folder_and_a_bad_one_does_not_stop_the_others(
    run: Run, tiny_package: Path, tmp_path: Path, pictures: dict[str, Path]
):
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "cut.jpg").write_bytes(encode_picture(read_picture(pictures["photo"]), "jpeg")[:800])
    photos = [pictures["photo"], *(tmp_path / name for name in ("text.jpg", "empty.jpg", "cut.jpg"))]
    arguments = ("--style", pictures["painting"], "--model", tiny_package, "-o", tmp_path / "out", "--json")
    code, said, err = run("stylize", *photos, *arguments)
    assert code == COULD_NOT_RUN
    result = json.loads(said)
    assert result["written"] == [str(tmp_path / "out" / "photo.png")]
    assert len(result["failed"]) == 3
    for name in ("text.jpg", "empty.jpg", "cut.jpg"):
        assert name in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.png"]


def test_a_library_style_and_a_builtin_painting_are_found_by_name(
    run: Run, tiny_package: Path, tmp_path: Path, pictures: dict[str, Path]
):
    from registry.settings import Settings
    from registry.styles import StyleLibrary

    StyleLibrary.from_settings(Settings.from_env()).add("evening", [pictures["painting"]])
    for style in ("evening", "great-wave"):
        out = tmp_path / f"{style}.png"
        code, _, err = run("stylize", pictures["photo"], "--style", style, "--model", tiny_package, "-o", out)
        assert code == PASSED, err
    code, _, err = run(
        "stylize", pictures["photo"], "--style", "nobody", "--model", tiny_package, "-o", tmp_path / "x.png"
    )
    assert code == WRONG_USAGE
    assert "evening" in err
    assert "great-wave" in err


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--strength", "2"), COULD_NOT_RUN, "strength=2.0 is out of range"),
        (("--model", "models:/pentimento@champion"), COULD_NOT_RUN, "champion"),
        (("--model", "pretrained:nothing"), COULD_NOT_RUN, "nothing"),
        (("--model", "/nowhere"), COULD_NOT_RUN, "/nowhere"),
        (("--engine", "magic"), WRONG_USAGE, "openvino"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    run: Run, tmp_path: Path, pictures: dict[str, Path], arguments: tuple[str, ...], exit_code: int, words: str
):
    base = ("stylize", pictures["photo"], "--style", pictures["painting"], "-o", tmp_path / "out.png")
    code, out, err = run(*base, *arguments)
    assert code == exit_code
    assert words in err
    assert "Traceback" not in err
    assert out == ""


def test_two_photographs_that_would_share_a_name_are_refused(run: Run, tmp_path: Path, pictures: dict[str, Path]):
    twin = tmp_path / "other" / "photo.png"
    write_picture(read_picture(pictures["photo"]), twin)
    code, _, err = run("stylize", pictures["photo"], twin, "--style", pictures["painting"], "-o", tmp_path / "out")
    assert code == WRONG_USAGE
    assert "photo.png" in err
    code, _, err = run("stylize", pictures["photo"], twin, "--style", "x", "-o", tmp_path / "out.png")
    assert code == WRONG_USAGE
    assert "folder" in err


def test_a_version_is_listed_promoted_by_force_and_rolled_back(run: Run, tiny_package: Path, adain_package: Path):
    from registry.settings import Settings
    from registry.versions import Registry

    code, out, _ = run("versions")
    assert code == PASSED
    assert "no versions yet" in out
    registry = Registry(Settings.from_env())
    for package in (tiny_package, adain_package):
        registry.register(package)
    code, _, err = run("promote", 1)
    assert code == REJECTED
    assert "evidence" in err
    for number in (1, 2):
        code, out, _ = run("promote", number, "--force", "a test")
        assert code == PASSED
        assert f"champion: pentimento/{number}" in out
    code, _, err = run("promote", 2, "--force", "again")
    assert code == PASSED  # asked for twice: fulfilled
    assert "already" in err
    code, out, _ = run("rollback", "--json")
    assert code == PASSED
    assert json.loads(out)["version"] == 1
    listed = json.loads(run("versions", "--json")[1])
    assert [(v["version"], v["aliases"]) for v in listed][1] == (1, ["champion"])
    assert "champion" in run("versions")[1]


def test_a_gate_without_a_judgement_could_not_run(run: Run, tmp_path: Path):
    code, _, err = run("gate", tmp_path)
    assert code == COULD_NOT_RUN
    assert "scores.json" in err


def test_styles_are_added_shown_and_removed(run: Run, pictures: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    from registry.styles import StyleLibrary

    seed = StyleLibrary.seed_builtin
    monkeypatch.setattr(StyleLibrary, "seed_builtin", lambda self, progress: seed(self, progress, short_side_px=32))
    code, out, _ = run("styles", "add", "evening", pictures["painting"], "--tag", "ours", "--author", "A. Painter")
    assert code == PASSED
    assert "evening" in out
    listed = json.loads(run("styles", "list", "--tag", "ours", "--json")[1])
    assert [style["name"] for style in listed] == ["evening"]
    assert "A. Painter" in run("styles", "show", "evening")[1]
    assert "great-wave" in run("styles", "list")[1]
    assert run("styles", "remove", "evening")[0] == PASSED
    code, _, err = run("styles", "show", "evening")
    assert code == COULD_NOT_RUN
    assert "evening" in err


def test_an_export_is_the_package_byte_for_byte(run: Run, tiny_package: Path, tmp_path: Path):
    code, out, _ = run("export", "--model", tiny_package, "-o", tmp_path / "copy", "--json")
    assert code == PASSED
    assert json.loads(out)["folder"] == str(tmp_path / "copy")
    for path in tiny_package.rglob("*"):
        if path.is_file():
            assert (tmp_path / "copy" / path.relative_to(tiny_package)).read_bytes() == path.read_bytes()


def test_the_benchmark_prints_a_table_and_json(run: Run, tiny_package: Path):
    arguments = ("bench", "--model", tiny_package, "--side", 32, "--repeats", 3)
    assert "openvino" in run(*arguments)[1]
    rows = json.loads(run(*arguments, "--json")[1])
    assert rows[0]["engine"] == "torch"


def test_the_sample_is_written_as_a_data_folder(run: Run, tmp_path: Path):
    code, out, _ = run("sample", tmp_path / "sample", "--short-side", 32)
    assert code == PASSED
    assert len(out.splitlines()) == len(list((tmp_path / "sample").rglob("*.png"))) >= 15


def test_the_doctor_tells_and_does_not_judge(run: Run):
    code, out, _ = run("doctor", "--json")
    assert code == PASSED
    findings = {finding["what"]: finding for finding in json.loads(out)}
    assert findings["OpenVINO"]["there"]
    assert findings["pretrained:compact"]["there"]
    assert all(finding["there"] or finding["cure"] for finding in findings.values())
    assert "machine" in run("doctor")[1]


def test_a_missing_configuration_is_named(run: Run, tmp_path: Path):
    code, _, err = run("train", tmp_path / "nowhere.yaml")
    assert code == COULD_NOT_RUN
    assert "nowhere.yaml" in err


def test_an_interruption_exits_with_130(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("samples.write_sample", interrupted)
    code, _, err = run("sample", tmp_path)
    assert code == 130
    assert "interrupted" in err
