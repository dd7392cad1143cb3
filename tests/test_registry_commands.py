"""`pentimento versions`, `promote`, `rollback`, `challenge`, `package register`: for people and for machines."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from registry_world import another, evidence_about, settings_in

from cli.main import pentimento
from cli.outcome import COULD_NOT_RUN, PASSED, REJECTED, WRONG_USAGE, run_politely
from registry.settings import Settings
from registry.versions import Registry

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on this test's registry: (exit code, stdout, stderr)."""
    settings_in(tmp_path / "home")
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
def judged(run: Run, tiny_package: Path, tmp_path: Path) -> Registry:
    """Two versions, the second the child of the first: both judged, the second promoted over the first."""
    registry = Registry(Settings.from_env())
    child = another(tiny_package, tmp_path, "c0ffee1234")
    made = [registry.register(folder, engine="torch") for folder in (tiny_package, child.folder)]
    for version, before in zip(made, (None, made[0].digest), strict=True):
        registry.promote(version, evidence_about(version.digest, before, tmp_path / version.name))
    return registry


def test_the_table_shows_lineage_scores_and_verdict(run, judged):
    code, out, _ = run("versions")
    assert code == PASSED
    header, _, second, first = out.splitlines()
    assert header.split() == [
        *("version", "aliases", "verdict", "ssim", "data", "commit", "parents", "digest", "registered")
    ]
    assert second.split()[:8] == ["2", "candidate,", "champion", "passed", "0.860", "unknown", "c0ffee12", "1"]
    assert first.split()[:4] == ["1", "previous", "passed", "0.860"]
    assert max(map(len, out.splitlines())) <= 120


def test_one_version_is_shown_whole(run, judged):
    code, out, _ = run("versions", "show", "champion")
    assert code == PASSED
    for words in (
        "pentimento/2",
        f"compact, {judged.get(2).digest}",
        judged.get(2).run_id,
        "parents      pentimento/1",
        "commit       c0ffee1234",
        "torch 2.",
        f"evidence: passed on 24 pairs against champion {judged.get(1).digest[:12]}",
        "ssim_at_equal_style  0.86      0.85 to 0.87  >= 0.85",
        "adain (s=.5)",
        "promote        2       1  passed",
    ):
        assert words in out, words
    whole = json.loads(run("versions", "show", 2, "--json")[1])
    assert whole["evidence"]["verdict"] == "passed"
    assert whole["parent_versions"] == [1]
    assert whole["environment"]["python"].startswith("3.")
    assert [line["version"] for line in whole["promotions"]] == [2]
    code, _, err = run("versions", "show", 9)
    assert code == COULD_NOT_RUN
    assert "no version 'pentimento/9' in the registry (have: pentimento/2" in err


def test_a_version_that_nobody_judged_says_how_to(run, tiny_package):
    assert run("package", "register", tiny_package, "--engine", "torch", "--tag", "team=sky")[0] == PASSED
    out = run("versions", "show", 1)[1]
    assert "evidence: none; `pentimento evaluate` and `pentimento gate` make it" in out
    assert "team=sky" in out
    assert "not judged" in run("versions")[1]


def test_the_promotion_log_is_a_table_too(run, judged):
    code, out, _ = run("rollback")
    assert (code, out) == (PASSED, "champion: pentimento/1, before: 2\n")
    run("promote", 2, "--force", "the gate's machine burnt down")
    lines = run("versions", "--history")[1].splitlines()
    assert [line.split()[3] for line in lines[2:]] == ["promote", "promote", "rollback", "promote"]
    assert "forced: the gate's machine burnt down" in lines[-1]
    assert "passed (forced)" in run("versions")[1]
    told = json.loads(run("versions", "--history", "--json")[1])
    assert [line["previous_hash"] for line in told[1:]] == [line["hash"] for line in told[:-1]]


def test_a_log_with_no_line_says_what_would_make_one(run):
    assert "nothing was promoted yet; `pentimento promote VERSION" in run("versions", "--history")[1]


def test_a_challenger_is_chosen_and_withdrawn(run, judged):
    assert run("challenge", 1)[1] == "challenger: pentimento/1\n"
    assert "challenger" in run("versions")[1]
    assert json.loads(run("challenge", "--none", "--json")[1]) == {"challenger": None, "before": 1}
    for arguments in ((), (1, "--none")):
        code, _, err = run("challenge", *arguments)
        assert code == WRONG_USAGE
        assert "give a VERSION, or --none" in err
    code, _, err = run("challenge", 2)
    assert code == REJECTED
    assert "cannot challenge itself" in err


def test_a_package_is_registered_once_and_a_tag_needs_a_value(run, tiny_package, tmp_path):
    told = json.loads(run("package", "register", tiny_package, "--engine", "torch", "--json")[1])
    assert (told["version"], told["aliases"]) == (1, ["candidate"])
    assert "candidate: pentimento/1" in run("package", "register", tiny_package, "--engine", "torch")[1]
    code, _, err = run("package", "register", tiny_package, "--tag", "sky")
    assert code == WRONG_USAGE
    assert "write KEY=VALUE" in err
    (tmp_path / "empty").mkdir()
    code, _, err = run("package", "register", tmp_path / "empty")
    assert code == COULD_NOT_RUN
    assert "is not a model package" in err
