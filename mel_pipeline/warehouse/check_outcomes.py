"""Results of checks (table ``check_outcome``), reused while rows and rules are unchanged. SQL only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.warehouse.migrating import is_there
from mel_pipeline.warehouse.tables import check_outcome


@dataclass(frozen=True)
class Outcome:
    """``made_of``: a digest of the rows and the rules. ``found``: JSON without any value of a row."""

    made_of: str
    found: Any = None


def recall(connection: sa.Connection, subject: str) -> Outcome | None:
    """The last outcome of a subject's check."""
    if not is_there(connection, check_outcome):
        return None
    row = connection.execute(sa.select(check_outcome).where(check_outcome.c.subject == subject)).one_or_none()
    return None if row is None else Outcome(row.made_of, json.loads(row.outcome))


def remember(connection: sa.Connection, subject: str, outcome: Outcome) -> None:
    """Store an outcome in place of the previous one; call ``ensure_tables`` first."""
    connection.execute(sa.delete(check_outcome).where(check_outcome.c.subject == subject))
    connection.execute(
        sa.insert(check_outcome).values(
            subject=subject,
            made_of=outcome.made_of,
            outcome=json.dumps(outcome.found),
            checked_at=utc_now(),
        )
    )
