"""The style library: named styles, each made of one or several pictures, and their codes for whatever network asks."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.blobs import BlobFolder
from registry.errors import DuplicateStyle, UnknownStyle
from registry.locks import exclusive
from registry.settings import Settings
from registry.style_entries import Picture, Style, check_entry, content_digest, decode, slug, thumbnail
from registry.style_tables import CodeRow, PictureRow, SeedRow, StyleRow, TagRow, open_database, told_plainly
from runtime.engine import Engine
from stylenet.codes import StyleCode, mix
from stylenet.errors import CodeError
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture

__all__ = ["Picture", "Style", "StyleLibrary", "slug"]


class StyleLibrary:
    """The library in one database and one blob folder. Safe for several processes at once."""

    def __init__(self, url: str, blob_folder: str | os.PathLike[str]) -> None:
        """Open it; make it where there is none.

        Raises:
            StoreError: the database cannot be opened, or a newer Pentimento made it.
        """
        self.url = url
        self._blobs = BlobFolder(Path(blob_folder))
        # Blobs and rows cannot change in one transaction; whoever changes both holds this lock.
        self._lock = Path(blob_folder) / "library.lock"
        self._engine = open_database(url, self._lock)
        self._writer = self._engine.execution_options(writes=True)

    @staticmethod
    def from_settings(settings: Settings) -> "StyleLibrary":
        """The library of the settings."""
        return StyleLibrary(settings.styles_url, settings.styles_folder)

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
            StoreError: the database failed.
        """
        texts = {"title": title or name, "author": author, "licence": licence, "note": note}
        check_entry(name, tags, texts)
        decoded, digests = decode(name, pictures)
        content = content_digest(digests)
        originals = [encode_picture(pixels) for pixels in decoded]  # outside the lock: this is the slow part
        small = thumbnail(decoded[0])
        with told_plainly(self.url), exclusive(self._lock):
            with Session(self._engine) as session:
                _refuse_duplicates(session, name, content)
            row = StyleRow(
                id=content[:16],
                name=name,
                **texts,
                builtin=builtin,
                content_digest=content,
                thumbnail=self._blobs.put(small),
                created_at=datetime.now(UTC),
                tags=[TagRow(tag=tag) for tag in sorted(set(tags))],
                pictures=[
                    PictureRow(
                        position=position,
                        blob=self._blobs.put(original),
                        pixel_digest=digest,
                        width_px=pixels.shape[1],
                        height_px=pixels.shape[0],
                    )
                    for position, (original, digest, pixels) in enumerate(zip(originals, digests, decoded, strict=True))
                ],
            )
            try:
                with Session(self._writer) as session, session.begin():
                    session.add(row)
            except IntegrityError:  # another machine was quicker, past our lock; its row says what to report
                with Session(self._engine) as session:
                    _refuse_duplicates(session, name, content)
                raise
        return self.get(content[:16])

    def list(self, *, tag: str | None = None) -> tuple[Style, ...]:
        """Every style by name, or those with a tag."""
        query = select(StyleRow).order_by(StyleRow.name)
        if tag is not None:
            query = query.join(TagRow).where(TagRow.tag == tag)
        with told_plainly(self.url), Session(self._engine) as session:
            return tuple(_style(row) for row in session.scalars(query))

    def get(self, id_or_name: str) -> Style:
        """One style.

        Raises:
            UnknownStyle: there is none of that name or id; the message says what there is.
        """
        with told_plainly(self.url), Session(self._engine) as session:
            return _style(_find(session, id_or_name))

    def thumbnail(self, id_or_name: str) -> bytes:
        """A WebP of the first picture, its longer side at most 256 px.

        Raises:
            UnknownStyle, StoreError: no such style, or its file is missing or altered.
        """
        with told_plainly(self.url), Session(self._engine) as session:
            return self._blobs.get(_find(session, id_or_name).thumbnail)

    def pictures(self, id_or_name: str) -> tuple[Pixels, ...]:
        """The pictures that the style is made of, uint8 (H, W, 3) each.

        Raises:
            UnknownStyle, StoreError: no such style, or a file is missing or altered.
        """
        with told_plainly(self.url), Session(self._engine) as session:
            return tuple(read_picture(self._blobs.get(row.blob)) for row in _find(session, id_or_name).pictures)

    def code(self, style: str | Style, engine: Engine) -> StyleCode:
        """The style's code for the engine's network: from the cache, or encoded now and kept.

        Several pictures give the mean of their codes. The cache is kept by package digest and engine, for two engines
        differ in the last bits, and a code must not depend on which of them came first.

        Raises:
            UnknownStyle, StoreError: no such style, or a file is missing or altered.
        """
        found = self.get(style.id if isinstance(style, Style) else style)
        key = (found.id, engine.package.digest, f"{engine.name}-{engine.precision}")
        with told_plainly(self.url), Session(self._engine) as session:
            row = session.get(CodeRow, key)
            blob = row.code if row else None
        if blob is not None:
            try:
                return StyleCode.from_bytes(blob)
            except CodeError:
                pass  # a damaged cache is made again
        code = mix([engine.encode_style(pixels) for pixels in self.pictures(found.id)])
        self._keep_code(key, code)
        return code

    def remove(self, id_or_name: str) -> Style:
        """Forget a style, its codes, and the files that no other style uses. Returns what it was.

        Raises:
            UnknownStyle: there is none.
        """
        with told_plainly(self.url), exclusive(self._lock):
            with Session(self._writer) as session, session.begin():
                row = _find(session, id_or_name)
                style, blobs = _style(row), {row.thumbnail, *(picture.blob for picture in row.pictures)}
                session.delete(row)
            with Session(self._engine) as session:
                used = set(session.scalars(select(PictureRow.blob).where(PictureRow.blob.in_(blobs))))
                used |= set(session.scalars(select(StyleRow.thumbnail).where(StyleRow.thumbnail.in_(blobs))))
            for digest in blobs - used:
                self._blobs.delete(digest)
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
        from samples import PAINTINGS, painting

        with told_plainly(self.url), Session(self._engine) as session:
            offered = set(session.scalars(select(SeedRow.name)))
        added = []
        for entry in PAINTINGS:
            if entry.name in offered:
                continue
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
            self._remember_seed(entry.name)
        return tuple(added)

    def _remember_seed(self, name: str) -> None:
        with told_plainly(self.url), suppress(IntegrityError), Session(self._writer) as session, session.begin():
            session.add(SeedRow(name=name))

    def _keep_code(self, key: tuple[str, str, str], code: StyleCode) -> None:
        style_id, package_digest, engine = key
        row = CodeRow(style_id=style_id, package_digest=package_digest, engine=engine, code=code.to_bytes())
        # Refused where the style was removed meanwhile, or another process kept the same code first: both are fine.
        with told_plainly(self.url), suppress(IntegrityError), Session(self._writer) as session, session.begin():
            session.merge(row)

    def close(self) -> None:
        """Close the database's connections."""
        self._engine.dispose()


