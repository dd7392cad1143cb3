"""Styles as rows: found, searched for, and turned into what callers see."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from registry.errors import DuplicateStyle, UnknownStyle
from registry.style_entries import Style, folded
from registry.style_tables import PictureRow, StyleRow, TagRow


def matching(query: str | None, tag: str | None) -> Select[Any]:
    """The styles that hold every word of `query` (in name, title, author, note or tags) and carry `tag`; unordered."""
    statement = select(StyleRow)
    if tag is not None:
        statement = statement.where(StyleRow.id.in_(select(TagRow.style_id).where(TagRow.tag == tag)))
    for word in folded(query or "").split():
        statement = statement.where(StyleRow.search_text.contains(word, autoescape=True))
    return statement


def find(session: Session, id_or_name: str) -> StyleRow:
    """One row.

    Raises:
        UnknownStyle: there is none; the message says what there is.
    """
    row = session.scalars(select(StyleRow).where(or_(StyleRow.id == id_or_name, StyleRow.name == id_or_name))).first()
    if row is not None:
        return row
    names = list(session.scalars(select(StyleRow.name).order_by(StyleRow.name).limit(13)))
    have = (", ".join(names[:12]) + (" and more" if len(names) > 12 else "")) or "none yet"
    raise UnknownStyle(f"no style {id_or_name!r} in the library (have: {have}); see `pentimento styles list`")


def refuse_duplicates(session: Session, name: str, content: str) -> None:
    """Raise DuplicateStyle where the name is taken, or these pictures are a style already."""
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


def used_blobs(session: Session, among: Sequence[str] | None = None) -> set[str]:
    """The blobs that some style needs: all of them, or those `among` a few."""
    pictures, thumbnails = select(PictureRow.blob), select(StyleRow.thumbnail)
    if among is not None:
        pictures, thumbnails = (
            pictures.where(PictureRow.blob.in_(among)),
            thumbnails.where(StyleRow.thumbnail.in_(among)),
        )
    return {*session.scalars(pictures), *session.scalars(thumbnails)}


def as_style(row: StyleRow) -> Style:
    """The row as callers see it."""
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


def new_row(
    name: str, texts: dict[str, str], tags: Sequence[str], *, content: str, builtin: bool, pictures: list[PictureRow]
) -> StyleRow:
    """A style's row with all that belongs to it; its thumbnail is still to be set.

    Args:
        texts: title, author, licence and note.
        content: the digest of its pictures.
    """
    words = (name, texts["title"], texts["author"], texts["note"], *sorted(set(tags)))
    return StyleRow(
        id=content[:16],
        name=name,
        **texts,
        builtin=builtin,
        content_digest=content,
        created_at=datetime.now(UTC),
        search_text=folded(" ".join(words)),
        tags=[TagRow(tag=tag) for tag in sorted(set(tags))],
        pictures=pictures,
    )
