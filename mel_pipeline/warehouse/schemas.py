"""The source's own fields over time: new, removed or retyped. SQL only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mel_pipeline.warehouse.migrating import is_there
from mel_pipeline.warehouse.tables import schema_drift, source_schema


@dataclass(frozen=True)
class Drift:
    """One change of one field. ``before`` and ``after`` are the source's words for its type."""

    field: str
    change: str  # new | removed | retyped
    before: str | None
    after: str | None
    seen_at: datetime

    @property
    def sentence(self) -> str:
        what = {
            "new": f"is new ({self.after})",
            "removed": f"is gone (was {self.before})",
            "retyped": f"changed from {self.before} to {self.after}",
        }[self.change]
        return f"{self.field} {what}, seen on {self.seen_at:%Y-%m-%d}."


def known_fields(connection: sa.Connection, source: str, entity: str) -> dict[str, str]:
    """Fields with their types as last seen; empty before the first load."""
    if not is_there(connection, source_schema):
        return {}
    rows = connection.execute(
        sa.select(source_schema.c.field, source_schema.c.data_type).where(
            source_schema.c.source == source, source_schema.c.entity == entity
        )
    )
    return {row.field: row.data_type for row in rows}


def drift_between(before: Mapping[str, str], after: Mapping[str, str], now: datetime) -> list[Drift]:
    """What changed. The first load of a source is no drift."""
    if not before:
        return []
    changes = [Drift(name, "new", None, kind, now) for name, kind in after.items() if name not in before]
    changes += [Drift(name, "removed", kind, None, now) for name, kind in before.items() if name not in after]
    changes += [
        Drift(name, "retyped", before[name], kind, now)
        for name, kind in after.items()
        if before.get(name, kind) != kind
    ]
    return sorted(changes, key=lambda drift: drift.field)


def write_fields(
    connection: sa.Connection, source: str, entity: str, fields: Mapping[str, str], drift: list[Drift]
) -> None:
    """Store the current fields and what changed about them."""
    connection.execute(
        sa.delete(source_schema).where(source_schema.c.source == source, source_schema.c.entity == entity)
    )
    place = {"source": source, "entity": entity}
    connection.execute(
        sa.insert(source_schema),
        [place | {"field": name, "data_type": kind} for name, kind in sorted(fields.items())],
    )
    if drift:
        connection.execute(sa.insert(schema_drift), [place | vars(change) for change in drift])


def drift_since(connection: sa.Connection, source: str, entity: str, since: datetime) -> list[Drift]:
    """What changed since then, latest last."""
    if not is_there(connection, schema_drift):
        return []
    rows = connection.execute(
        sa.select(schema_drift)
        .where(
            schema_drift.c.source == source, schema_drift.c.entity == entity, schema_drift.c.seen_at >= since
        )
        .order_by(schema_drift.c.seen_at, schema_drift.c.field)
    )
    return [Drift(row.field, row.change, row.before, row.after, row.seen_at) for row in rows]
