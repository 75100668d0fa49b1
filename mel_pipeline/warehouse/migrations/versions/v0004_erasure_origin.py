"""What an erasure removed and when it left the database's files; whose data a source's rows are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("erasure", sa.Column("removed", sa.Text))
    op.add_column("erasure", sa.Column("purged_at", sa.DateTime))
    op.create_table(
        "data_origin",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("noted_at", sa.DateTime, nullable=False),
    )
