"""What Alembic runs: every step in the one transaction of the connection that it was given; a kill leaves none half."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