def _refuse_duplicates(session: Session, name: str, content: str) -> None:
    clash = session.scalars(
        select(StyleRow).where(or_(StyleRow.name == name, StyleRow.content_digest == content))
    ).first()
    if clash is None:
        return
    if clash.content_digest == content:
        raise DuplicateStyle(f"these pictures are the style {clash.name!r} ({clash.id}) already; use that one")
    raise DuplicateStyle(
        f"the name {name!r} is taken by another style ({clash.id}); choose another, or remove that one"
    )


def _find(session: Session, id_or_name: str) -> StyleRow:
    row = session.scalars(select(StyleRow).where(or_(StyleRow.id == id_or_name, StyleRow.name == id_or_name))).first()
    if row is not None:
        return row
    names = list(session.scalars(select(StyleRow.name).order_by(StyleRow.name).limit(13)))
    have = (", ".join(names[:12]) + (" and more" if len(names) > 12 else "")) or "none yet"
    raise UnknownStyle(f"no style {id_or_name!r} in the library (have: {have}); see `pentimento styles list`")


def _style(row: StyleRow) -> Style:
    return Style(
        id=row.id,
        name=row.name,
        title=row.title,
        tags=tuple(tag.tag for tag in row.tags),
        author=row.author,
        licence=row.licence,
        note=row.note,
        builtin=row.builtin,
        pictures=tuple((picture.width_px, picture.height_px) for picture in row.pictures),
        # SQLite keeps no time zone; what it holds is UTC, for `add` wrote it so.
        created_at=row.created_at if row.created_at.tzinfo else row.created_at.replace(tzinfo=UTC),
    )
