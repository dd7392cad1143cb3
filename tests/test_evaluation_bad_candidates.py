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
from evaluation.gate import decide
from evaluation.pairs import make_manifest
from evaluation.policy import Policy, load_policy
from evaluation.report import write_report
from runtime.loading import load_engine
from runtime.packaging import package_network
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


def network(seed: int, *, broken_part: str = "") -> StyleNetwork:
    torch.manual_seed(seed)
    made = StyleNetwork(TINY)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if broken_part and name.startswith(broken_part):
                parameter.fill_(float("nan"))
    return made


def test_a_network_whose_decoder_holds_nan_is_rejected(data, tmp_path):
    package_network(network(1, broken_part="decoder"), tmp_path / "nan", name="nan", card="# NaN\n\nFor tests.\n")
    engine = load_engine(tmp_path / "nan", "torch")
    try:
        evidence = decide(judge(engine, data, tmp_path / "out"), small_policy())
    finally:
        engine.close()
    assert evidence.verdict == "rejected", evidence.reason


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
