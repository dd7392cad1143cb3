"""The style library's tables, as the last step in `style_migrations` leaves them."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Every table of the library."""


class SchemaRow(Base):
    """One row, for a Pentimento 0.1 that meets a newer library; ours is Alembic's own table."""

    __tablename__ = "pentimento_schema"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class LibraryRow(Base):
    """One row: the library's own id, by which a blob store knows whose it is."""

    __tablename__ = "style_library"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)


class StyleRow(Base):
    """One style."""

    __tablename__ = "styles"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64).with_variant(String(64, collation="C"), "postgresql"), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(200))
    licence: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(2000))
    builtin: Mapped[bool]
    content_digest: Mapped[str] = mapped_column(String(64), unique=True)
    thumbnail: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    search_text: Mapped[str] = mapped_column(Text, server_default="")
    pictures: Mapped[list["PictureRow"]] = relationship(
        order_by="PictureRow.position", cascade="all, delete-orphan", lazy="selectin", passive_deletes=True
    )
    tags: Mapped[list["TagRow"]] = relationship(
        order_by="TagRow.tag", cascade="all, delete-orphan", lazy="selectin", passive_deletes=True
    )


class PictureRow(Base):
    """One picture of a style; its PNG lies among the blobs."""

    __tablename__ = "style_pictures"
    style_id: Mapped[str] = mapped_column(ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    blob: Mapped[str] = mapped_column(String(64), index=True)
    pixel_digest: Mapped[str] = mapped_column(String(64))
    width_px: Mapped[int]
    height_px: Mapped[int]
    __table_args__ = (UniqueConstraint("style_id", "pixel_digest"),)


class TagRow(Base):
    """One tag of a style."""

    __tablename__ = "style_tags"
    style_id: Mapped[str] = mapped_column(ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class CodeRow(Base):
    """A style's code in the coordinates of one package, as one engine computes it. A cache: it can be made again."""

    __tablename__ = "style_codes"
    style_id: Mapped[str] = mapped_column(ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True)
    package_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(64), primary_key=True)
    code: Mapped[bytes] = mapped_column(LargeBinary)


class LookRow(Base):
    """What the advice knows of a style's pictures. A cache, like a code, but it asks no network."""

    __tablename__ = "style_looks"
    style_id: Mapped[str] = mapped_column(ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    look: Mapped[bytes] = mapped_column(LargeBinary)


class SeedRow(Base):
    """A built-in style that was offered once. It outlives the style: what was thrown out does not return."""

    __tablename__ = "style_seeds"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
