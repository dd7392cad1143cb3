"""Which styles of the library suit a photograph best; looks are made once per style and kept beside its codes."""

import heapq
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

from sqlalchemy import and_
from sqlalchemy.exc import IntegrityError

from registry.errors import RegistryError
from registry.style_advice import Fit, judge_fit
from registry.style_database import StyleDatabase
from registry.style_looks import Look, look_at, look_kind
from registry.style_rows import matching
from registry.style_tables import LookRow, StyleRow
from stylenet.errors import PictureError
from stylenet.images import Pixels

log = logging.getLogger(__name__)
PicturesOf = Callable[[str], tuple[Pixels, ...]]
_PAGE = 500


class LookCache:
    """The looks in the library's database.

    Args:
        pictures_of: a style's id -> its pictures.
    """

    def __init__(self, database: StyleDatabase, pictures_of: PicturesOf) -> None:
        self._database = database
        self._pictures_of = pictures_of

    def get(self, style_id: str, kept: bytes | None) -> Look:
        """The look that was kept; made now, and kept, where there is none or it is damaged.

        Raises:
            UnknownStyle, StoreError: the style, or a picture of it, is gone.
            WeightsError: the encoder is not in this installation (from `stylenet`).
        """
        look = None if kept is None else Look.from_bytes(kept)
        if look is None:
            look = look_at(self._pictures_of(style_id))
            row = LookRow(style_id=style_id, kind=look_kind(), look=look.to_bytes())
            # Refused where the style was removed meanwhile, or another process was quicker: both are fine.
            with suppress(IntegrityError), self._database.writing() as session:
                session.merge(row)
        return look

    def of(self, style_id: str) -> Look:
        """One style's look; see `get`."""
        with self._database.reading() as session:
            row = session.get(LookRow, (style_id, look_kind()))
            kept = row.look if row else None
        return self.get(style_id, kept)

    def each(self, query: str | None, tag: str | None) -> Iterator[tuple[str, str, Look]]:
        """(id, name, look) of every style that matches. One whose pictures are gone is passed over and logged."""
        for style_id, name, kept in self._rows(query, tag):
            try:
                yield style_id, name, self.get(style_id, kept)
            except (RegistryError, PictureError) as error:
                log.warning("no advice about the style %s: %s", name, error)

    def _rows(self, query: str | None, tag: str | None) -> Iterator[tuple[str, str, bytes | None]]:
        """By pages: a large library does not have to fit into memory, nor a transaction wait for looks to be made."""
        after = ""
        held = and_(LookRow.style_id == StyleRow.id, LookRow.kind == look_kind())
        chosen = matching(query, tag).with_only_columns(StyleRow.id, StyleRow.name, LookRow.look)
        statement = chosen.outerjoin_from(StyleRow, LookRow, held).order_by(StyleRow.name).limit(_PAGE)
        while True:
            with self._database.reading() as session:
                rows = list(session.execute(statement.where(StyleRow.name > after)).tuples())
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1][1]


def best(
    cache: LookCache, photograph: Pixels, limit: int, *, query: str | None, tag: str | None
) -> list[tuple[str, Fit]]:
    """(id, fit) of the `limit` styles that cost the photograph least, the best first."""
    look = look_at([photograph])
    judged = ((judge_fit(look, other), name, style_id) for style_id, name, other in cache.each(query, tag))
    chosen = heapq.nsmallest(limit, judged, key=lambda entry: (entry[0].loss, entry[1]))
    return [(style_id, fit) for fit, _, style_id in chosen]
