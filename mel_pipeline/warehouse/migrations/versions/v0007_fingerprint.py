"""One table of fingerprints in place of two. Nothing is copied: the next run builds and checks everything once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.drop_table("model_build")
    op.drop_table("check_outcome")
    op.create_table(
        "fingerprint",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("made_of", sa.Text, nullable=False),
        sa.Column("found", sa.Text, nullable=False),
        sa.Column("noted_at", sa.DateTime, nullable=False),
    )
