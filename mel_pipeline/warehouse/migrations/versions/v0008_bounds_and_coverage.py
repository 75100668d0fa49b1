"""Interval and coverage of a published figure are frozen with it. Figures published before have none stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("published_figures", sa.Column("low", sa.Double))
    op.add_column("published_figures", sa.Column("high", sa.Double))
    for table in ("published_figures", "released_figures"):
        op.add_column(table, sa.Column("expected", sa.BigInteger))
        op.add_column(table, sa.Column("covered", sa.BigInteger))
