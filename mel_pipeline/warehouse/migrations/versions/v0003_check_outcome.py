"""Results of checks, so that unchanged rows and rules are not checked again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "check_outcome",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("made_of", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("checked_at", sa.DateTime, nullable=False),
    )
