"""Raw tables, quarantine, load ledger and cursors. SQL only; what a row means is decided elsewhere.

Everything one load changes goes through one connection, so rows, quarantine, cursor and ledger are
committed together or not at all. Replaying a load changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import sqlalchemy as sa

META_COLUMNS = ("_row_key", "_load_id", "_source_ref", "_loaded_at", "_is_deleted")

tables = sa.MetaData()

load_ledger = sa.Table(
    "load_ledger",
    tables,
    sa.Column("load_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("quarter", sa.Text),
    sa.Column("started_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("finished_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("status", sa.Text, nullable=False),  # loaded | failed
    sa.Column("fetched", sa.BigInteger, nullable=False),
    sa.Column("new", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("unchanged", sa.BigInteger, nullable=False),
    sa.Column("repeated", sa.BigInteger, nullable=False),  # same key twice in one load; the last one counts
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=False),
    sa.Column("expected", sa.BigInteger),  # the source's own count, where it states one
    sa.Column("message", sa.Text),
)

source_cursor = sa.Table(
    "source_cursor",
    tables,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("load_id", sa.Text, nullable=False),
)

quarantine = sa.Table(
    "quarantine",
    tables,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("load_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("source_ref", sa.Text, nullable=False),  # file or page, with the row where there is one
    sa.Column("row_key", sa.Text),
    sa.Column("column_name", sa.Text),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("payload", sa.Text),
    sa.Column("quarantined_at", sa.DateTime, nullable=False),
    sa.Column("resolved_at", sa.DateTime),
)


@dataclass(frozen=True)
class QuarantinedRow:
    """A row put aside, with the reason. ``payload`` is the row as JSON, without personal data."""

    source_ref: str
    row_key: str | None
    column: str | None
    rule: str
    reason: str
    payload: str | None

    def fingerprint(self, source: str, entity: str) -> str:
        """The same bad row met again is the same row, whatever page it stood on."""
        place = self.row_key or self.source_ref
        parts = (source, entity, place, self.column or "", self.rule, self.reason, self.payload or "")
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Upserted:
    new: int
    changed: int
    unchanged: int
    repeated: int


def ensure_landing_tables(connection: sa.Connection) -> None:
    for table in tables.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))


def ensure_raw_table(connection: sa.Connection, table: str, columns: Sequence[str]) -> None:
    """Create the raw table, or add columns the contract has gained. Columns are never dropped."""
    quote = connection.dialect.identifier_preparer.quote
    kinds = {"_loaded_at": "timestamp", "_is_deleted": "boolean"}
    listed = [*columns, *META_COLUMNS]
    body = ", ".join(f"{quote(name)} {kinds.get(name, 'text')}" for name in listed)
    connection.execute(sa.text(f"create table if not exists {quote(table)} ({body})"))
    present = set(
        connection.execute(
            sa.text(
                "select column_name from information_schema.columns"
                " where table_name = :name and table_schema = current_schema()"
            ),
            {"name": table},
        ).scalars()
    )
    for name in listed:
        if name not in present:
            connection.execute(
                sa.text(f"alter table {quote(table)} add column {quote(name)} {kinds.get(name, 'text')}")
            )


def upsert_rows(
    connection: sa.Connection, table: str, frame: pd.DataFrame, load_id: str, now: datetime
) -> Upserted:
    """Insert what is new, update what differs, leave the rest untouched.

    Args:
        frame: contract columns plus ``_row_key`` and ``_source_ref``; the last row of a key counts.
    """
    rows = frame.drop_duplicates("_row_key", keep="last")
    repeated = len(frame) - len(rows)
    if rows.empty:
        return Upserted(0, 0, 0, repeated)
    quote = connection.dialect.identifier_preparer.quote
    data = [column for column in rows.columns if column not in META_COLUMNS]
    raw, incoming = quote(table), quote("_incoming")
    _stage(connection, "_incoming", rows)
    differs = " or ".join(f"r.{quote(c)} is distinct from i.{quote(c)}" for c in data)
    set_values = ", ".join(f"{quote(c)} = i.{quote(c)}" for c in [*data, "_source_ref"])
    stamp = {"load_id": load_id, "now": now}
    new = _count(
        connection,
        f"select count(*) from {incoming} i where not exists"
        f" (select 1 from {raw} r where r._row_key = i._row_key)",
    )
    changed = _count(
        connection,
        f"select count(*) from {raw} r join {incoming} i on r._row_key = i._row_key"
        f" where r._is_deleted or {differs}",
    )
    if changed:
        connection.execute(
            sa.text(
                f"update {raw} as r set {set_values}, _load_id = :load_id, _loaded_at = :now,"
                f" _is_deleted = false from {incoming} i"
                f" where r._row_key = i._row_key and (r._is_deleted or {differs})"
            ),
            stamp,
        )
    if new:
        names = ", ".join(quote(c) for c in [*data, "_row_key", "_source_ref"])
        connection.execute(
            sa.text(
                f"insert into {raw} ({names}, _load_id, _loaded_at, _is_deleted)"
                f" select {names}, :load_id, :now, false from {incoming} i"
                f" where not exists (select 1 from {raw} r where r._row_key = i._row_key)"
            ),
            stamp,
        )
    connection.execute(sa.text(f"drop table {incoming}"))
    return Upserted(new, changed, len(rows) - new - changed, repeated)


def replace_rows(
    connection: sa.Connection, table: str, frame: pd.DataFrame, load_id: str, now: datetime
) -> bool:
    """Make the table hold exactly these rows. Returns False, and touches nothing, when it does already."""
    quote = connection.dialect.identifier_preparer.quote
    ensure_raw_table(connection, table, list(frame.columns))
    _stage(connection, "_incoming", frame)
    names = ", ".join(quote(column) for column in frame.columns)
    raw = quote(table)
    differing = _count(
        connection,
        f"select (select count(*) from (select {names} from {raw} except all select {names} from _incoming) a)"
        f" + (select count(*) from (select {names} from _incoming except all select {names} from {raw}) b)",
    )
    if differing:
        connection.execute(sa.text(f"delete from {raw}"))
        connection.execute(
            sa.text(
                f"insert into {raw} ({names}, _load_id, _loaded_at, _is_deleted)"
                f" select {names}, :load_id, :now, false from _incoming"
            ),
            {"load_id": load_id, "now": now},
        )
    connection.execute(sa.text("drop table _incoming"))
    return bool(differing)


def mark_deleted(
    connection: sa.Connection, table: str, keys: Sequence[str], load_id: str, now: datetime
) -> int:
    """Turn rows into tombstones; unknown keys and old tombstones are left alone. Returns how many turned."""
    if not keys:
        return 0
    raw = connection.dialect.identifier_preparer.quote(table)
    _stage(connection, "_incoming", pd.DataFrame({"_row_key": list(dict.fromkeys(keys))}, dtype="str"))
    hit = "not _is_deleted and _row_key in (select _row_key from _incoming)"
    turned = _count(connection, f"select count(*) from {raw} where {hit}")
    connection.execute(
        sa.text(f"update {raw} set _is_deleted = true, _load_id = :load_id, _loaded_at = :now where {hit}"),
        {"load_id": load_id, "now": now},
    )
    connection.execute(sa.text("drop table _incoming"))
    return turned


def put_aside(
    connection: sa.Connection,
    source: str,
    entity: str,
    bad: Iterable[QuarantinedRow],
    load_id: str,
    now: datetime,
) -> None:
    """Write rows to quarantine; one that stands there already is only opened again."""
    for row in bad:
        fingerprint = row.fingerprint(source, entity)
        known = connection.execute(
            sa.update(quarantine).where(quarantine.c.fingerprint == fingerprint).values(resolved_at=None)
        ).rowcount
        if known > 0:
            continue
        connection.execute(
            sa.insert(quarantine).values(
                fingerprint=fingerprint,
                load_id=load_id,
                source=source,
                entity=entity,
                source_ref=row.source_ref,
                row_key=row.row_key,
                column_name=row.column,
                rule=row.rule,
                reason=row.reason,
                payload=row.payload,
                quarantined_at=now,
            )
        )


def resolve(connection: sa.Connection, source: str, entity: str, good: pd.DataFrame, now: datetime) -> None:
    """Close quarantined rows (by key) and files (by name) that have now arrived in good order."""
    still_open = connection.execute(
        sa.select(quarantine.c.fingerprint, quarantine.c.row_key, quarantine.c.source_ref).where(
            quarantine.c.source == source, quarantine.c.entity == entity, quarantine.c.resolved_at.is_(None)
        )
    ).all()
    if not still_open:
        return
    keys = set(good["_row_key"])
    files = {str(reference).rsplit(", row ", 1)[0] for reference in good["_source_ref"].unique()}
    closed = [
        row.fingerprint
        for row in still_open
        if (row.row_key in keys if row.row_key else row.source_ref in files)
    ]
    if closed:
        connection.execute(
            sa.update(quarantine).where(quarantine.c.fingerprint.in_(closed)).values(resolved_at=now)
        )


def waiting(connection: sa.Connection, source: str, entity: str) -> list[str]:
    """Place and reason of every row of an entity that is still in quarantine."""
    rows = connection.execute(
        sa.select(quarantine.c.source_ref, quarantine.c.reason)
        .where(
            quarantine.c.source == source, quarantine.c.entity == entity, quarantine.c.resolved_at.is_(None)
        )
        .order_by(quarantine.c.source_ref, quarantine.c.column_name)
    )
    return [f"{row.source_ref}: {row.reason}" for row in rows]


def read_cursor(connection: sa.Connection, source: str, entity: str) -> str | None:
    """Where the next load begins; None for the first."""
    if not sa.inspect(connection).has_table(source_cursor.name):
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


def _count(connection: sa.Connection, sql: str) -> int:
    return int(connection.execute(sa.text(sql)).scalar_one())


def _stage(connection: sa.Connection, name: str, frame: pd.DataFrame) -> None:
    """The frame as a temporary table of text columns."""
    text = frame.astype(object).where(frame.notna(), None)
    if connection.dialect.name == "duckdb":
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - an open connection has its driver
        quote = connection.dialect.identifier_preparer.quote
        body = ", ".join(f"cast({quote(c)} as text) as {quote(c)}" for c in text.columns)
        driver.register("_frame", text)
        connection.execute(sa.text(f"create temporary table {name} as select {body} from _frame"))
        driver.unregister("_frame")
        return
    connection.execute(sa.text(f"drop table if exists {name}"))
    text.to_sql(
        name,
        connection,
        index=False,
        dtype=dict.fromkeys(text.columns, sa.Text()),
        method="multi",
        chunksize=500,
    )
