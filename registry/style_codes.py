"""Codes of styles, kept per package digest and engine: two engines differ in the last bits, and a code must not depend
on which of them came first."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.errors import RegistryError, UnknownStyle
from registry.style_database import StyleDatabase
from registry.style_tables import CodeRow, StyleRow
from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.errors import CodeError, StylenetError

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshed:
    """What became of `StyleLibrary.refresh_codes`.

    Args:
        made: names of the styles whose code was made now.
        failed: names of those that could not be encoded, for example because a picture is missing; the log says why.
        finished: whether every style was tried; False where it was told to stop.
    """

    made: tuple[str, ...]
    failed: tuple[str, ...]
    finished: bool


class CodeCache:
    """The codes in the library's database."""

    def __init__(self, database: StyleDatabase) -> None:
        self._database = database

    def read(self, style_id: str, engine: Engine) -> StyleCode | None:
        """The kept code; None where there is none, or it is damaged and must be made again."""
        with self._database.reading() as session:
            row = session.get(CodeRow, (style_id, engine.package.digest, label(engine)))
            blob = row.code if row else None
        with suppress(CodeError):
            return None if blob is None else StyleCode.from_bytes(blob)
        return None

    def keep(self, style_id: str, engine: Engine, code: StyleCode) -> None:
        """Keep a code."""
        row = CodeRow(
            style_id=style_id, package_digest=engine.package.digest, engine=label(engine), code=code.to_bytes()
        )
        # Refused where the style was removed meanwhile, or another process kept the same code first: both are fine.
        with suppress(IntegrityError), self._database.writing() as session:
            session.merge(row)

    def missing(self, engine: Engine) -> list[tuple[str, str]]:
        """(id, name) of every style without a code for this engine's package, by name."""
        held = select(CodeRow.style_id).where(
            CodeRow.package_digest == engine.package.digest, CodeRow.engine == label(engine)
        )
        with self._database.reading() as session:
            rows = session.execute(
                select(StyleRow.id, StyleRow.name).where(StyleRow.id.not_in(held)).order_by(StyleRow.name)
            )
            return [(row.id, row.name) for row in rows]

    def forget_others(self, digests: set[str]) -> int:
        """Drop the codes of every package but these; returns how many went."""
        with self._database.writing() as session:
            return _deleted(session, digests)


def refresh(cache: CodeCache, engine: Engine, encode: Callable[[str], object], stop: Callable[[], bool]) -> Refreshed:
    """Make every missing code, style by style. One that fails is passed over: the others must not wait for it."""
    made: list[str] = []
    failed: list[str] = []
    for style_id, name in cache.missing(engine):
        if stop():
            return Refreshed(made=tuple(made), failed=tuple(failed), finished=False)
        try:
            encode(style_id)
        except UnknownStyle:  # removed a moment ago
            continue
        except (RegistryError, StylenetError) as error:
            log.warning("no code for the style %s: %s", name, error)
            failed.append(name)
        else:
            made.append(name)
    return Refreshed(made=tuple(made), failed=tuple(failed), finished=True)


def label(engine: Engine) -> str:
    """How the cache tells engines apart."""
    return f"{engine.name}-{engine.precision}"


def _deleted(session: Session, digests: set[str]) -> int:
    gone = session.execute(delete(CodeRow).where(CodeRow.package_digest.not_in(digests)).returning(CodeRow.style_id))
    return len(gone.all())
