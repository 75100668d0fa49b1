"""Which data about people are held, why and for how long; and removal of expired data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.contracts import EntityContract, contract_of
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.warehouse import parquet_mirror
from mel_pipeline.warehouse.tables import quarantine

if TYPE_CHECKING:
    from mel_pipeline.warehouse import Warehouse

DAYS_A_MONTH = 30.44


@dataclass(frozen=True)
class Holding:
    """One entity with data about people. ``rows`` are its rows, ``versions`` their earlier versions."""

    source: str
    entity: str
    what: str
    why: str
    keys: tuple[str, ...]
    texts: tuple[str, ...]
    keep_months: int | None
    rows: int
    versions: int
    oldest: date | None


def holdings(warehouse: Warehouse) -> list[Holding]:
    """Everything about people, by source and entity."""
    there = warehouse.tables()
    found = []
    for source, entity in entities_about_people():
        details = contract_of(source).entities[entity]
        table = contract_of(source).table(entity)
        mine = f" and {details.discriminator} = '{source}'" if details.discriminator else ""
        rows = versions = 0
        oldest = None
        if table in there:
            row = warehouse.records(
                f"select count(*) as n, min(_loaded_at) as oldest from {table} where not _is_deleted{mine}"  # noqa: S608
            )[0]
            rows, oldest = int(row["n"]), row["oldest"]
        if f"{table}_history" in there:
            past = warehouse.records(f"select count(*) as n from {table}_history where true{mine}")[0]  # noqa: S608
            versions = max(0, int(past["n"]) - rows)
        found.append(
            Holding(
                source,
                entity,
                details.title,
                details.description,
                tuple(_columns(details, "key")),
                tuple(_columns(details, "text")),
                details.keep_months,
                rows,
                versions,
                oldest.date() if oldest else None,
            )
        )
    return found


def remove_expired(
    warehouse: Warehouse, now: datetime, only: tuple[str, str] | None = None
) -> dict[str, int]:
    """Remove expired data: free text, earlier versions, and quarantined rows.

    Counted from the last change at the source, where it states one, else from the load. The rows themselves stay,
    pseudonymised: figures of earlier quarters depend on them.

    Args:
        only: source and entity; everything by default.

    Returns:
        Values or rows removed, by table.

    Raises:
        SettingsError: copies for Spark are in a folder that is not reachable; nothing was removed.
    """
    there = warehouse.tables()
    removed: dict[str, int] = {}
    with warehouse.transaction() as connection:
        for source, entity in entities_about_people():
            details = contract_of(source).entities[entity]
            table = contract_of(source).table(entity)
            if details.keep_months is None or table not in there or only not in (None, (source, entity)):
                continue
            limit = now - timedelta(days=details.keep_months * DAYS_A_MONTH)
            history = f"{table}_history"  # missing where models made the table
            for column in _columns(details, "text"):
                for place in there & {table, history}:
                    _add(removed, place, _empty(connection, place, column, limit, details, source))
            if history in there:
                _add(removed, history, _drop_versions(connection, table, limit))
            if quarantine.name in there:
                old = sa.and_(
                    quarantine.c.source == source,
                    quarantine.c.entity == entity,
                    quarantine.c.quarantined_at < limit,
                )
                _add(
                    removed,
                    quarantine.name,
                    _changed(connection, sa.delete(quarantine).where(old), quarantine, old),
                )
        if removed:
            parquet_mirror.forget(connection)  # copies for Spark
    return removed


def _columns(details: EntityContract, kind: str) -> list[str]:
    return [name for name, column in details.columns.items() if column.person == kind]


def _add(removed: dict[str, int], table: str, count: int) -> None:
    if count:
        removed[table] = removed.get(table, 0) + count


def _empty(
    connection: sa.Connection, table: str, column: str, limit: datetime, details: EntityContract, source: str
) -> int:
    names = [column, "_changed_at", "_loaded_at", *([details.discriminator] if details.discriminator else [])]
    place = sa.table(table, *(sa.column(name) for name in names))
    old = sa.and_(
        place.c[column].is_not(None), sa.func.coalesce(place.c._changed_at, place.c._loaded_at) < limit
    )
    if details.discriminator:
        old = sa.and_(old, place.c[details.discriminator] == source)
    return _changed(connection, sa.update(place).where(old).values({column: None}), place, old)


def _drop_versions(connection: sa.Connection, table: str, limit: datetime) -> int:
    """Earlier versions older than the limit; the one in the raw table stays."""
    history = sa.table(f"{table}_history", sa.column("_row_key"), sa.column("_loaded_at"))
    raw = sa.table(table, sa.column("_row_key"), sa.column("_loaded_at"))
    current = sa.exists().where(
        raw.c._row_key == history.c._row_key, raw.c._loaded_at == history.c._loaded_at
    )
    old = sa.and_(history.c._loaded_at < limit, ~current)
    return _changed(connection, sa.delete(history).where(old), history, old)


def _changed(
    connection: sa.Connection, statement: sa.Executable, place: sa.FromClause, which: sa.ColumnElement[bool]
) -> int:
    count = int(connection.execute(sa.select(sa.func.count()).select_from(place).where(which)).scalar_one())
    if count:
        connection.execute(statement)
    return count
