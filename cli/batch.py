"""`pentimento batch`: folders and lists of pictures in, paintings out, each exactly once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import dial_options, examples, json_option, model_option, print_json, progress_bar, say
from cli.outcome import COULD_NOT_RUN, Stop

if TYPE_CHECKING:
    from batch.job import Result


@click.command(
    epilog=examples(
        "pentimento batch storyboards/ painted/ --style night-swirls",
        "pentimento batch shots.csv painted/ --style monet.jpg --strength 0.8 --json",
    )
)
@click.argument("source", metavar="IN")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--style", metavar="PICTURE_OR_NAME", help="For every picture for which a list names none.")
@click.option(
    "--format",
    "picture_format",
    type=click.Choice(["same", "png", "jpeg", "webp"]),
    default="same",
    show_default=True,
    help="Of the paintings; same keeps each picture's own.",
)
@click.option("--overwrite", is_flag=True, help="Replace files in OUT that no batch has written.")
@click.option("--sheet/--no-sheet", default=True, show_default=True, help="Write OUT/contact-sheet-1.jpg and on.")
@model_option
@click.option(
    "--engine",
    type=click.Choice(["auto", "openvino", "torch", "ray"]),
    default="auto",
    show_default=True,
    help="What computes; ray spreads the job over workers that each take auto.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="With --engine ray: how many.")
@click.option("--ray-address", metavar="ADDRESS", help="With --engine ray: a cluster; this machine alone by default.")
@dial_options
@json_option
def batch(
    source: str,
    out: Path,
    style: str | None,
    picture_format: str,
    overwrite: bool,
    sheet: bool,
    model_ref: str,
    engine: str,
    workers: int,
    ray_address: str | None,
    as_json: bool,
    **dial_values: float,
) -> None:
    """Paint all pictures of IN into the folder OUT, under their own names.

    IN is a folder (with all below it), a glob in quotes, a picture, or a .csv list with the column picture and, where
    wanted, style, out, strength, fidelity, texture, semantics and keep_color. Started again after an interruption, it
    paints only what is missing or has changed. Pictures that cannot be painted are listed at the end, with exit code 4.
    """
    from functools import partial

    from batch.job import run_job
    from batch.pipeline import paint_here
    from batch.sheets import write_sheets
    from batch.tasks import find_tasks
    from cli.stylize import style_code
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.loading import load_engine
    from stylenet.dials import Dials

    dials = Dials(**dial_values)  # type: ignore[arg-type]  # click's names are the dials' names; keep_color is a bool
    found = find_tasks(source, out, style=style, dials=dials, picture_format=picture_format)  # type: ignore[arg-type]
    settings = Settings.from_env()
    package = resolve(model_ref, settings)
    painter = load_engine(package, "auto" if engine == "ray" else engine)  # type: ignore[arg-type]  # click checked it
    codes = {name: style_code(name, painter, settings) for name in sorted({task.style for task in found.tasks})}
    paint = partial(paint_here, engine=painter, codes=codes)
    made_by = f"{package.digest} {painter.name} {painter.precision}"
    if engine == "ray":
        from batch.cluster import paint_on_ray

        painter.close()
        paint = partial(paint_on_ray, package=package.folder, codes=codes, workers=workers, address=ray_address)
    with progress_bar() as advance:

        def show(done: int, total: int, elapsed_s: float, name: str) -> None:
            left_s = elapsed_s / done * (total - done)
            advance(done, total, f"{done} of {total}, about {left_s:.0f} s left: {name}")

        result = run_job(found.tasks, out, paint, codes, made_by=made_by, overwrite=overwrite, progress=show)
    names = sorted({*result.painted, *result.kept})
    sheets = write_sheets(out, names) if sheet and names else []
    if as_json:
        print_json(
            {
                "painted": [str(out / name) for name in result.painted],
                "kept": [str(out / name) for name in result.kept],
                "failed": [{"source": str(f.source), "reason": f.reason} for f in result.failed],
                "ignored": found.ignored,
                "contact_sheets": [str(path) for path in sheets],
                "seconds": round(result.seconds, 3),
                "digest": package.digest,
                "engine": engine if engine == "ray" else painter.name,
                "precision": painter.precision,
            }
        )
    else:
        for name in result.painted:
            print(out / name)
    _tell(result, found.ignored, sheets)
    if result.failed:
        raise Stop(COULD_NOT_RUN)


def _tell(result: "Result", ignored: int, sheets: list[Path]) -> None:
    """What a person wants to know at the end, on stderr."""
    rate = f", {len(result.painted) / result.seconds:.2f} a second" if result.painted and result.seconds else ""
    others = f", {ignored} other files ignored" if ignored else ""
    say(f"{len(result.painted)} painted{rate}, {len(result.kept)} were there, {len(result.failed)} failed{others}")
    for path in sheets:
        say(f"contact sheet: {path}")
    for failure in result.failed:
        reason = failure.reason
        say(f"error: {reason if str(failure.source) in reason else f'{failure.source}: {reason}'}")
