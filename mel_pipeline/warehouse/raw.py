"""Raw tables: rows are staged batch by batch, then published in one step. SQL only.

A staging table collects the rows of a load in order and survives a crash. Publishing compares it with
the raw table and writes the differences: new, changed, gone. Replaying a load changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from mel_pipeline.core.contracts import MALFORMED, Kept
from mel_pipeline.warehouse.fingerprints import holds_rows
from mel_pipeline.warehouse.postgres import copy_rows

META = {
    "_row_key": "text",
    "_load_id": "text",
    "_source_ref": "text",
    "_changed_at": "timestamp",  # UTC, by the source's own clock
    "_loaded_at": "timestamp",  # UTC
    "_is_deleted": "boolean",
}
_STAGED = {
    "_row_key": "text",
    "_source_ref": "text",
    "_changed_at": "timestamp",
    "_seq": "bigint",  # order of arrival; breaks ties between entries of the same moment
    "_kind": "text",  # row | gone | bad
    MALFORMED: "text",
}


@dataclass(frozen=True)
class Published:
    """What one load did to a raw table, in rows."""

    new: int
    changed: int
    unchanged: int
    repeated: int
    deleted: int
    quarantined: int

    @property
    def fetched(self) -> int:
        return self.new + self.changed + self.unchanged + self.repeated + self.quarantined


def history_of(table: str) -> str:
    """Name of the table that keeps every version of a raw table's rows."""
    return f"{table}_history"


def staging_of(load: str) -> str:
    """Name of a load's staging table. Loads may share a raw table, but never a staging table."""
    return f"{load}_staged"


def ensure_table(connection: sa.Connection, table: str, columns: Sequence[str]) -> None:
    """Create a raw table, or add columns new in the contract. Columns are never dropped."""
    _ensure(connection, table, dict.fromkeys(columns, "text") | META)


def ensure_history(connection: sa.Connection, table: str, columns: Sequence[str]) -> None:
    """Create the history of a raw table, with the versions the table holds now."""
    history = history_of(table)
    ensure_table(connection, history, columns)
    if not holds_rows(connection, _quoted(connection, history)):
        _copy_versions(connection, table, columns, f"select * from {_quoted(connection, table)}")


def is_made(connection: sa.Connection, table: str) -> bool:
    """Whether a raw table exists; one that does is asked for once per connection, as none is ever dropped.

    Ask before a transaction makes tables, not after it: it might be rolled back.
    """
    made: set[str] = connection.info.setdefault("raw tables that were there", set())
    if table not in made and sa.inspect(connection).has_table(table):
        made.add(table)
    return table in made


def columns_of(connection: sa.Connection, table: str) -> list[str]:
    """Column names of a raw table in order; empty when there is none."""
    if not is_made(connection, table):
        return []
    name = _quoted(connection, table)
    return list(connection.execute(sa.text(f"select * from {name} limit 0")).keys())


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _ensure(
    connection: sa.Connection, table: str, listed: dict[str, str], *, is_temporary: bool = False
) -> None:
    """Queries no catalogue: DuckDB's lists every column of every table first."""
    name = _quoted(connection, table)
    body = ", ".join(f"{_quoted(connection, column)} {kind}" for column, kind in listed.items())
    kind = "temporary table" if is_temporary else "table"
    connection.execute(sa.text(f"create {kind} if not exists {name} ({body})"))
    present = set(connection.execute(sa.text(f"select * from {name} limit 0")).keys())
    for column, kind in listed.items():
        if column not in present:
            connection.execute(sa.text(f"alter table {name} add column {_quoted(connection, column)} {kind}"))


def stage(
    connection: sa.Connection,
    load: str,
    columns: Sequence[str],
    frame: pd.DataFrame,
    *,
    is_whole: bool = False,
) -> int:
    """Append to the staging table of a load; returns how many entries it held before.

    Args:
        columns: of the contract.
        frame: those columns, ``_row_key``, ``_source_ref``, ``_changed_at`` (UTC), ``_kind`` and ``_malformed``.
        is_whole: the load is staged and published in this transaction: no log has to keep what is staged.
    """
    staged = staging_of(load)
    _ensure(connection, staged, dict.fromkeys(columns, "text") | _STAGED, is_temporary=is_whole)
    begun = last_staged(connection, load)
    if not frame.empty:
        insert_frame(connection, staged, frame.assign(_seq=range(begun + 1, begun + 1 + len(frame))))
    return begun


def last_staged(connection: sa.Connection, load: str) -> int:
    """The number of the last entry a load has staged."""
    quote = connection.dialect.identifier_preparer.quote
    return _count(connection, f"select coalesce(max(_seq), 0) from {quote(staging_of(load))}")


