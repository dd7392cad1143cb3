"""The workflow that gates a pull request: its own commands, run as they stand there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from verdict_world import ROOT, write_data

from registry.evidence import EXIT_CODES, read_evidence

WORKFLOW = ROOT / ".github" / "workflows" / "gate.yml"


@pytest.fixture(scope="module")
def steps() -> dict[str, dict[str, Any]]:
    job = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["gate"]
    return {step["name"]: step for step in job["steps"] if "name" in step}


def environment(tmp_path: Path, data: Path) -> dict[str, str]:
    """The workflow's, with few small pictures; what would speak to GitHub writes down what it was asked to post."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    fake = bin_folder / "gh"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$ASKED"\n')
    fake.chmod(0o755)
    given = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["env"]
    return {
        **os.environ,
        **{name: str(value) for name, value in given.items()},
        "PATH": f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PENTIMENTO_HOME": str(tmp_path / "home"),
        "DATA": str(data),
        "SIZE": "--quick --contents 3 --styles 1 --short-side 64 --nst-pairs 0 --engine torch",
        "POLICY": str(ROOT / "configs" / "policy-demo.yaml"),
        "OUT": "out",
        "NUMBER": "7",
        "ASKED": str(tmp_path / "asked"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }


def test_its_commands_judge_gate_and_post_the_verdict(steps, tmp_path):
    work = tmp_path / "work"
    (work / "build" / "base" / "pretrained").mkdir(parents=True)
    (work / "build" / "base" / "pretrained" / "compact").symlink_to(ROOT / "pretrained" / "compact")
    variables = environment(tmp_path, write_data(tmp_path / "data"))

    def run(name: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-e", "-o", "pipefail", "-c", steps[name]["run"]]
        return subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True, check=False)

    judged = run("judge")
    assert judged.returncode == 0, judged.stderr
    gated = run("gate")
    evidence = read_evidence(work / "out")
    assert gated.returncode == EXIT_CODES[evidence.verdict] == 5, gated.stdout  # three photographs decide nothing
    assert "verdict: inconclusive" in gated.stdout
    for name in ("summary", "comment"):
        assert run(name).returncode == 0
    assert "Pentimento gate: inconclusive" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:3] == ["pr", "comment", "7"]
    assert (work / asked[-1]).read_text(encoding="utf-8").startswith("## Pentimento gate")


def test_the_verdict_is_posted_also_where_the_gate_refuses(steps):
    assert list(steps) == ["install", "champion", "judge", "gate", "summary", "comment", "keep"]
    assert all(steps[name]["if"].startswith("always()") for name in ("summary", "comment", "keep"))
    assert "continue-on-error" not in steps["gate"]


def test_the_champion_is_what_the_base_branch_ships(steps, tmp_path):
    """On a repository of its own: `git archive` of the base commit gives the package back as it was."""
    package = tmp_path / "pretrained" / "compact"
    package.mkdir(parents=True)
    (package / "package.json").write_text("before")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "base"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    base = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True)
    (package / "package.json").write_text("after")
    variables = {**os.environ, "BASE": base.stdout.strip()}
    subprocess.run(["bash", "-e", "-c", steps["champion"]["run"]], cwd=tmp_path, env=variables, check=True)
    assert (tmp_path / "build" / "base" / "pretrained" / "compact" / "package.json").read_text() == "before"
