"""The paintings that come with Pentimento, offered to a library once in its life."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from registry.style_database import StyleDatabase
from registry.style_tables import SeedRow

if TYPE_CHECKING:
    from samples import Painting


def not_yet_offered(database: StyleDatabase) -> "Iterator[Painting]":
    """The built-in paintings that this library was never offered; each is remembered when the caller comes back."""
    from samples import PAINTINGS

    with database.reading() as session:
        offered = set(session.scalars(select(SeedRow.name)))
    for entry in PAINTINGS:
        if entry.name not in offered:
            yield entry
            with suppress(IntegrityError), database.writing() as session:
                session.add(SeedRow(name=entry.name))
