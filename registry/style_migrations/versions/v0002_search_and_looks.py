"""Words to search by, what the advice knows of each style's pictures, and a name for the library itself.

`pentimento_schema` stays, at 2: Pentimento 0.1 reads it, and refuses with a line instead of tripping over new columns.
"""

import unicodedata
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column and fill it; add the table, which fills when it is first asked."""
    op.add_column("styles", sa.Column("search_text", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "style_looks",
        sa.Column("style_id", sa.String(16), sa.ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("look", sa.LargeBinary, nullable=False),
    )
    library = op.create_table("style_library", sa.Column("id", sa.String(32), primary_key=True))
    op.bulk_insert(library, [{"id": uuid.uuid4().hex}])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":  # names in one order everywhere: a locale's would skip the hyphens
        op.execute('ALTER TABLE styles ALTER COLUMN name TYPE VARCHAR(64) COLLATE "C"')
    tags: dict[str, list[str]] = {}
    for style_id, tag in connection.execute(sa.text("SELECT style_id, tag FROM style_tags ORDER BY tag")):
        tags.setdefault(style_id, []).append(tag)
    found = connection.execute(sa.text("SELECT id, name, title, author, note FROM styles")).all()
    rows = [{"id": row.id, "words": _folded(" ".join([*row[1:], *tags.get(row.id, [])]))} for row in found]
    if rows:
        connection.execute(sa.text("UPDATE styles SET search_text = :words WHERE id = :id"), rows)
    connection.execute(sa.text("UPDATE pentimento_schema SET version = 2"))


def _folded(text: str) -> str:
    """As `style_entries.folded` did when this step was written; a step must not change when that does."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))
