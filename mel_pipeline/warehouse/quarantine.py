"""Quarantined rows: written, reopened, and resolved when they arrive valid. SQL only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mel_pipeline.warehouse.tables import quarantine

LEFT_OUT = "left out"  # by a correction: stays here and needs no action


@dataclass(frozen=True)
class QuarantinedRow:
    """A quarantined row with the reason. ``payload`` is the row as JSON, without personal data."""

    source_ref: str
    row_key: str | None
    column: str | None
    rule: str
    reason: str
    payload: str | None

    def fingerprint(self, source: str, entity: str) -> str:
        """Identifies the same bad row across loads, whatever page it came on."""
        place = self.row_key or self.source_ref
        parts = (source, entity, place, self.column or "", self.rule, self.reason, self.payload or "")
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def quarantine_rows(
    connection: sa.Connection,
    source: str,
    entity: str,
    bad: Sequence[QuarantinedRow],
    load_id: str,
    now: datetime,
) -> None:
    """Write rows to quarantine; one that is already there is reopened."""
    rows = {row.fingerprint(source, entity): row for row in bad}
    if not rows:
        return
    of_entity = sa.and_(quarantine.c.source == source, quarantine.c.entity == entity)
    known = set(connection.execute(sa.select(quarantine.c.fingerprint).where(of_entity)).scalars())
    if again := known & rows.keys():
        connection.execute(
            sa.update(quarantine).where(quarantine.c.fingerprint.in_(again)).values(resolved_at=None)
        )
    fresh = [
        {
            "fingerprint": fingerprint,
            "load_id": load_id,
            "source": source,
            "entity": entity,
            "source_ref": row.source_ref,
            "row_key": row.row_key,
            "column_name": row.column,
            "rule": row.rule,
            "reason": row.reason,
            "payload": row.payload,
            "quarantined_at": now,
        }
        for fingerprint, row in rows.items()
        if fingerprint not in known
    ]
    if fresh:
        connection.execute(sa.insert(quarantine), fresh)


def resolve(connection: sa.Connection, source: str, entity: str, staged: str, now: datetime) -> None:
    """Resolve rows (by key) and files (by name) that this load delivered valid, or that are gone.

    Args:
        staged: the staging table of the load.
    """
    name = connection.dialect.identifier_preparer.quote(staged)
    connection.execute(
        sa.text(
            "update quarantine set resolved_at = :now"
            " where source = :source and entity = :entity and resolved_at is null and ("
            f"  (row_key in (select _row_key from {name} where _kind <> 'bad' and _row_key is not null)"
            f"   and row_key not in (select _row_key from {name} where _kind = 'bad' and _row_key is not null))"
            " or (row_key is null"
            "   and source_ref in (select split_part(_source_ref, ', row ', 1)"
            f"    from {name} where _kind = 'row')"
            f"   and source_ref not in (select _source_ref from {name} where _kind = 'bad')))"
        ),
        {"now": now, "source": source, "entity": entity},
    )


def waiting(connection: sa.Connection, source: str, entity: str) -> list[str]:
    """Place and reason of every row of an entity that is still in quarantine."""
    rows = connection.execute(
        sa.select(quarantine.c.source_ref, quarantine.c.reason)
        .where(
            quarantine.c.source == source,
            quarantine.c.entity == entity,
            quarantine.c.resolved_at.is_(None),
            quarantine.c.rule != LEFT_OUT,
        )
        .order_by(quarantine.c.source_ref, quarantine.c.column_name)
    )
    return [f"{row.source_ref}: {row.reason}" for row in rows]
