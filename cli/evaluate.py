"""`pentimento evaluate`: scores, a report to look at, and what the gate reads."""

from pathlib import Path

import click

from cli.options import examples, json_option, progress_bar


@click.command(
    epilog=examples(
        "pentimento evaluate models:/pentimento@candidate --data sample --quick --out build/evaluation",
        "pentimento evaluate theirs.onnx --data ../wikiart --data ../coco --baseline theirs-too/ --out build/theirs",
    )
)
@click.argument("model")
@click.option("--data", required=True, multiple=True, help="A data folder, or 'sample'; may be given more than once.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the report goes.")
@click.option("--adain", default="pretrained:adain", show_default=True, metavar="REF", help="The baseline.")
@click.option("--champion", default="auto", show_default=True, metavar="REF", help="A model, 'auto' or 'none'.")
@click.option("--baseline", "others", multiple=True, metavar="REF", help="Another rival; may be given more than once.")
@click.option("--contents", type=int, help="Photographs to take.")
@click.option("--styles", type=int, help="Paintings to take.")
@click.option("--photographs-per-painting", type=int, help="Photographs that each painting meets; all by default.")
@click.option("--short-side", "short_side_px", type=int, help="Short side in pixels.")
@click.option("--nst-pairs", type=int, help="Pairs on which Gatys NST runs.")
@click.option("--nst-steps", type=int, help="Its optimisation steps.")
@click.option("--extractor", type=click.Choice(["auto", "vgg19", "compact"]), help="Whose features measure style.")
@click.option("--lpips-backbone", type=click.Choice(["squeeze", "alex", "vgg"]), help="Whose features LPIPS compares.")
@click.option("--style-axis", type=click.Choice(["mean", "strict"]), help="strict: colour cannot make up for strokes.")
@click.option("--seed", type=int, help="Which pictures are taken.")
@click.option("--quick", is_flag=True, help="The demo's size: 8 x 3 pairs, 192 px, five strengths.")
@click.option("--anew", is_flag=True, help="Measure everything, also what an earlier judgement has measured already.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "openvino", "torch", "ray"]),
    default="auto",
    show_default=True,
    help="What computes; auto takes the fastest here, ray shares the pairs out on the cluster of RAY_ADDRESS.",
)
@json_option
def evaluate(
    model: str,
    data: tuple[str, ...],
    out: Path,
    adain: str,
    champion: str,
    others: tuple[str, ...],
    quick: bool,
    anew: bool,
    engine: str,
    as_json: bool,
    **given: int | str | None,
) -> None:
    """Judge MODEL on DATA: every method at every strength, compared at equal style.

    MODEL is models:/pentimento@candidate, pretrained:compact, a package's folder, somebody else's ONNX file, or a
    folder of finished pictures (docs/JUDGING.md has both contracts); a --baseline may be any of these. Writes
    scores.json, pairs.csv, pairs.parquet, report.md and report.html into OUT, and logs them to the version's run if
    MODEL is a registered version. Killed, the same command goes on where it stopped.
    """
    from evaluation.judging import Rivals, judge
    from evaluation.lpips_metrics import check_lpips
    from evaluation.settings import EvaluationSettings
    from registry.settings import Settings
    from registry.versions import Registry
    from training.preparation import data_folder

    home = Settings.from_env()
    changes = {name: value for name, value in given.items() if value is not None}
    if "lpips_backbone" in changes:
        check_lpips(changes["lpips_backbone"])  # type: ignore[arg-type]  # asked for by name: hours later is too late
    with progress_bar() as advance:
        found = judge(
            model,
            data=[data_folder(name, home) for name in data],
            out=out,
            home=home,
            rivals=Rivals(adain=adain, champion=champion, others=others),
            settings=EvaluationSettings.quick(**changes) if quick else EvaluationSettings(**changes),  # type: ignore[arg-type]
            engine="auto" if engine == "ray" else engine,  # type: ignore[arg-type]
            where="ray" if engine == "ray" else "here",
            keep=not anew,
            progress=advance,
        )
    if found.version is not None:
        Registry(home).log_evidence(found.version, out)
    if as_json:
        print((out / "scores.json").read_text(encoding="utf-8"), end="")
        return
    print((out / "report.md").read_text(encoding="utf-8"), end="")
    print(f"\n{out / 'report.html'}")
