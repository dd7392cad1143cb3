"""`pentimento bench`: the engines of this machine, side by side, in one run."""

import click

from cli.options import examples, json_option, model_option, print_json, progress_bar, table


@click.command(epilog=examples("pentimento bench", "pentimento bench --side 256 --side 512 --repeats 7 --json"))
@model_option
@click.option("--side", "sides_px", multiple=True, type=click.IntRange(16, 2048), help="Square sides; default 256 512.")
@click.option("--repeats", type=click.IntRange(3, 1000), default=5, show_default=True, help="Rounds; medians count.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; all cores by default.")
@json_option
def bench(model_ref: str, sides_px: tuple[int, ...], repeats: int, threads: int | None, as_json: bool) -> None:
    """Time every engine that runs here on one photograph, interleaved, with its likeness to the reference.

    Absolute times depend on what else the machine does; the ratios within one run are what to read.
    """
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.benchmark import compare_engines

    package = resolve(model_ref, Settings.from_env())
    with progress_bar() as advance:
        rows = compare_engines(package, sides_px or (256, 512), repeats=repeats, threads=threads, progress=advance)
    if as_json:
        print_json([row.as_dict() for row in rows])
        return
    cells = [
        (
            row.side_px,
            row.engine,
            row.precision,
            f"{row.median_ms:.1f}",
            f"{row.spread_ms:.1f}",
            f"{row.speedup:.2f}x",
            "same" if row.psnr_db == float("inf") else f"{row.psnr_db:.1f} dB",
        )
        for row in rows
    ]
    print(table(("side", "engine", "precision", "median ms", "spread ms", "against torch", "likeness"), cells))