def is_staged(connection: sa.Connection, load: str) -> bool:
    """Whether a load has a staging table."""
    return sa.inspect(connection).has_table(staging_of(load))


def discard(connection: sa.Connection, load: str) -> None:
    """Drop the staging table of a load."""
    quote = connection.dialect.identifier_preparer.quote
    connection.execute(sa.text(f"drop table if exists {quote(staging_of(load))}"))


def has_rows(connection: sa.Connection, load: str) -> bool:
    """Whether the load has staged a row to judge."""
    quote = connection.dialect.identifier_preparer.quote
    return bool(_count(connection, f"select count(*) from {quote(staging_of(load))} where _kind = 'row'"))


def staged_keys(connection: sa.Connection, load: str) -> int:
    """How many distinct rows the load delivered, good or bad."""
    quote = connection.dialect.identifier_preparer.quote
    return _count(
        connection, f"select count(distinct _row_key) from {quote(staging_of(load))} where _kind <> 'gone'"
    )


def publish(
    connection: sa.Connection,
    table: str,
    load: str,
    columns: Sequence[str],
    load_id: str,
    now: datetime,
    *,
    complete: bool,
    keeps: Kept | None = None,
) -> Published:
    """Make the raw table agree with what was staged. The staging table stays until ``discard``.

    Args:
        columns: of the contract.
        complete: the load is a full export: stored rows that were not staged are gone.
        keeps: stored rows that some new versions do not replace.

    Each written version is kept in ``<table>_history``, so the table can be restored as of any moment.
    """
    quote = connection.dialect.identifier_preparer.quote
    raw, staged = quote(table), quote(staging_of(load))
    ensure_table(connection, table, columns)
    ensure_history(connection, table, columns)
    stamp = {"load_id": load_id, "now": now}
    _decide(connection, raw, staged, [quote(name) for name in columns], _is_kept(keeps))
    if complete:
        connection.execute(
            sa.text(
                "insert into _actions select r._row_key, null, :now, 'gone' from "
                f"{raw} r where not r._is_deleted"
                f" and not exists (select 1 from {staged} s where s._row_key = r._row_key)"
            ),
            {"now": now},
        )
    counts = dict.fromkeys(("new", "changed", "gone"), 0)
    for action, count in connection.execute(sa.text("select action, count(*) from _actions group by action")):
        counts[action] = int(count)
    _apply(connection, raw, staged, [quote(name) for name in columns], counts, stamp)
    if any(counts.values()):
        _copy_versions(
            connection,
            table,
            columns,
            f"select r.* from {raw} r join _actions a on a._row_key = r._row_key",
        )
    connection.execute(sa.text("drop table _actions"))
    rows = _count(connection, f"select count(*) from {staged} where _kind = 'row'")
    keys = _count(connection, f"select count(distinct _row_key) from {staged} where _kind = 'row'")
    return Published(
        new=counts["new"],
        changed=counts["changed"],
        unchanged=keys - counts["new"] - counts["changed"],
        repeated=rows - keys,
        deleted=counts["gone"],
        quarantined=_count(connection, f"select count(*) from {staged} where _kind = 'bad'"),
    )


def _is_kept(keeps: Kept | None) -> str:
    """SQL that is true where the stored row stays. Its texts are letters, by the contract."""
    if keeps is None:
        return "false"
    stored, over = (", ".join(f"'{value}'" for value in values) for values in (keeps.stored, keeps.over))
    return f"coalesce(r.{keeps.column} in ({stored}) and s.{keeps.column} in ({over}), false)"


def _decide(
    connection: sa.Connection, raw: str, staged: str, columns: list[str], is_kept: str = "false"
) -> None:
    """``_actions``: for each affected key, which staged entry applies.

    The latest entry of a key by the source's clock wins, so a record deleted after it was read is gone,
    and one restored after it was deleted stays. A stored version newer than the staged one (an older
    export, read late) is kept.
    """
    differs = " or ".join(f"r.{name} is distinct from s.{name}" for name in columns)
    connection.execute(
        sa.text(
            "create temporary table _actions as with latest as ("
            f" select _row_key, _seq, _kind, _changed_at, row_number() over ("
            f"  partition by _row_key order by _changed_at desc nulls last, _seq desc) as place"
            f" from {staged} where _kind <> 'bad')"
            " select l._row_key, l._seq, l._changed_at, case"
            "  when l._kind = 'gone' then 'gone' when r._row_key is null then 'new' else 'changed' end as action"
            f" from latest l join {staged} s on s._seq = l._seq"
            f" left join {raw} r on r._row_key = l._row_key"
            " where l.place = 1 and case"
            "  when l._kind = 'gone' then r._row_key is not null and not r._is_deleted"
            "   and coalesce(r._changed_at <= l._changed_at, true)"
            "  when r._row_key is null then true"
            "  when r._is_deleted then true"
            f" else coalesce(r._changed_at <= l._changed_at, true) and not {is_kept} and ({differs}) end"
        )
    )


