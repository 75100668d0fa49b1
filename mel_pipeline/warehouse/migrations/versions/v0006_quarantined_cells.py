"""Quarantine keeps single cells too, and knows when a fault was last seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("lost", sa.Text))
    op.add_column("quarantine", sa.Column("seen_at", sa.DateTime))
    op.execute("update quarantine set lost = 'row', seen_at = quarantined_at")
