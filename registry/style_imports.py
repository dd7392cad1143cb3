"""Styles from an archive into a library."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from registry.archives import StyleArchive, StyleEntry, open_archive
from registry.errors import InvalidArchive
from registry.style_entries import Style, check_entry, content_digest, decode
from stylenet.errors import PictureError
from stylenet.images import Pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What became of the styles of an archive.

    Args:
        added: under these names.
        already_there: the names in the archive of styles whose pictures the library had; they are left as they are.
    """

    added: tuple[str, ...]
    already_there: tuple[str, ...]


def import_styles(path: Path, add: Callable[..., Style], is_there: Callable[[str], bool]) -> Imported:
    """Add the styles of the archive at `path`; see `StyleLibrary.import_archive`.

    Args:
        add: `StyleLibrary.add`.
        is_there: whether the library has a style of that name or id.
    """
    added, already = [], []
    with open_archive(path) as archive:
        for entry in archive.styles:
            texts = {"title": entry.title, "author": entry.author, "licence": entry.licence, "note": entry.note}
            check_entry(entry.name, entry.tags, texts)
        for entry in archive.styles:
            pixels, style_id = _decoded(path, archive, entry)
            if is_there(style_id):
                already.append(entry.name)
                continue
            name = f"{entry.name[:59].rstrip('-')}-{style_id[:4]}" if is_there(entry.name) else entry.name
            about = entry.model_dump(include={"title", "author", "licence", "note", "tags", "builtin"})
            added.append(add(name, pixels, **about).name)
    return Imported(added=tuple(added), already_there=tuple(already))


def _decoded(path: Path, archive: StyleArchive, entry: StyleEntry) -> tuple[list[Pixels], str]:
    """The pixels of a style's pictures, and the id that they give it."""
    try:
        pixels, digests = decode(entry.name, [archive.picture(digest) for digest in entry.pictures])
    except PictureError as error:
        raise InvalidArchive(f"{path}: style {entry.name!r}: {error}") from error
    return pixels, content_digest(digests)[:16]
