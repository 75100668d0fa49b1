"""Run by alembic: migrations go through the connection, and in the transaction, of whoever writes the warehouse."""

from __future__ import annotations

from alembic import context

from mel_pipeline.warehouse.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
