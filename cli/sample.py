"""`pentimento sample`: the embedded photographs and paintings as a data folder."""

from pathlib import Path

import click

from cli.options import examples


@click.command(epilog=examples("pentimento sample build/sample", "pentimento sample build/small --short-side 256"))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--short-side", "short_side_px", type=click.IntRange(16, 4096), default=512, show_default=True)
def sample(folder: Path, short_side_px: int) -> None:
    """Write the embedded sample into FOLDER: photographs/ and paintings/<Movement>/, as every command takes them."""
    from samples import write_sample

    write_sample(folder, short_side_px=short_side_px)
    for path in sorted(folder.rglob("*.png")):
        print(path)