def _apply(
    connection: sa.Connection,
    raw: str,
    staged: str,
    columns: list[str],
    counts: dict[str, int],
    stamp: dict[str, object],
) -> None:
    if counts["changed"]:
        values = ", ".join(f"{name} = s.{name}" for name in [*columns, "_source_ref", "_changed_at"])
        connection.execute(
            sa.text(
                f"update {raw} as r set {values}, _load_id = :load_id, _loaded_at = :now, _is_deleted = false"
                f" from {staged} s, _actions a"
                " where a.action = 'changed' and s._seq = a._seq and r._row_key = a._row_key"
            ),
            stamp,
        )
    if counts["new"]:
        names = ", ".join([*columns, "_row_key", "_source_ref", "_changed_at"])
        given = ", ".join(f"s.{name}" for name in [*columns, "_row_key", "_source_ref", "_changed_at"])
        connection.execute(
            sa.text(
                f"insert into {raw} ({names}, _load_id, _loaded_at, _is_deleted)"
                f" select {given}, :load_id, :now, false from {staged} s"
                " join _actions a on a._seq = s._seq where a.action = 'new'"
            ),
            stamp,
        )
    if counts["gone"]:
        connection.execute(
            sa.text(
                f"update {raw} as r set _is_deleted = true, _changed_at = a._changed_at,"
                " _load_id = :load_id, _loaded_at = :now"
                " from _actions a where a.action = 'gone' and r._row_key = a._row_key"
            ),
            stamp,
        )


def _copy_versions(connection: sa.Connection, table: str, columns: Sequence[str], versions: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in [*columns, *META])
    connection.execute(
        sa.text(f"insert into {quote(history_of(table))} ({names}) select {names} from ({versions}) v")
    )


def replace_rows(
    connection: sa.Connection, table: str, frame: pd.DataFrame, load_id: str, now: datetime
) -> bool:
    """Make the table hold exactly these rows. Returns False and changes nothing when it already does.

    Earlier content is kept in ``<table>_history`` as a whole: such rows have no key.
    """
    quote = connection.dialect.identifier_preparer.quote
    ensure_table(connection, table, list(frame.columns))
    ensure_history(connection, table, list(frame.columns))
    connection.execute(sa.text("drop table if exists _incoming"))
    body = ", ".join(f"{quote(name)} text" for name in frame.columns)
    connection.execute(sa.text(f"create temporary table _incoming ({body})"))
    insert_frame(connection, "_incoming", frame)
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
    if differing:
        _copy_versions(connection, table, list(frame.columns), f"select * from {raw}")
    connection.execute(sa.text("drop table _incoming"))
    return bool(differing)


def stored(connection: sa.Connection, table: str, own: str | None) -> int:
    """Rows that are not deleted.

    Args:
        own: prefix of the entity's load ids, where entities share the table: its rows are those it wrote last.
    """
    quote = connection.dialect.identifier_preparer.quote
    query = f"select count(*) from {quote(table)} where not _is_deleted"
    if own is None:
        return _count(connection, query)
    mine = f"{query} and starts_with(_load_id, :own)"
    return int(connection.execute(sa.text(mine), {"own": own}).scalar_one())


def _count(connection: sa.Connection, sql: str) -> int:
    return int(connection.execute(sa.text(sql)).scalar_one())


@contextmanager
def keys_at_hand(connection: sa.Connection, keys: pd.Series[str]) -> Iterator[str]:
    """Keys of rows as a query, while the block lasts."""
    connection.execute(sa.text("create temporary table _keys (key text)"))
    insert_frame(connection, "_keys", pd.DataFrame({"key": keys.unique()}))
    yield "select key from _keys"
    connection.execute(sa.text("drop table _keys"))


def insert_frame(connection: sa.Connection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame; DuckDB reads it in place, PostgreSQL gets it by COPY."""
    if connection.dialect.name == "duckdb":
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - an open connection has its driver
        quote = connection.dialect.identifier_preparer.quote
        names = ", ".join(quote(name) for name in frame.columns)
        driver.register("_frame", frame)
        connection.execute(sa.text(f"insert into {quote(table)} ({names}) select {names} from _frame"))
        driver.unregister("_frame")
        return
    copy_rows(connection, table, frame)
