"""`pentimento demo`: the whole main job on the embedded sample, each step through the parts that users use."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import examples, print_json, progress_bar, say
from cli.outcome import PASSED, REJECTED, Stop

if TYPE_CHECKING:
    from registry.evidence import Evidence
    from registry.settings import Settings
    from registry.versions import Version
    from training.loop import StepReport

ROOT = Path(__file__).resolve().parents[1]
PHOTOGRAPH, STYLE = "china", "night-swirls"


@click.command(epilog=examples("pentimento demo", "pentimento demo --out build/demo --json"))
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True)
@click.option("--load/--no-load", default=True, help="Whether Locust puts the service under load at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def demo(out: Path, load: bool, as_json: bool) -> int:
    """Train, register, judge, gate, promote, serve, send a photograph, put under load. Nothing is downloaded.

    Exit code 0 where the candidate became (or already is) the champion, 3 where the gate refused it; then the champion
    of before goes on serving, or the shipped model where there is none.
    """
    from registry.settings import Settings

    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    settings = Settings.at(out / "home")
    version = _train(settings)
    evidence = _judge(version, out / "evaluation", settings)
    promoted, refusal = _promote(version, out / "evaluation", settings)
    model = _served_model(settings)
    served = _serve_and_load(model, out, settings, load=load)
    summary = {
        "version": f"pentimento/{version.number}",
        "digest": version.digest,
        "verdict": evidence.verdict,
        "promoted": promoted,
        "refusal": refusal,
        "scores": evidence.scores,
        "served": model,
        "load_test": served.load_verdict,
        "files": {
            "before_after": str(served.picture),
            "report": str(out / "evaluation" / "report.html"),
            "evidence": str(out / "evaluation" / "evidence.json"),
            "mlflow": settings.tracking_uri,
        },
        "seconds": round(time.monotonic() - started),
    }
    if as_json:
        print_json(summary)
    else:
        print(_as_text(summary, evidence))
    if not promoted:
        raise Stop(REJECTED)
    return PASSED if served.load_exit_code == 0 else served.load_exit_code


@dataclass(frozen=True, slots=True)
class _Served:
    picture: Path
    load_verdict: str
    load_exit_code: int


def _train(settings: "Settings") -> "Version":
    from training.config import load_config
    from training.runs import train

    say("1/6 train in two stages (MLflow tracks it) and register the candidate")
    with progress_bar() as advance:

        def show(report: "StepReport") -> None:
            done = report.step + (report.stage - 1) * report.steps
            advance(done, 2 * report.steps, f"stage {report.stage} of 2, loss {report.total:.2f}")

        return train(load_config(ROOT / "configs" / "demo.yaml"), settings, progress=show).version


def _judge(version: "Version", out: Path, settings: "Settings") -> "Evidence":
    from evaluation.gate import decide, write_evidence
    from evaluation.judging import judge
    from evaluation.policy import load_policy
    from evaluation.settings import EvaluationSettings

    say("2/6 judge it against AdaIN, Gatys NST and the null methods")
    with progress_bar() as advance:
        report = judge(
            f"models:/pentimento/{version.number}",
            data=[settings.home / "sample"],
            out=out,
            home=settings,
            settings=EvaluationSettings.quick(extractor="compact"),
            progress=advance,
        ).report
    say("3/6 hold it against configs/policy-demo.yaml")
    evidence = decide(report, load_policy(ROOT / "configs" / "policy-demo.yaml"), candidate_digest=version.digest)
    write_evidence(evidence, out)
    return evidence


def _promote(version: "Version", evidence: Path, settings: "Settings") -> tuple[bool, str | None]:
    """Whether it is the champion now, and why not."""
    from registry.errors import PromotionRefused
    from registry.versions import AlreadyChampion, Registry

    say("4/6 promote it, if the evidence allows")
    registry = Registry(settings)
    try:
        registry.promote(version, evidence)
    except AlreadyChampion:
        return True, None  # a second demo trains the same weights, which are the champion already
    except PromotionRefused as refusal:
        say(f"refused: {refusal}")
        return False, str(refusal)
    return True, None


def _served_model(settings: "Settings") -> str:
    from registry.versions import Registry

    return "pretrained:compact" if Registry(settings).champion() is None else "models:/pentimento@champion"


def _serve_and_load(model: str, out: Path, settings: "Settings", *, load: bool) -> _Served:
    from service.launch import running_service

    _seed_styles(settings)
    say(f"5/6 serve {model} and send it a photograph over HTTP")
    environment = {"PENTIMENTO_HOME": str(settings.home)}
    with running_service(model, environment=environment, log_path=out / "service.log") as url:
        picture = _send(url, out)
        if not load:
            return _Served(picture, "not run", 0)
        say("6/6 put it under load with Locust")
        verdict, code = _load(url, out)
    return _Served(picture, verdict, code)


def _seed_styles(settings: "Settings") -> None:
    """Put the built-in paintings into the style library now: this process has painted them already, the service not."""
    from registry.styles import StyleLibrary

    library = StyleLibrary.from_settings(settings)
    library.seed_builtin()
    library.close()


def _send(url: str, out: Path) -> Path:
    """One photograph through the service, beside itself."""
    import httpx
    import numpy as np

    from samples import photograph
    from stylenet.pictures import encode_picture, read_picture, write_picture

    before = photograph(PHOTOGRAPH)
    answer = httpx.post(
        f"{url}/v1/stylize",
        files={"image": (f"{PHOTOGRAPH}.png", encode_picture(before), "image/png")},
        data={"style": STYLE, "format": "png"},
        timeout=120,
        trust_env=False,  # our own child is not behind a proxy
    )
    answer.raise_for_status()
    after = read_picture(answer.content)
    path = out / "before-after.png"
    write_picture(np.concatenate([before, after], axis=1), path)
    say(f"    {answer.headers['X-Model-Version']} answered; {answer.headers.get('Server-Timing', '')}")
    return path


def _load(url: str, out: Path) -> tuple[str, int]:
    command = [sys.executable, "-m", "loadtests", "smoke", "--host", url, "--json"]
    command += ["--slo", str(ROOT / "configs" / "slo-smoke.yaml")]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (out / "load.json").write_text(finished.stdout)
    (out / "load.log").write_text(finished.stderr)
    try:
        verdict: dict[str, Any] = json.loads(finished.stdout)
    except ValueError:
        return "could not run (see load.log)", finished.returncode or 4
    return str(verdict["outcome"]), finished.returncode


def _as_text(summary: dict[str, Any], evidence: "Evidence") -> str:
    scores = summary["scores"]
    lines = [
        "",
        f"{summary['version']} (digest {summary['digest'][:12]}): "
        + ("champion" if summary["promoted"] else f"refused: {summary['refusal']}"),
        f"gate: {summary['verdict']}{f' ({evidence.reason})' if evidence.reason else ''}",
    ]
    for rule in evidence.rules:
        value = "not measured" if rule.value is None else f"{rule.value:.3f}"
        lines.append(f"  {'ok  ' if rule.passed else 'FAIL'} {rule.name}: {value}, needed {rule.needed}")
    lines.append("scores, candidate beside AdaIN:")
    for metric in scores.get("candidate", {}):
        ours, theirs = (scores.get(who, {}).get(metric) for who in ("candidate", "adain"))
        cells = ["not measured" if value is None else f"{value:.3f}" for value in (ours, theirs)]
        lines.append(f"  {metric:28} {cells[0]:>12} {cells[1]:>12}")
    lines.append(f"load test: {summary['load_test']} (served {summary['served']})")
    lines.append("look at:")
    lines += [f"  {path}" for key, path in summary["files"].items() if key != "mlflow"]
    lines.append(f"  mlflow ui --backend-store-uri {summary['files']['mlflow']}")
    lines.append(f"took {summary['seconds']} s")
    return "\n".join(lines)
