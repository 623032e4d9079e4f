"""Alembic's entry: runs the migrations on the connection that gateway/db/migrate.py gives."""

from alembic import context

from gateway.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a table in place; a batch copies it.
    render_as_batch=True,
)
context.run_migrations()
