"""What stands behind published figures about people, so that later publications do not reveal it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "protected_numbers",
        sa.Column("quarter", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("indicator_id", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("disaggregation", sa.Text, nullable=False),
        sa.Column("numerator", sa.Double),
        sa.Column("denominator", sa.Double),
        sa.Column("people", sa.Double),
        sa.Column("members", sa.Double),
    )
