"""Progress of loads: cursors of finished ones, checkpoints of interrupted ones. SQL only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mel_pipeline.warehouse.migrating import is_there
from mel_pipeline.warehouse.tables import correction_use, load_checkpoint, source_cursor

_PROPOSALS = ": proposals"


@dataclass(frozen=True)
class Checkpoint:
    """An interrupted load. ``rules`` is the fingerprint of the rules its staged rows were checked against."""

    checkpoint: str
    rules: str
    begun_at: datetime


def read_cursor(connection: sa.Connection, source: str, entity: str) -> str | None:
    """Where the next load begins; None for the first."""
    if not is_there(connection, source_cursor):
        return None
    return connection.execute(
        sa.select(source_cursor.c.cursor).where(
            source_cursor.c.source == source, source_cursor.c.entity == entity
        )
    ).scalar_one_or_none()


def write_cursor(connection: sa.Connection, source: str, entity: str, cursor: str, load_id: str) -> None:
    connection.execute(
        sa.delete(source_cursor).where(source_cursor.c.source == source, source_cursor.c.entity == entity)
    )
    connection.execute(
        sa.insert(source_cursor).values(source=source, entity=entity, cursor=cursor, load_id=load_id)
    )


def write_proposals(
    connection: sa.Connection, source: str, entity: str, proposals: str, load_id: str
) -> None:
    """What a load proposes for the workbook, as JSON; it stands beside the entity's cursor until the next one."""
    write_cursor(connection, source, f"{entity}{_PROPOSALS}", proposals, load_id)


def read_proposals(connection: sa.Connection) -> list[str]:
    """What the last load of every entity proposed."""
    if not is_there(connection, source_cursor):
        return []
    columns = source_cursor.c
    query = sa.select(columns.cursor).where(columns.entity.like(f"%{_PROPOSALS}"))
    return list(connection.execute(query.order_by(columns.source, columns.entity)).scalars())


def read_checkpoint(connection: sa.Connection, source: str, entity: str) -> Checkpoint | None:
    """The interrupted load, if there is one."""
    if not is_there(connection, load_checkpoint):
        return None
    row = connection.execute(
        sa.select(load_checkpoint).where(
            load_checkpoint.c.source == source, load_checkpoint.c.entity == entity
        )
    ).one_or_none()
    return None if row is None else Checkpoint(row.checkpoint, row.rules, row.begun_at)


def write_checkpoint(connection: sa.Connection, source: str, entity: str, state: Checkpoint) -> None:
    drop_checkpoint(connection, source, entity)
    connection.execute(sa.insert(load_checkpoint).values(source=source, entity=entity, **vars(state)))


def drop_checkpoint(connection: sa.Connection, source: str, entity: str) -> None:
    connection.execute(
        sa.delete(load_checkpoint).where(
            load_checkpoint.c.source == source, load_checkpoint.c.entity == entity
        )
    )


def note_corrections(
    connection: sa.Connection, source: str, entity: str, used: Sequence[tuple[str, str]], now: datetime
) -> None:
    """Record which correction was used on which row; each pair once."""
    if not used:
        return
    known = {
        (row.correction, row.row_key)
        for row in connection.execute(
            sa.select(correction_use).where(
                correction_use.c.source == source, correction_use.c.entity == entity
            )
        )
    }
    place = {"source": source, "entity": entity, "used_at": now}
    if fresh := [
        place | {"correction": correction, "row_key": key}
        for correction, key in used
        if (correction, key) not in known
    ]:
        connection.execute(sa.insert(correction_use), fresh)
