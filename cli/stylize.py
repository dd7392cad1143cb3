"""`pentimento stylize`: photographs in, paintings out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import dial_options, engine_option, examples, json_option, model_option, print_json, progress_bar
from cli.outcome import COULD_NOT_RUN, Stop
from cli.style_fit import style_look, warn_of_poor_fit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from registry.settings import Settings
    from runtime.engine import Engine
    from stylenet.codes import StyleCode


@click.command(
    epilog=examples(
        "pentimento stylize photo.jpg --style night-swirls -o painting.png",
        "pentimento stylize *.jpg --style monet.jpg --strength 0.8 -o paintings/",
    )
)
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--style", required=True, metavar="PICTURE_OR_NAME", help="A picture, or the name of a library style.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="A file, or a folder for several.")
@click.option("--mask", type=click.Path(path_type=Path), help="A grey picture: paint where it is white.")
@model_option
@engine_option
@dial_options
@json_option
def stylize(
    photos: tuple[Path, ...],
    style: str,
    out: Path,
    mask: Path | None,
    model_ref: str,
    engine: str,
    as_json: bool,
    **dial_values: float,
) -> None:
    """Paint PHOTO... in a style, each at exactly its own size.

    A style that would cost the photograph much is warned of, with the reason, on stderr.
    The output format follows the suffix of OUT: .png, .jpg or .webp; in a folder, each keeps its name as .png.
    """
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.loading import load_engine
    from stylenet.dials import Dials
    from stylenet.errors import PictureError
    from stylenet.pictures import read_picture, write_picture

    dials = Dials(**dial_values)  # type: ignore[arg-type]  # click's names are the dials' names; keep_color is a bool
    targets = output_paths(photos, out)
    settings = Settings.from_env()
    painter = load_engine(resolve(model_ref, settings), engine)  # type: ignore[arg-type]  # click checked the choice
    code = style_code(style, painter, settings)
    share = read_mask(mask) if mask else None
    look = style_look(style, settings)
    failed, done = [], []
    with progress_bar() as advance:
        for number, (photo, target) in enumerate(zip(photos, targets, strict=True)):
            advance(number, len(photos), photo.name)
            try:
                pixels = read_picture(photo)
                if look is not None:
                    warn_of_poor_fit(str(photo), pixels, style, look)
                write_picture(painter.stylize(pixels, code, dials, mask=share), target)
            except PictureError as error:
                failed.append(str(error))
                continue
            done.append(target)
    if as_json:
        print_json(
            {
                "written": [str(path) for path in done],
                "failed": failed,
                "digest": painter.package.digest,
                "engine": painter.name,
                "precision": painter.precision,
                "dials": dials.as_dict(),
            }
        )
    else:
        for path in done:
            print(path)
    for reason in failed:
        click.echo(f"error: {reason}", err=True)
    if failed:
        raise Stop(COULD_NOT_RUN)


def output_paths(photos: tuple[Path, ...], out: Path) -> list[Path]:
    """Where each painting goes.

    Raises:
        click.UsageError: one file for several photographs, or two photographs that would share a name.
    """
    is_folder = out.is_dir() or out.suffix == ""
    if not is_folder:
        if len(photos) > 1:
            raise click.UsageError(f"{len(photos)} photographs do not fit into one file; give a folder: -o paintings/")
        return [out]
    targets = [out / f"{photo.stem}.png" for photo in photos]
    twice = sorted({target.name for target in targets if targets.count(target) > 1})
    if twice:
        raise click.UsageError(f"several photographs would become {twice[0]}; paint them into separate folders")
    return targets


def style_code(style: str, painter: "Engine", settings: "Settings") -> "StyleCode":
    """The code of a picture file, of a library style, or of a built-in painting that the library does not hold (yet).

    Raises:
        click.UsageError: none of the three.
    """
    from registry.errors import UnknownStyle
    from registry.styles import StyleLibrary
    from samples import PAINTINGS, painting
    from stylenet.pictures import SUFFIXES, read_picture

    if Path(style).suffix.lower() in SUFFIXES or Path(style).is_file():
        return painter.encode_style(read_picture(style))
    library = StyleLibrary.from_settings(settings)
    try:
        return library.code(style, painter)
    except UnknownStyle as error:
        builtin = [entry.name for entry in PAINTINGS]
        if style in builtin:
            return painter.encode_style(painting(style))
        names = sorted({*builtin, *(entry.name for entry in library.list())})
        raise click.UsageError(f"no style {style!r}: give a picture file, or one of {', '.join(names)}") from error
    finally:
        library.close()


def read_mask(path: Path) -> "NDArray[np.float32]":
    """A grey picture as float32 (H, W), 0..1."""
    import numpy as np

    from stylenet.pictures import read_picture

    return read_picture(path).mean(axis=2).astype(np.float32) / np.float32(255)
