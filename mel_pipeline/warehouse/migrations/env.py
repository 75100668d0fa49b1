"""Run by alembic: migrations use the writer's connection and run in its transaction."""

from __future__ import annotations

from alembic import context

from mel_pipeline.warehouse.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
context.run_migrations()
