"""`pentimento gate`: a judgement against a policy; the exit code is the answer."""

from pathlib import Path

import click

from cli.options import examples, json_option
from cli.outcome import Stop

DEFAULT_POLICY = Path(__file__).resolve().parents[1] / "configs" / "policy.yaml"


@click.command(
    epilog=examples(
        "pentimento gate build/evaluation --policy configs/policy-demo.yaml",
        "pentimento gate build/full --policy configs/policy.yaml --json",
    )
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), default=DEFAULT_POLICY, help="Default: configs/policy.yaml.")
@click.option("--model", "model_ref", metavar="REF", help="Refuse unless the judgement is about this very package.")
@click.option(
    "--study", type=click.Path(path_type=Path), help="study.json of `pentimento study score`; by default DIRECTORY's."
)
@json_option
def gate(directory: Path, policy: Path, model_ref: str | None, study: Path | None, as_json: bool) -> None:
    """Decide whether the judgement in DIRECTORY (from `pentimento evaluate`) satisfies a policy.

    Writes into DIRECTORY: evidence.json, which `pentimento promote` asks for, junit.xml for CI, and verdict.md for a
    pull request. Exit code: 0 passed, 3 rejected, 4 could not run, 5 inconclusive.
    """
    from evaluation.gate import decide
    from evaluation.policy import load_policy
    from evaluation.report import read_report
    from evaluation.study_results import RESULT_NAME, read_study
    from evaluation.verdict_files import write_verdict
    from registry.references import resolve
    from registry.settings import Settings

    digest = None if model_ref is None else resolve(model_ref, Settings.from_env()).digest
    report = read_report(directory)
    beside = directory / RESULT_NAME
    asked = study or (beside if beside.exists() else None)
    people = None if asked is None else read_study(asked)
    evidence = decide(report, load_policy(policy), candidate_digest=digest, study=people)
    write_verdict(evidence, report, directory)
    if as_json:
        print(evidence.to_json(), end="")
    else:
        for rule in evidence.rules:
            value = "not measured" if rule.value is None else f"{rule.value:.4g}"
            interval = "" if rule.interval is None else f" ({rule.interval[0]:.4g} to {rule.interval[1]:.4g})"
            print(f"{'ok  ' if rule.passed else 'FAIL'} {rule.name}: {value}{interval}, needed {rule.needed}")
            if rule.note:
                print(f"     {rule.note}")
        print(f"verdict: {evidence.verdict}{f' ({evidence.reason})' if evidence.reason else ''}")
    raise Stop(evidence.exit_code)
