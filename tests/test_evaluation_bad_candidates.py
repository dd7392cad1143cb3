"""Seeded bad candidates: each is judged like any other, on real pictures, and none gets through."""

import shutil
from pathlib import Path

import pytest
import torch
from bad_candidates import Dialled, broken, luminance_swap, switch, wrecking
from conftest import TINY
from evaluation_painters import (
    Operation,
    Painting,
    blurred,
    careful,
    half_blend,
    identity,
    recolour_only,
    recoloured_half_blend,
    smearing,
)
from verdict_world import ROOT, judge, small_policy, small_settings, write_data

from cli.main import pentimento
from cli.outcome import run_politely
from evaluation.errors import MethodError
from evaluation.gate import decide
from evaluation.judging import judge as judge_reference
from evaluation.pairs import make_manifest
from evaluation.policy import Policy, load_policy
from evaluation.report import write_report
from registry.settings import Settings
from runtime.errors import PackageError
from runtime.loading import load_engine
from runtime.networks import network_config
from runtime.package import write_package
from runtime.packaging import package_files, package_network
from stylenet.errors import CodeError
from stylenet.network import StyleNetwork

TRICKS: dict[str, Operation] = {
    "identity": identity,
    "raw half blend": half_blend,
    "recoloured half blend": recoloured_half_blend,
    "luminance swap": luminance_swap,
    "recolour only": recolour_only,
    "blurred output": blurred,
    "black pictures": broken,
    "AdaIN itself": smearing,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("sample"))


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_is_rejected(name, data, tmp_path):
    evidence = decide(judge(TRICKS[name], data, tmp_path), small_policy())
    assert evidence.verdict == "rejected", f"{name}: {evidence.verdict}: {evidence.reason}"
    assert any("would pass" in rule.note for rule in evidence.rules if not rule.passed)


def asking_for_dials() -> Policy:
    return small_policy(dials={"strength": 0.1, "fidelity": 0.02, "texture": 0.1})


def test_one_whose_dials_do_nothing_is_rejected_and_the_same_painter_with_dials_passes(data, tmp_path):
    dead = decide(judge(Painting("switch", switch), data, tmp_path / "dead", dials=True), asking_for_dials())
    assert dead.verdict == "rejected"
    failed = {rule.name for rule in dead.rules if not rule.passed}
    assert {"dial: strength", "dial: fidelity"} <= failed
    alive = decide(judge(Dialled("alive", careful), data, tmp_path / "alive", dials=True), asking_for_dials())
    assert alive.verdict == "passed", alive.reason


def test_one_that_is_good_on_average_but_wrecks_buildings_is_rejected_for_the_buildings(data, tmp_path):
    manifest = make_manifest(data, small_settings())
    walls = {picture.pixels.tobytes() for picture in manifest.photographs if picture.source.building}
    report = judge(wrecking(walls), data, tmp_path)
    everything, buildings = (report.comparison("adain", "equal_style", name, "ssim") for name in ("all", "building"))
    assert everything is not None
    assert buildings is not None
    assert everything.difference.value > 0 >= buildings.difference.value
    real = load_policy(ROOT / "configs" / "policy.yaml")
    rules = tuple(rule for rule in real.rules if rule.slice == "building")
    assert rules
    evidence = decide(report, small_policy(rules=rules, required_slices=("building",)))
    assert evidence.verdict == "rejected"
    assert "building" in evidence.reason


def network(seed: int, *, broken_part: str = "", numbers: int | None = None) -> StyleNetwork:
    """A small network; of a part's tensors, the first `numbers` of each are NaN (all of them where None)."""
    torch.manual_seed(seed)
    made = StyleNetwork(TINY)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if broken_part and name.startswith(broken_part):
                parameter.flatten()[:numbers] = float("nan")
    return made


def package_unsound(made: StyleNetwork, folder: Path) -> None:
    """A package as a program other than ours would write it: `package_network` refuses such weights."""
    files = package_files(made, "# NaN\n\nFor tests.\n")
    write_package(folder, files=files, name="nan", variant="compact", config=network_config(made))


PLACES = ("content_encoder", "texture_path", "semantics_path", "decoder", "fusion")


def test_these_are_all_the_places_that_weights_have():
    assert {name.split(".")[0] for name, _ in StyleNetwork(TINY).named_parameters()} == set(PLACES)


@pytest.mark.parametrize("numbers", [None, 1], ids=["all", "one"])
@pytest.mark.parametrize("part", PLACES)
def test_nan_weights_are_refused_by_name_wherever_they_are_before_anything_is_painted(part, numbers, data, tmp_path):
    made = network(1, broken_part=part, numbers=numbers)
    with pytest.raises(PackageError, match=rf"nan cannot be packaged: {part}\..* holds NaN or infinity in \d+ of"):
        package_network(made, tmp_path / "nan", name="nan", card="# NaN\n\nFor tests.\n")
    assert not (tmp_path / "nan").exists()
    package_unsound(made, tmp_path / "nan")
    home = Settings.from_env({"PENTIMENTO_HOME": str(tmp_path / "home")})
    with pytest.raises(MethodError, match=rf"weights\.safetensors: {part}\..* holds NaN or infinity in \d+ of"):
        judge_reference(str(tmp_path / "nan"), data=[data], out=tmp_path / "out", home=home, settings=small_settings())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", ["decoder", "fusion"])
def test_nan_that_gets_past_that_check_is_rejected_by_what_it_paints(part, data, tmp_path):
    package_unsound(network(1, broken_part=part), tmp_path / "nan")
    engine = load_engine(tmp_path / "nan", "torch")
    try:
        evidence = decide(judge(engine, data, tmp_path / "out"), small_policy())
    finally:
        engine.close()
    assert evidence.verdict == "rejected", evidence.reason


@pytest.mark.parametrize("part", ["content_encoder", "texture_path", "semantics_path"])
def test_nan_in_an_encoder_opens_no_engine(part, tmp_path):
    package_unsound(network(1, broken_part=part), tmp_path / "nan")
    with pytest.raises(CodeError, match="holds NaN or infinity"):
        load_engine(tmp_path / "nan", "torch")


def test_one_that_was_judged_and_then_altered_gets_no_verdict(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    folder, out = tmp_path / "model", tmp_path / "out"
    judged = package_network(network(1), folder, name="model", card="# Model\n\nFor tests.\n")
    report = judge(careful, data, out)
    report = report.model_copy(update={"candidate": report.candidate.model_copy(update={"digest": judged.digest})})
    write_report(report, out, [])
    policy = tmp_path / "policy.yaml"
    policy.write_text(small_policy().model_dump_json(exclude_none=True))

    def gate() -> tuple[int, str]:
        words = ["gate", str(out), "--policy", str(policy), "--model", str(folder)]
        code = run_politely(lambda: pentimento.main(words, prog_name="pentimento", standalone_mode=False))
        return code, capsys.readouterr().err

    assert gate() == (0, "")
    (out / "evidence.json").unlink()
    weights = folder / "weights.safetensors"
    blob = weights.read_bytes()
    weights.write_bytes(blob[:-1] + bytes([blob[-1] ^ 1]))
    code, said = gate()
    assert code == 4
    assert "weights.safetensors was altered" in said
    shutil.rmtree(folder)
    package_network(network(2), folder, name="model", card="# Model\n\nFor tests.\n")  # altered, and sealed again
    code, said = gate()
    assert code == 4
    assert "stale" in said
    assert not (out / "evidence.json").exists()
