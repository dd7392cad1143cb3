"""`pentimento study`: ask people, blindly, which painting they find better."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import engine_option, examples, json_option, say, table

if TYPE_CHECKING:
    from evaluation.study_results import StudyResult


@click.group(
    epilog=examples(
        "pentimento study build pretrained:compact --evaluation build/evaluation --data sample --out build/study",
        "pentimento study score build/study votes/ --out build/evaluation/study.json",
    )
)
def study() -> None:
    """A blind preference study with people: build the page, then count the votes."""


@study.command(
    epilog=examples(
        "pentimento study build pretrained:compact --evaluation build/evaluation --data sample --out build/study",
        "pentimento study build pretrained:compact --evaluation build/full --data ../shared/assets --pairs 40 "
        "--against adain --against recoloured_blend --out build/study",
    )
)
@click.argument("model")
@click.option("--evaluation", required=True, type=click.Path(path_type=Path), help="The judgement of MODEL.")
@click.option("--data", required=True, multiple=True, help="The same data that was judged.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the study goes.")
@click.option("--pairs", type=click.IntRange(min=1), default=20, show_default=True, help="Pairs to show.")
@click.option("--against", multiple=True, default=("adain",), show_default=True, help="Whom to compare with.")
@click.option("--adain", default="pretrained:adain", show_default=True, metavar="REF", help="The baseline.")
@click.option("--champion", metavar="REF", help="What `--against champion` paints with.")
@click.option(
    "--at",
    type=click.Choice(["full_strength", "equal_style"]),
    default="full_strength",
    show_default=True,
    help="Everybody at strength 1, or the candidate and AdaIN where the judgement compares them.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which pairs are shown.")
@engine_option
@json_option
def build(
    model: str,
    evaluation: Path,
    data: tuple[str, ...],
    out: Path,
    pairs: int,
    against: tuple[str, ...],
    adain: str,
    champion: str | None,
    at: str,
    seed: int,
    engine: str,
    as_json: bool,
) -> None:
    """Make a page that shows voters two paintings at a time, without saying who painted them.

    OUT/index.html is the page: one file, needs no server, saves votes as a file. OUT/key.json says who painted what:
    keep it from the voters.
    """
    from evaluation.methods import Painter
    from evaluation.pairs import make_manifest
    from evaluation.report import read_report
    from evaluation.scores import ADAIN, CANDIDATE, CHAMPION
    from evaluation.study_build import KEY_NAME, PAGE_NAME, build_study
    from evaluation.study_scenes import choose_pairs, paint_scenes, settings_of
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.loading import load_engine
    from training.preparation import data_folder

    settings = Settings.from_env()
    report = read_report(evaluation)
    references = {CANDIDATE: model, ADAIN: adain, **({CHAMPION: champion} if champion else {})}
    painters = {
        name: Painter(name, load_engine(resolve(reference, settings), engine))  # type: ignore[arg-type]
        for name, reference in references.items()
    }
    manifest = make_manifest([data_folder(name, settings) for name in data], settings_of(report))
    say("painting")
    scenes = paint_scenes(
        report,
        manifest,
        painters,
        against,
        choose_pairs(report, pairs, seed=seed),
        at_equal_style=at == "equal_style",
    )
    made = build_study(
        scenes,
        out,
        candidate_digest=report.candidate.digest or "",
        data_digest=report.data.digest,
        at=at,
        seed=seed,
    )
    checks = sum(trial.is_check for trial in made.key.trials)
    page, key = out / PAGE_NAME, out / KEY_NAME
    if as_json:
        from cli.options import print_json

        summary = {"study": made.digest, "page": str(page), "key": str(key), "shown": len(made.key.trials)}
        print_json(summary | {"attention_checks": checks})
    else:
        print(f"{page}: {len(made.key.trials)} pairs, {checks} of them attention checks")
        print(f"{key}: who painted what; keep it from the voters")


@study.command(
    epilog=examples(
        "pentimento study score build/study votes/ --out build/evaluation/study.json",
        "pentimento study score build/study votes-1a2b.json votes-3c4d.json --json",
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("votes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where study.json goes, for `pentimento gate`.")
@json_option
def score(folder: Path, votes: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Count the VOTES (files that the page saved, or folders of them) on the study in FOLDER.

    Voters who did not pass the attention checks are left out. Put study.json into the judgement's folder, and a policy
    can ask for it.
    """
    from evaluation.study_build import read_key
    from evaluation.study_score import read_ballots, score_study
    from stylenet.pictures import write_bytes

    made = read_key(folder)
    result = score_study(made, read_ballots(votes, made))
    text = result.model_dump_json(indent=1) + "\n"
    if out is not None:
        write_bytes(text.encode(), out)
    print(text if as_json else _as_text(result), end="")


def _as_text(result: "StudyResult") -> str:
    rows = [
        [name, each.won, each.votes, f"{each.share:.3f}", f"{each.low:.3f} to {each.high:.3f}"]
        for name, each in result.preferences.items()
    ]
    strengths = [
        [name, f"{each.value:+.3f}", f"{each.low:+.3f} to {each.high:+.3f}"]
        for name, each in sorted(result.strengths.items(), key=lambda item: -item[1].value)
    ]
    dropped = f", {result.dropped} left out by the attention checks" if result.dropped else ""
    return "\n".join(
        [
            f"{result.votes} votes of {result.voters} voters{dropped}",
            "",
            table(["candidate against", "won", "votes", "share", "95 % (Wilson)"], rows),
            "",
            table(["Bradley-Terry", "strength", "95 % over voters"], strengths),
            "",
            f"agreement (Krippendorff's alpha): {result.agreement:.3f}",
            f"left picture chosen: {result.left.share:.3f} ({result.left.low:.3f} to {result.left.high:.3f})",
            "",
        ]
    )
