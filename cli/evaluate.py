"""`pentimento evaluate`: scores, a report to look at, and what the gate reads."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import engine_option, examples, json_option, progress_bar

if TYPE_CHECKING:
    from registry.settings import Settings


@click.command(
    epilog=examples(
        "pentimento evaluate models:/pentimento@candidate --data sample --quick --out build/evaluation",
        "pentimento evaluate pretrained:compact --data ../shared/assets --contents 30 --styles 12 --out build/full",
    )
)
@click.argument("model")
@click.option("--data", required=True, multiple=True, help="A data folder, or 'sample'; may be given more than once.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the report goes.")
@click.option("--adain", default="pretrained:adain", show_default=True, metavar="REF", help="The baseline.")
@click.option("--champion", default="auto", show_default=True, metavar="REF", help="A model, 'auto' or 'none'.")
@click.option("--contents", type=int, help="Photographs to take.")
@click.option("--styles", type=int, help="Paintings to take.")
@click.option("--short-side", "short_side_px", type=int, help="Short side in pixels.")
@click.option("--nst-pairs", type=int, help="Pairs on which Gatys NST runs.")
@click.option("--nst-steps", type=int, help="Its optimisation steps.")
@click.option("--extractor", type=click.Choice(["auto", "vgg19", "compact"]), help="Whose features measure style.")
@click.option("--seed", type=int, help="Which pictures are taken.")
@click.option("--quick", is_flag=True, help="The demo's size: 4 x 4 pairs, 192 px, five strengths.")
@engine_option
@json_option
def evaluate(
    model: str,
    data: tuple[str, ...],
    out: Path,
    adain: str,
    champion: str,
    quick: bool,
    engine: str,
    as_json: bool,
    **given: int | str | None,
) -> None:
    """Judge MODEL on DATA: every method at every strength, compared at equal style.

    Writes scores.json, pairs.csv, report.md and report.html into OUT, and logs them to the version's run if MODEL is a
    registered version.
    """
    from evaluation.harness import evaluate as run_evaluation
    from evaluation.settings import EvaluationSettings
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.loading import load_engine
    from training.preparation import data_folder

    settings = Settings.from_env()
    changes = {name: value for name, value in given.items() if value is not None}
    chosen = EvaluationSettings.quick(**changes) if quick else EvaluationSettings(**changes)  # type: ignore[arg-type]
    candidate = load_engine(resolve(model, settings), engine)  # type: ignore[arg-type]
    baseline = load_engine(resolve(adain, settings), engine)  # type: ignore[arg-type]
    current = champion_reference(champion, candidate.package.digest, settings)
    with progress_bar() as advance:
        run_evaluation(
            candidate,
            data=[data_folder(name, settings) for name in data],
            out=out,
            adain=baseline,
            champion=None if current is None else load_engine(resolve(current, settings), engine),  # type: ignore[arg-type]
            settings=chosen,
            progress=advance,
        )
    log_if_registered(candidate.package.digest, out, settings)
    if as_json:
        print((out / "scores.json").read_text(encoding="utf-8"), end="")
        return
    print((out / "report.md").read_text(encoding="utf-8"), end="")
    print(f"\n{out / 'report.html'}")


def champion_reference(asked: str, candidate_digest: str, settings: "Settings") -> str | None:
    """Which champion to compare with: none where there is none, or where it is the candidate itself."""
    if asked == "none":
        return None
    if asked != "auto":
        return asked
    from registry.versions import Registry

    version = Registry(settings).champion()
    return None if version is None or version.digest == candidate_digest else f"models:/pentimento/{version.number}"


def log_if_registered(digest: str, out: Path, settings: "Settings") -> None:
    """Keep the judgement beside the version that it is about."""
    from registry.versions import Registry

    registry = Registry(settings)
    version = registry.find(digest)
    if version is not None:
        registry.log_evidence(version, out)
