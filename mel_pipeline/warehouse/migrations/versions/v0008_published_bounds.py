"""The interval of a published share or mean is frozen with it. Those published before keep none stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("published_figures", sa.Column("low", sa.Double))
    op.add_column("published_figures", sa.Column("high", sa.Double))
