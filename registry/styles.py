"""The style library: named styles, each made of one or several pictures, and their codes for whatever network asks."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from registry.archives import write_archive
from registry.blobs import open_blobs
from registry.errors import DuplicateStyle, StoreError, UnknownStyle
from registry.settings import Settings
from registry.style_advice import Advice, Fit, judge_fit
from registry.style_codes import CodeCache, Refreshed, refresh
from registry.style_database import StyleDatabase
from registry.style_entries import Picture, Style, check_entry, content_digest, decode, slug, thumbnail
from registry.style_imports import Imported, import_styles
from registry.style_looks import Look, look_at
from registry.style_rows import as_style, find, matching, new_row, refuse_duplicates, used_blobs
from registry.style_seeds import not_yet_offered
from registry.style_suggestions import LookCache, best
from registry.style_tables import LibraryRow, PictureRow, StyleRow
from runtime.engine import Engine
from stylenet.codes import StyleCode, mix
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture

__all__ = ["Advice", "Fit", "Imported", "Picture", "Refreshed", "Style", "StyleLibrary", "slug"]


class StyleLibrary:
    """The library in one database and one blob store. Safe for several threads, processes and (PostgreSQL) machines."""

    def __init__(self, url: str, blobs: str | os.PathLike[str]) -> None:
        """Open it; make it where there is none; bring one of an older Pentimento up to date.

        Args:
            url: the database, as SQLAlchemy writes it.
            blobs: a folder for originals and thumbnails, or a URL that fsspec knows: s3://bucket/prefix.

        Raises:
            StoreError: the database cannot be opened, or a newer Pentimento made it.
        """
        self.database = StyleDatabase(url)
        self.blobs = open_blobs(blobs)
        self._codes = CodeCache(self.database)
        self._looks = LookCache(self.database, self.pictures)

    @staticmethod
    def from_settings(settings: Settings) -> "StyleLibrary":
        """The library of the settings."""
        return StyleLibrary(settings.styles_url, settings.styles_place)

    def add(
        self,
        name: str,
        pictures: Sequence[Picture],
        *,
        tags: Sequence[str] = (),
        title: str = "",
        author: str = "",
        licence: str = "",
        note: str = "",
        builtin: bool = False,
    ) -> Style:
        """Make a style of one or several pictures.

        Args:
            name: small letters, digits and hyphens, at most 64, unique.
            pictures: 1 to 16 of them: pixels, files' bytes or paths. Their order does not matter to the style, except
                that the first gives the thumbnail.
            tags: words like the name.
            title: for people; the name by default.
            author: who made the pictures.
            licence: under which terms they may be used.
            note: anything else.

        Raises:
            InvalidStyle: a name, tag or text that cannot be used; no pictures, too many, or the same one twice.
            DuplicateStyle: the name is taken, or these very pictures are a style already; it is named.
            PictureError: a picture that cannot be read (from `stylenet`).
            StoreError: the database or the blob store failed.
        """
        texts = {"title": title or name, "author": author, "licence": licence, "note": note}
        check_entry(name, tags, texts)
        decoded, digests = decode(name, pictures)
        content = content_digest(digests)
        originals = [encode_picture(pixels) for pixels in decoded]  # outside the lock: this is the slow part
        small = thumbnail(decoded[0])
        rows = [
            PictureRow(position=place, pixel_digest=digest, width_px=pixels.shape[1], height_px=pixels.shape[0])
            for place, (digest, pixels) in enumerate(zip(digests, decoded, strict=True))
        ]
        row = new_row(name, texts, tags, content=content, builtin=builtin, pictures=rows)
        with self.database.alone():
            with self.database.reading() as session:
                refuse_duplicates(session, name, content)
            self.owns_blobs()  # a new store becomes ours before another library can take it
            self._insert(row, originals, small)
        return self.get(content[:16])

    def list(
        self, query: str | None = None, tag: str | None = None, limit: int | None = 50, after: str | None = None
    ) -> tuple[Style, ...]:
        """Styles by name, a page at a time.

        Args:
            query: only those that hold each of these words in name, title, author, note or tags; accents and capitals
                do not matter.
            tag: only those with this tag.
            limit: at most so many; None for all.
            after: the name that the page before ended with.
        """
        statement = matching(query, tag).order_by(StyleRow.name).limit(limit)
        if after is not None:
            statement = statement.where(StyleRow.name > after)
        with self.database.reading() as session:
            return tuple(as_style(row) for row in session.scalars(statement))

    def count(self, query: str | None = None, tag: str | None = None) -> int:
        """How many styles `list` would give in all."""
        with self.database.reading() as session:
            return session.execute(select(func.count()).select_from(matching(query, tag).subquery())).scalar_one()

    def get(self, id_or_name: str) -> Style:
        """One style.

        Raises:
            UnknownStyle: there is none of that name or id; the message says what there is.
        """
        with self.database.reading() as session:
            return as_style(find(session, id_or_name))

    def thumbnail(self, id_or_name: str) -> bytes:
        """A WebP of the first picture, its longer side at most 256 px.

        Raises:
            UnknownStyle, StoreError: no such style, or its file is missing or altered.
        """
        with self.database.reading() as session:
            digest = find(session, id_or_name).thumbnail
        return self.blobs.get(digest)

    def pictures(self, id_or_name: str) -> tuple[Pixels, ...]:
        """The pictures that the style is made of, uint8 (H, W, 3) each.

        Raises:
            UnknownStyle, StoreError: no such style, or a file is missing or altered.
        """
        with self.database.reading() as session:
            digests = [row.blob for row in find(session, id_or_name).pictures]
        return tuple(read_picture(self.blobs.get(digest)) for digest in digests)

    def code(self, style: str | Style, engine: Engine) -> StyleCode:
        """The style's code for the engine's network: from the cache, or encoded now and kept.

        Several pictures give the mean of their codes.

        Raises:
            UnknownStyle, StoreError: no such style, or a file is missing or altered.
        """
        found = self.get(style.id if isinstance(style, Style) else style)
        code = self._codes.read(found.id, engine)
        if code is None:
            code = mix([engine.encode_style(pixels) for pixels in self.pictures(found.id)])
            self._codes.keep(found.id, engine, code)
        return code

    def refresh_codes(self, engine: Engine, *, should_stop: Callable[[], bool] = lambda: False) -> Refreshed:
        """Make the codes that this engine's package does not have yet, one style after the other.

        For the background, after a promotion: until it is done, `code` makes the one that is asked for. Nothing is lost
        when it is stopped or killed: the next call goes on where it was.

        Args:
            engine: used by nobody else meanwhile, unless it guards itself; only its `encode_style` is called.
            should_stop: asked before every style.
        """
        return refresh(self._codes, engine, lambda style_id: self.code(style_id, engine), should_stop)

    def suggest(
        self, photo_pixels: Pixels, limit: int = 5, *, query: str | None = None, tag: str | None = None
    ) -> tuple[Advice, ...]:
        """The styles that suit a photograph best, the best first, by forms, palette and the sizes of strokes.

        Needs no engine. Each style's pictures are looked at once in its life, when they are first asked about.

        Args:
            photo_pixels: uint8 (H, W, 3).
            limit: how many.
            query, tag: only among these; see `list`.

        Raises:
            WeightsError: the encoder that ships is not in this installation (from `stylenet`).
        """
        found = best(self._looks, photo_pixels, limit, query=query, tag=tag)
        return tuple(Advice(style=self.get(style_id), fit=fit) for style_id, fit in found)

    def fit(self, photo_pixels: Pixels, id_or_name: str) -> Fit:
        """How one style suits a photograph, uint8 (H, W, 3); `poor` where one should warn.

        Raises:
            UnknownStyle, StoreError: no such style, or a file is missing or altered.
            WeightsError: the encoder that ships is not in this installation (from `stylenet`).
        """
        return judge_fit(look_at([photo_pixels]), self.look(id_or_name))

    def look(self, id_or_name: str) -> Look:
        """The few numbers by which one style's fit is judged.

        Raises:
            UnknownStyle, StoreError, WeightsError: see `fit`.
        """
        return self._looks.of(self.get(id_or_name).id)

    def forget_codes(self, *, keep: Iterable[str]) -> int:
        """Drop the cached codes of every package but those of the digests in `keep`. Returns how many went."""
        return self._codes.forget_others(set(keep))

    def remove(self, id_or_name: str) -> Style:
        """Forget a style, its codes, and the files that no other style uses. Returns what it was.

        Raises:
            UnknownStyle: there is none.
        """
        with self.database.alone():
            with self.database.writing() as session:
                row = find(session, id_or_name)
                style, blobs = as_style(row), {row.thumbnail, *(picture.blob for picture in row.pictures)}
                session.delete(row)
            self.drop_unused(blobs)
        return style

    def seed_builtin(
        self, progress: Callable[[str], None] | None = None, *, short_side_px: int = 512
    ) -> tuple[Style, ...]:
        """Add the paintings that come with Pentimento, each once in a library's life: a removed one does not return.

        Args:
            progress: called with each painting's name before it is drawn; each takes a second or two.
            short_side_px: how large to draw them.

        Returns:
            The styles that were added now.
        """
        from samples import painting

        added = []
        for entry in not_yet_offered(self.database):
            if progress is not None:
                progress(entry.name)
            with suppress(DuplicateStyle):  # another process seeds at the same time, or a user was there first
                style = self.add(
                    entry.name,
                    [painting(entry.name, short_side_px=short_side_px)],
                    tags=[slug(entry.movement)],
                    title=entry.title,
                    author="Pentimento",
                    licence="Apache-2.0",
                    builtin=True,
                )
                added.append(style)
        return tuple(added)

    def export_archive(self, path: str | os.PathLike[str], names: Sequence[str] | None = None) -> int:
        """Write styles, with their pictures, into one file; all of them by default. Returns how many.

        Raises:
            UnknownStyle, StoreError: no such style, or a file is missing or altered; nothing is written.
        """
        styles = self.list(limit=None) if names is None else [self.get(name) for name in names]
        return write_archive(Path(path), ((style, self._files(style.id)) for style in styles))

    def import_archive(self, path: str | os.PathLike[str]) -> Imported:
        """Add the styles of an archive. Those whose pictures are here already are left as they are; one whose name is
        taken by other pictures gets a few digits of its id behind it. Interrupted, it can simply be run again.

        Raises:
            InvalidArchive: the file is none, is broken, or holds what no archive of ours does; the entry is named.
            InvalidStyle: a name, tag or text that cannot be used. Both before anything is added.
        """
        return import_styles(Path(path), self.add, self._is_there)

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()

    def _is_there(self, id_or_name: str) -> bool:
        with self.database.reading() as session, suppress(UnknownStyle):
            return bool(find(session, id_or_name))
        return False

    def _files(self, style_id: str) -> Iterator[bytes]:
        with self.database.reading() as session:
            digests = [row.blob for row in find(session, style_id).pictures]
        return (self.blobs.get(digest) for digest in digests)

    def _insert(self, row: StyleRow, originals: Sequence[bytes], small: bytes) -> None:
        """Blobs first, then the row that needs them: a kill in between leaves files that nothing names, and no half
        style. The caller holds the library."""
        blobs: list[str] = []
        name, content = row.name, row.content_digest
        try:
            for picture, original in zip(row.pictures, originals, strict=True):
                picture.blob = self.blobs.put(original)
                blobs.append(picture.blob)
            row.thumbnail = self.blobs.put(small)
            blobs.append(row.thumbnail)
            with self.database.writing() as session:
                session.add(row)
        except (IntegrityError, StoreError) as error:
            with suppress(StoreError):  # the first failure is the one to tell
                self.drop_unused(blobs)
            if isinstance(error, IntegrityError):  # perhaps a writer without our lock was quicker
                with self.database.reading() as session:
                    refuse_duplicates(session, name, content)
                raise StoreError(f"the style {name!r} could not be kept: {error.orig}") from error
            raise

    def owns_blobs(self) -> bool:
        """Whether the blob store is this library's, and so its to delete from. A store of nobody's becomes ours.

        Two libraries that share a store by mistake would else delete each other's originals.
        """
        with self.database.reading() as session:
            ours = session.scalars(select(LibraryRow.id)).one()
        owner = self.blobs.owner()
        if owner is None:
            self.blobs.claim(ours)
        return owner in (None, ours)

    def drop_unused(self, blobs: Iterable[str]) -> None:
        """Delete those that no style needs, where they are ours. The caller holds the library."""
        candidates = list(blobs)
        if not self.owns_blobs():
            return
        with self.database.reading() as session:
            used = used_blobs(session, candidates)
        for digest in set(candidates) - used:
            self.blobs.delete(digest)
