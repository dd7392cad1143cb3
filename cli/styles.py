"""`pentimento styles`: the style library."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import examples, json_option, print_json, say, table

if TYPE_CHECKING:
    from registry.style_advice import Advice
    from registry.style_entries import Style
    from registry.styles import StyleLibrary


@click.group(
    epilog=examples(
        "pentimento styles list",
        'pentimento styles add evening monet1.jpg monet2.jpg --author "Claude Monet" --tag impressionism',
    )
)
def styles() -> None:
    """Keep styles by name: each is made of one or several pictures."""


@styles.command("add", epilog=examples("pentimento styles add dusk monet.jpg", "pentimento styles add duo a.png b.png"))
@click.argument("name")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--title", default="", help="For people; the name by default.")
@click.option("--author", default="", help="Who made the pictures.")
@click.option("--licence", default="", help="Under which terms they may be used.")
@click.option("--note", default="", help="Anything else.")
@click.option("--tag", "tags", multiple=True, help="May be given more than once.")
@json_option
def add(
    name: str,
    pictures: tuple[Path, ...],
    title: str,
    author: str,
    licence: str,
    note: str,
    tags: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add the style NAME, made of PICTURE..."""
    with _library() as library:
        style = library.add(name, list(pictures), tags=tags, title=title, author=author, licence=licence, note=note)
    if as_json:
        print_json(_as_dict(style))
    else:
        print(f"added {style.name} ({style.id})")


@styles.command("list", epilog=examples("pentimento styles list", "pentimento styles list --search wave --json"))
@click.option("--tag", help="Only those with this tag.")
@click.option("--search", metavar="WORDS", help="Only those that hold each word in name, title, author, note or tags.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; all by default.")
@click.option("--after", metavar="NAME", help="Only those behind this name: the next page.")
@json_option
def list_styles(tag: str | None, search: str | None, limit: int | None, after: str | None, as_json: bool) -> None:
    """List the library by name; the built-in paintings are drawn into it on first use."""
    with _library() as library:
        found = library.list(search, tag, limit, after)
    if as_json:
        print_json([_as_dict(style) for style in found])
        return
    rows = [(style.name, style.title, ", ".join(style.tags), len(style.pictures), style.author) for style in found]
    print(table(("name", "title", "tags", "pictures", "author"), rows) if rows else "no styles")


@styles.command(
    "show", epilog=examples("pentimento styles show great-wave", "pentimento styles show great-wave --json")
)
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Say all about the style NAME (or id)."""
    with _library() as library:
        style = library.get(name)
    if as_json:
        print_json(_as_dict(style))
        return
    for key, value in _as_dict(style).items():
        print(f"{key + ':':12} {value}")


@styles.command("remove", epilog=examples("pentimento styles remove dusk", "pentimento styles remove dusk --json"))
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Forget the style NAME (or id), its codes and its files."""
    with _library() as library:
        style = library.remove(name)
    if as_json:
        print_json(_as_dict(style))
    else:
        print(f"removed {style.name} ({style.id})")


@styles.command(
    "suggest",
    epilog=examples("pentimento styles suggest photo.jpg", "pentimento styles suggest photo.jpg --limit 3 --json"),
)
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="How many to name.")
@click.option("--tag", help="Only among those with this tag.")
@json_option
def suggest(photo: Path, limit: int, tag: str | None, as_json: bool) -> None:
    """Name the styles that suit PHOTO best.

    FIT is the share of random pairs of photograph and painting that would lose more of the photograph. The other
    columns say how far apart the two pictures are in what they show, in palette and in the sizes of strokes and
    details: 0 is usual, 1 is one standard deviation farther.
    """
    from stylenet.pictures import read_picture

    pixels = read_picture(photo)
    with _library() as library:
        found = library.suggest(pixels, limit, tag=tag)
    if as_json:
        print_json([_advice_as_dict(advice) for advice in found])
        return
    rows = [
        (
            advice.style.name,
            f"{advice.fit.fit:.2f}",
            *(f"{getattr(advice.fit, term):+.1f}" for term in ("semantics", "palette", "texture")),
            "; ".join(advice.fit.reasons),
        )
        for advice in found
    ]
    print(table(("name", "fit", "semantics", "palette", "texture", "what fights"), rows) if rows else "no styles")


@styles.command(
    "export", epilog=examples("pentimento styles export styles.zip", "pentimento styles export two.zip dusk duo")
)
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1)
@json_option
def export(out: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Write styles with their pictures into one file, OUT: NAME... or all."""
    with _library() as library:
        count = library.export_archive(out, names or None)
    if as_json:
        print_json({"written": str(out), "styles": count})
    else:
        print(f"wrote {count} styles to {out}")


@styles.command(
    "import",
    epilog=examples("pentimento styles import styles.zip", "pentimento styles import styles.zip --json"),
)
@click.argument("archive", type=click.Path(path_type=Path))
@json_option
def import_styles(archive: Path, as_json: bool) -> None:
    """Add the styles of ARCHIVE; nothing comes in twice.

    ARCHIVE is a file that `pentimento styles export` wrote. Any other entry in it, a path that leads outside or a
    picture that was altered refuses the whole file.
    """
    with _library() as library:
        done = library.import_archive(archive)
    if as_json:
        print_json({"added": list(done.added), "already_there": list(done.already_there)})
        return
    for name in done.added:
        print(f"added {name}")
    if done.already_there:
        say(f"{len(done.already_there)} were there already: {', '.join(done.already_there)}")


@contextmanager
def _library() -> Iterator["StyleLibrary"]:
    """The environment's library, seeded once, closed at the end."""
    from registry.settings import Settings
    from registry.styles import StyleLibrary

    library = StyleLibrary.from_settings(Settings.from_env())
    try:
        library.seed_builtin(progress=lambda name: say(f"drawing {name}"))
        yield library
    finally:
        library.close()


def _advice_as_dict(advice: "Advice") -> dict[str, Any]:
    return {
        "name": advice.style.name,
        "id": advice.style.id,
        "fit": advice.fit.fit,
        "forecast_content_loss": advice.fit.loss,
        "semantics": advice.fit.semantics,
        "palette": advice.fit.palette,
        "texture": advice.fit.texture,
        "poor": advice.fit.poor,
        "reasons": list(advice.fit.reasons),
    }


def _as_dict(style: "Style") -> dict[str, Any]:
    return {
        "id": style.id,
        "name": style.name,
        "title": style.title,
        "tags": list(style.tags),
        "author": style.author,
        "licence": style.licence,
        "note": style.note,
        "builtin": style.builtin,
        "pictures": [f"{width}x{height}" for width, height in style.pictures],
        "created_at": style.created_at.isoformat(),
    }
