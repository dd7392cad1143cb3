"""One step each; Alembic reads the files by their place."""
