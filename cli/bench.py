"""`pentimento bench`: the engines of this machine, side by side, in one run."""

import click

from cli.options import examples, json_option, model_option, print_json, progress_bar, table


@click.command(
    epilog=examples("pentimento bench", "pentimento bench --side 512 --repeats 9 --reference --memory --json")
)
@model_option
@click.option("--side", "sides_px", multiple=True, type=click.IntRange(16, 2048), help="Square sides; default 256 512.")
@click.option("--repeats", type=click.IntRange(3, 1000), default=5, show_default=True, help="Rounds; medians count.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; all cores by default.")
@click.option("--reference", is_flag=True, help="Also time AdaIN on VGG-19 (relu4_1) in the same engines.")
@click.option("--memory", is_flag=True, help="Also measure each engine's peak memory, in a process of its own.")
@json_option
def bench(
    model_ref: str,
    sides_px: tuple[int, ...],
    repeats: int,
    threads: int | None,
    reference: bool,
    memory: bool,
    as_json: bool,
) -> None:
    """Time every engine and precision that runs here, interleaved, with its likeness to torch in float32.

    Absolute times depend on what else the machine does; the ratios within one run are what to read.
    """
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.benchmark import compare_engines

    if reference and any(side % 8 for side in sides_px):
        raise click.UsageError("--reference needs sides in multiples of 8, for example --side 512")
    package = resolve(model_ref, Settings.from_env())
    with progress_bar() as advance:
        rows = compare_engines(
            package,
            sides_px or (256, 512),
            repeats=repeats,
            threads=threads,
            reference=reference,
            memory=memory,
            progress=advance,
        )
    if as_json:
        print_json([row.as_dict() for row in rows])
        return
    header = (
        "model",
        "side",
        "engine",
        "precision",
        "median ms",
        "least ms",
        "spread ms",
        "speed",
        "likeness",
        "peak MB",
    )
    cells = [
        (
            row.model,
            row.side_px,
            row.engine,
            row.precision,
            f"{row.median_ms:.1f}",
            f"{row.least_ms:.1f}",
            f"{row.spread_ms:.1f}",
            f"{row.speedup:.2f}x",
            _likeness(row.psnr_db),
            "" if row.peak_mb is None else f"{row.peak_mb:.0f}",
        )
        for row in rows
    ]
    print(table(header, cells))


def _likeness(psnr_db: float | None) -> str:
    if psnr_db is None:
        return ""
    return "same" if psnr_db == float("inf") else f"{psnr_db:.1f} dB"
