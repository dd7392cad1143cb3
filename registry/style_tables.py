"""The style library's tables, and how its database is opened: SQLite for one machine, PostgreSQL for a team."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import DateTime, Engine, ForeignKey, LargeBinary, String, UniqueConstraint, create_engine, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from registry.errors import StoreError
from registry.locks import exclusive
from registry.store import without_password

SCHEMA_VERSION = 1
_BUSY_TIMEOUT_S = 30


class Base(DeclarativeBase):
    """Every table of the library."""


class SchemaRow(Base):
    """One row: which shape the tables have."""

    __tablename__ = "pentimento_schema"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class StyleRow(Base):
    """One style."""

    __tablename__ = "styles"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    author: Mapped[str] = mapped_column(String(200))
    licence: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(2000))
    builtin: Mapped[bool]
    content_digest: Mapped[str] = mapped_column(String(64), unique=True)
    thumbnail: Mapped[str] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
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


class SeedRow(Base):
    """A built-in style that was offered once. It outlives the style: what was thrown out does not return."""

    __tablename__ = "style_seeds"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)


def open_database(url: str, lock: Path) -> Engine:
    """Open the library's database; make its tables where there are none.

    Args:
        url: as SQLAlchemy writes it.
        lock: held while the tables are made.

    Raises:
        StoreError: it cannot be opened, or a newer Pentimento made it.
    """
    with told_plainly(url):
        engine = create_engine(url, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        with exclusive(lock):
            Base.metadata.create_all(engine)
            with Session(engine) as session, session.begin():
                row = session.scalars(select(SchemaRow)).one_or_none()
                if row is None:
                    session.add(SchemaRow(id=1, version=SCHEMA_VERSION))
                elif row.version != SCHEMA_VERSION:
                    raise StoreError(
                        f"the style library {without_password(url)} has schema version {row.version}; this Pentimento "
                        f"knows {SCHEMA_VERSION}: use the Pentimento that made it, or another PENTIMENTO_STYLES_URL"
                    )
    return engine


@contextmanager
def told_plainly(url: str) -> Iterator[None]:
    """Turn what SQLAlchemy raises into a StoreError of one line that names the database."""
    try:
        yield
    except (SQLAlchemyError, ModuleNotFoundError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        first_line = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise StoreError(
            f"the style library {without_password(url)} did not do as asked: {first_line}; check PENTIMENTO_STYLES_URL"
        ) from error


def _prepare_sqlite(engine: Engine) -> None:
    """Several processes at once: readers beside one writer (WAL), writers wait, foreign keys hold."""
    if engine.url.database not in (None, "", ":memory:"):
        Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection, record) -> None:  # type: ignore[no-untyped-def]
        # sqlite3 begins transactions late and by itself: a reader that turns writer then fails at once instead of
        # waiting. So it begins none, and `_on_begin` does.
        connection.isolation_level = None
        for pragma in (f"busy_timeout={_BUSY_TIMEOUT_S * 1000}", "journal_mode=WAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection) -> None:  # type: ignore[no-untyped-def]
        is_writer = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
