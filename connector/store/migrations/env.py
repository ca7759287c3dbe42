"""Alembic's entry: always online, always on the connection that the caller already holds a transaction on."""

from __future__ import annotations

from alembic import context

from connector.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
