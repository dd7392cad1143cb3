"""How the style library's database is opened and brought up to date: SQLite for one machine, PostgreSQL for a team."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from registry.errors import StoreError
from registry.locks import exclusive
from registry.store import without_password
from registry.style_migrations import HEAD, REVISIONS

_BUSY_TIMEOUT_S = 30
_LOCK_TIMEOUT_S = 60
_LOCK_KEY = 0x70656E74696D65  # "pentime": advisory locks are numbers, one space per database
_MIGRATIONS = Path(__file__).parent / "style_migrations"
_one_migration = threading.Lock()  # Alembic keeps the migration at work in module globals


class StyleDatabase:
    """An open database whose tables are up to date. Safe for several threads, processes and machines.

    Args:
        url: as SQLAlchemy writes it: sqlite:///... or postgresql+psycopg://...

    Raises:
        StoreError: it cannot be opened, or a newer Pentimento made it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with self.told_plainly():
            self._dialect = make_url(url).get_backend_name()
            if self._dialect not in ("sqlite", "postgresql"):
                raise StoreError(
                    f"the style library is kept in SQLite or PostgreSQL, not in {self._dialect}; "
                    "set PENTIMENTO_STYLES_URL to sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
                )
            self._engine = create_engine(url, pool_pre_ping=True)
            if self._dialect == "sqlite":
                _prepare_sqlite(self._engine)
            self._writer = self._engine.execution_options(writes=True)
            self._bring_up_to_date()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with self.told_plainly(), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are all kept at the end of the block, or none.

        Raises:
            IntegrityError: another was quicker with the same key; what to make of it, the caller knows.
            StoreError: the database failed.
        """
        with self.told_plainly(), Session(self._writer) as session, session.begin():
            yield session

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the library: rows and blobs cannot change in one transaction, so whoever changes both holds this.

        The kernel, or the PostgreSQL server, gives it back when a holder dies.

        Raises:
            StoreError: another held it for a minute.
        """
        with self.told_plainly(), self._lock():
            yield

    @contextmanager
    def told_plainly(self) -> Iterator[None]:
        """Turn what SQLAlchemy raises into a StoreError of one line that names the database; not IntegrityError."""
        try:
            yield
        except IntegrityError:
            raise
        except (SQLAlchemyError, ModuleNotFoundError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            first_line = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
            place = without_password(self.url)
            raise StoreError(
                f"the style library {place} did not do as asked: {first_line}; check PENTIMENTO_STYLES_URL"
            ) from error

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def _lock(self) -> AbstractContextManager[None]:
        if self._dialect == "postgresql":
            return self._advisory_lock()
        database = self._engine.url.database
        return nullcontext() if database in (None, "", ":memory:") else exclusive(Path(f"{database}.lock"))

    @contextmanager
    def _advisory_lock(self) -> Iterator[None]:
        """PostgreSQL's: it holds between machines, and ends with the connection."""
        with self._engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            yield

    def _bring_up_to_date(self) -> None:
        if self._revision() == HEAD:
            return
        with _one_migration, self._lock(), self._writer.begin() as connection:
            _migrate(connection, self._known(_revision_of(connection)))

    def _revision(self) -> str | None:
        with self._engine.connect() as connection:
            return self._known(_revision_of(connection))

    def _known(self, revision: str | None) -> str | None:
        if revision is None or revision in REVISIONS:
            return revision
        place = without_password(self.url)
        raise StoreError(
            f"the style library {place} has schema {revision}; this Pentimento knows up to {HEAD}: "
            "use the Pentimento that made it, or another PENTIMENTO_STYLES_URL"
        )


def _revision_of(connection: Connection) -> str | None:
    """The revision that the tables have; None where there are none. Pentimento 0.1 counted by itself: its 1 is 0001."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if found is not None:
            return str(found)
    if "pentimento_schema" not in tables:
        return None
    version = connection.execute(text("SELECT version FROM pentimento_schema")).scalar_one_or_none()
    # 0.1 made its tables and that row apart: killed in between, the tables were there, all of them or some, and empty.
    return None if version is None else f"{version:04}"


def _migrate(connection: Connection, revision: str | None) -> None:
    """Take every step that is missing, in the connection's own transaction."""
    from alembic import command
    from alembic.config import Config

    if revision == HEAD:  # another process was quicker
        return
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if revision is not None and "alembic_version" not in inspect(connection).get_table_names():
        command.stamp(config, revision)  # adopted from 0.1
    if revision is None:
        _drop_empty_tables(connection)
    command.upgrade(config, "head")


def _drop_empty_tables(connection: Connection) -> None:
    """Clear what a killed Pentimento 0.1 had begun to create: never a table with a row in it."""
    names = ("style_codes", "style_tags", "style_pictures", "style_seeds", "styles", "pentimento_schema")
    there = set(inspect(connection).get_table_names())
    for name in (name for name in names if name in there):
        if connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one():
            raise StoreError(f"the table {name} holds rows, but nothing says of which schema; restore a backup")
        connection.execute(text(f"DROP TABLE {name}"))


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
