"""`pentimento video`: a film in, a painted film out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import dial_options, engine_option, examples, json_option, model_option, print_json, progress_bar, say

if TYPE_CHECKING:
    from video.film import Painted


@click.command(
    epilog=examples(
        "pentimento video holiday.mp4 painted.mp4 --style night-swirls",
        "pentimento video holiday.mp4 painted.mp4 --style night-swirls@0 --style great-wave@12.5 --json",
    )
)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--style", "styles", multiple=True, metavar="STYLE[@SECONDS]", help="Picture or library name; repeatable."
)
@click.option("--styles", "keys_file", type=click.Path(path_type=Path), help="The same as CSV: seconds,style.")
@click.option("--quality", type=click.IntRange(0, 51), default=18, show_default=True, help="x264's CRF; 0 is lossless.")
@model_option
@engine_option
@dial_options
@json_option
def video(
    source: Path,
    target: Path,
    styles: tuple[str, ...],
    keys_file: Path | None,
    quality: int,
    model_ref: str,
    engine: str,
    as_json: bool,
    **dial_values: float,
) -> None:
    """Paint the film IN as OUT (.mp4, .mov, .mkv) without flicker: strokes move with what they are painted on.

    Sound, timing, colours and orientation stay as they are. Several styles with times turn into one another. An
    interrupted run goes on where it was when it is started again; unfinished work lies in OUT.parts.
    """
    from cli.stylize import style_code
    from registry.references import resolve
    from registry.settings import Settings
    from runtime.loading import load_engine
    from stylenet.dials import Dials
    from video.encoding import check_target
    from video.film import paint_film
    from video.style_keys import StyleTrack, parse_keys, read_keys

    if bool(styles) == bool(keys_file):
        raise click.UsageError("give one of --style and --styles")
    keys = read_keys(keys_file) if keys_file else parse_keys(styles)
    dials = Dials(**dial_values)  # type: ignore[arg-type]  # click's names are the dials' names; keep_color is a bool
    check_target(target)
    settings = Settings.from_env()
    painter = load_engine(resolve(model_ref, settings), engine)  # type: ignore[arg-type]  # click checked the choice
    track = StyleTrack(keys, lambda name: style_code(name, painter, settings))
    started = time.monotonic()
    with progress_bar() as advance:

        def show(done: int, total: int, cuts: int) -> None:
            left = (time.monotonic() - started) / done * max(0, total - done)
            shots = f"{cuts + 1} shot{'s' if cuts else ''}"
            advance(done, max(done, total), f"frame {done} of {total or '?'}, {shots}, about {left:.0f} s left")

        painted = paint_film(source, target, painter, track, dials, quality=quality, progress=show)
    _warn(painted)
    if as_json:
        print_json(
            {
                "written": str(painted.target),
                "frames": painted.frames,
                "resumed": painted.resumed,
                "shots": painted.shots,
                "lost": painted.damage.lost,
                "patched": painted.damage.patched,
                "cut_short": painted.damage.cut_short,
                "per_frame_ms": painted.per_frame_ms,
                "digest": painter.package.digest,
                "engine": painter.name,
                "precision": painter.precision,
                "dials": dials.as_dict(),
            }
        )
        return
    print(painted.target)
    costs = ", ".join(f"{step} {ms:g}" for step, ms in painted.per_frame_ms.items())
    say(f"{painted.frames} frames, {painted.shots} shots; a frame took {costs} ms")


def _warn(painted: "Painted") -> None:
    damage = painted.damage
    if damage.lost or damage.patched:
        say(f"warning: {damage.lost} frames could not be read and were left out, {damage.patched} were patched up")
    if damage.cut_short:
        say("warning: the film ends in the middle of a frame; everything before it is painted")
