"""`pentimento styles`: the style library."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import examples, json_option, print_json, say, table

if TYPE_CHECKING:
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


@styles.command("list", epilog=examples("pentimento styles list", "pentimento styles list --tag impressionism --json"))
@click.option("--tag", help="Only those with this tag.")
@json_option
def list_styles(tag: str | None, as_json: bool) -> None:
    """List the library; the built-in paintings are drawn into it on first use."""
    with _library() as library:
        found = library.list(tag=tag, limit=None)
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
