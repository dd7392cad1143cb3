"""The tables as Pentimento 0.1 made them (it called them schema version 1, and made them without Alembic)."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them; an adopted library has them already and is stamped instead."""
    schema = op.create_table(
        "pentimento_schema",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.bulk_insert(schema, [{"id": 1, "version": 1}])
    op.create_table(
        "styles",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("licence", sa.String(200), nullable=False),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.Column("builtin", sa.Boolean, nullable=False),
        sa.Column("content_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("thumbnail", sa.String(64), nullable=False, index=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table("style_seeds", sa.Column("name", sa.String(64), primary_key=True))
    op.create_table(
        "style_pictures",
        _style_id(),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("blob", sa.String(64), nullable=False, index=True),
        sa.Column("pixel_digest", sa.String(64), nullable=False),
        sa.Column("width_px", sa.Integer, nullable=False),
        sa.Column("height_px", sa.Integer, nullable=False),
        sa.UniqueConstraint("style_id", "pixel_digest"),
    )
    op.create_table("style_tags", _style_id(), sa.Column("tag", sa.String(64), primary_key=True, index=True))
    op.create_table(
        "style_codes",
        _style_id(),
        sa.Column("package_digest", sa.String(64), primary_key=True),
        sa.Column("engine", sa.String(64), primary_key=True),
        sa.Column("code", sa.LargeBinary, nullable=False),
    )


def _style_id() -> sa.Column[str]:
    return sa.Column("style_id", sa.String(16), sa.ForeignKey("styles.id", ondelete="CASCADE"), primary_key=True)
