"""What a killed process may have left in the style library, each with what cleans it up. `pentimento doctor` shows it.

A style is one transaction, so there is never half of one. Files are written before the row that needs them and deleted
after it: a kill in between leaves files that no style names.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from registry.leftovers import Leftover
from registry.settings import Settings
from registry.style_entries import thumbnail
from registry.style_rows import find, used_blobs
from registry.style_tables import StyleRow
from registry.styles import StyleLibrary
from stylenet.pictures import read_picture


def leftovers(settings: Settings) -> list[Leftover]:
    """Every file without a style, half-written file and missing thumbnail of the settings' library.

    Raises:
        StoreError: the database or the blob store cannot be asked.
    """
    if _is_absent(settings.styles_url):
        return []  # opening would make it, and whatever lies in the blob folder is not that new library's to delete
    library = StyleLibrary.from_settings(settings)
    try:
        return find_leftovers(library, settings)
    finally:
        library.close()


def find_leftovers(library: StyleLibrary, settings: Settings) -> list[Leftover]:
    """See `leftovers`, for an open library."""
    with library.database.alone():  # whoever writes holds it too, so nothing that is found is being written
        if not library.owns_blobs():
            return [_not_ours(library)]
        with library.database.reading() as session:
            used = used_blobs(session)
            thumbnails = dict(session.execute(select(StyleRow.thumbnail, StyleRow.name)).tuples().all())
        there = library.blobs.digests()
        unfinished = sorted(library.blobs.unfinished())
    return [
        *(_half_written(settings, library.blobs.place, name) for name in unfinished),
        *(_orphan(settings, library.blobs.place, digest) for digest in sorted(there - used)),
        *(_no_thumbnail(settings, thumbnails[digest]) for digest in sorted(thumbnails.keys() - there)),
    ]


def _is_absent(url: str) -> bool:
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and not (parsed.database and Path(parsed.database).is_file())


def _half_written(settings: Settings, place: str, name: str) -> Leftover:
    return Leftover(
        kind="style file",
        name=f"{place}/{name}",
        cure="remove the half-written file",
        clean=partial(_with_library, settings, lambda library: library.blobs.discard(name)),
    )


def _orphan(settings: Settings, place: str, digest: str) -> Leftover:
    return Leftover(
        kind="style file",
        name=f"{place}/{digest[:2]}/{digest}",
        cure="remove the file: no style uses it",
        # Asked again then: a style that needs this very picture may have been added since.
        clean=partial(_with_library, settings, lambda library: library.drop_unused([digest])),
    )


def _no_thumbnail(settings: Settings, style: str) -> Leftover:
    return Leftover(
        kind="style thumbnail",
        name=style,
        cure="make it again from the style's first picture",
        clean=partial(_with_library, settings, lambda library: _remake_thumbnail(library, style)),
    )


def _not_ours(library: StyleLibrary) -> Leftover:
    place = library.blobs.place
    return Leftover(
        kind="style files",
        name=place,
        cure=f"nothing by itself: they are another library's. If that one is gone for good, remove {place}/library-id",
        clean=lambda: None,
    )


def _with_library(settings: Settings, act: Callable[[StyleLibrary], object]) -> None:
    library = StyleLibrary.from_settings(settings)
    try:
        with library.database.alone():
            act(library)
    finally:
        library.close()


def _remake_thumbnail(library: StyleLibrary, style: str) -> None:
    with library.database.reading() as session:
        row = find(session, style)
        style_id, first = row.id, row.pictures[0].blob
    digest = library.blobs.put(thumbnail(read_picture(library.blobs.get(first))))
    with library.database.writing() as session:  # another version of Pillow may write other bytes
        session.get_one(StyleRow, style_id).thumbnail = digest
