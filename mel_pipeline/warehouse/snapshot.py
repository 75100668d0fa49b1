"""The raw tables as of a past moment, alongside the real ones, for the life of a connection.

In memory on DuckDB, as temporary tables on PostgreSQL; both end with the connection, and the warehouse itself is
only read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.warehouse.raw import history_of

if TYPE_CHECKING:
    from mel_pipeline.warehouse.engine import Warehouse

HISTORY = history_of("")


@dataclass(frozen=True)
class Past:
    """Which version of the rows to take: as of ``moment``, or as of the later ``until``.

    Both are UTC without zone. Rows that are ``new`` between the two, and rows that have ``changed`` between
    them, are taken as of ``until`` where set. Both false is ``moment``, both true ``until``.
    """

    moment: datetime
    until: datetime
    new: bool = False
    changed: bool = False

    @property
    def end(self) -> datetime | None:
        """The single moment that applies, if there is one."""
        if self.new and self.changed:
            return self.until
        return None if self.new or self.changed else self.moment


@dataclass(frozen=True)
class Snapshot:
    """A database of one connection, with the interface the model runner needs."""

    connection: sa.Connection

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """Other connections do not see these tables."""
        yield self.connection


@contextmanager
def snapshot(
    warehouse: Warehouse, columns: Mapping[str, Collection[str]], pasts: Mapping[str, Past]
) -> Iterator[Snapshot]:
    """Raw tables, each as of its given past.

    Args:
        columns: declared columns of every raw table needed, histories included.
        pasts: by raw table (a history follows its table); tables without one are as of now.
    """
    with warehouse.connect() as connection:
        home = _enter(connection)
        try:
            present = _present(connection, home)
            for table, wanted in columns.items():
                if table in present:
                    _copy(connection, home, table, present, pasts.get(table.removesuffix(HISTORY)))
                else:
                    body = ", ".join(f'"{name}" text' for name in wanted)
                    connection.execute(sa.text(f"create table {table} ({body})"))
            connection.commit()
            yield Snapshot(connection)
        finally:
            _leave(connection)


def has_changed(connection: sa.Connection, table: str, past: Past) -> tuple[bool, bool]:
    """Whether rows of a raw table are new, and whether rows have changed, between the two moments."""
    if not sa.inspect(connection).has_table(history_of(table)):
        return False, False
    times = {"moment": past.moment, "until": past.until}
    between = "_loaded_at > :moment and _loaded_at <= :until"
    if _is_replaced_as_a_whole(connection, table):
        later = f"select count(*) from {history_of(table)} where {between}"  # noqa: S608 - contracts name tables
        return False, bool(connection.execute(sa.text(later), times).scalar_one())
    counts = connection.execute(
        sa.text(
            "select count(case when first_seen > :moment then 1 end) as new,"  # noqa: S608
            " count(case when first_seen <= :moment and last_seen > :moment then 1 end) as changed from ("
            "  select _row_key, min(_loaded_at) as first_seen, max(_loaded_at) as last_seen"
            f"  from {history_of(table)} where _loaded_at <= :until group by _row_key) v"
        ),
        times,
    ).one()
    return bool(counts.new), bool(counts.changed)


def _enter(connection: sa.Connection) -> str:
    """Create the database or schema and switch to it; returns the prefix of the warehouse's tables from there."""
    if connection.dialect.name == "duckdb":
        home = connection.exec_driver_sql("select current_database()").scalar_one()
        connection.exec_driver_sql("attach ':memory:' as mel_scratch")
        connection.exec_driver_sql("use mel_scratch")
        connection.commit()
        return f'"{home}".main'
    home = connection.exec_driver_sql("select current_schema()").scalar_one()
    connection.exec_driver_sql("set search_path to pg_temp")
    connection.commit()
    return f'"{home}"'


def _leave(connection: sa.Connection) -> None:
    connection.rollback()
    if connection.dialect.name != "duckdb":
        return  # closing the connection ends its temporary tables
    # Another connection of this process may keep the file open, and with it the attached database.
    home = connection.exec_driver_sql(
        "select database_name from duckdb_databases() where not internal and database_name <> 'mel_scratch'"
    ).scalar_one()
    connection.exec_driver_sql(f'use "{home}"')
    connection.commit()
    connection.exec_driver_sql("detach mel_scratch")
    connection.commit()


def _present(connection: sa.Connection, home: str) -> dict[str, list[str]]:
    """Tables of the warehouse with their columns in order."""
    catalog, _, schema = home.rpartition(".")
    condition = "table_schema = :schema" + (" and table_catalog = :catalog" if catalog else "")
    rows = connection.execute(
        sa.text(
            f"select table_name, column_name from information_schema.columns where {condition}"  # noqa: S608
            " order by table_name, ordinal_position"
        ),
        {"schema": schema.strip('"'), **({"catalog": catalog.strip('"')} if catalog else {})},
    )
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(str(table), []).append(str(column))
    return found


def _copy(
    connection: sa.Connection, home: str, table: str, present: Mapping[str, list[str]], past: Past | None
) -> None:
    base = table.removesuffix(HISTORY)
    history = history_of(base)
    names = ", ".join(f'"{name}"' for name in present[table])
    if past is None or history not in present:
        query = f"select {names} from {home}.{table}"  # noqa: S608
    elif _is_replaced_as_a_whole(connection, f"{home}.{base}"):
        query = _whole(f"{home}.{history}", names, past)
    elif table == base:
        query = _rows(f"{home}.{history}", names, past)
    else:
        query = _versions(f"{home}.{history}", names, past)
    connection.exec_driver_sql(f"create table {table} as {query}")


def _is_replaced_as_a_whole(connection: sa.Connection, table: str) -> bool:
    """Tables that ``replace_rows`` writes have no keys."""
    query = f"select count(_row_key) from {history_of(table)}"  # noqa: S608
    return int(connection.execute(sa.text(query)).scalar_one()) == 0


# CREATE TABLE AS takes no parameters. Moments are our own values, formatted by isoformat.


def _at(moment: datetime) -> str:
    return f"timestamp '{moment.isoformat(sep=' ')}'"


def _whole(history: str, names: str, past: Past) -> str:
    moment = _at(past.until if past.changed else past.moment)
    return (
        f"select {names} from {history} where _load_id = (select _load_id from {history}"  # noqa: S608
        f" where _loaded_at <= {moment} order by _loaded_at desc limit 1)"
    )


def _as_of(history: str, names: str, moment: datetime) -> str:
    return (
        f"select {names} from (select *, row_number() over (partition by _row_key order by _loaded_at desc)"  # noqa: S608
        f" as _place from {history} where _loaded_at <= {_at(moment)}) v where _place = 1"
    )


def _rows(history: str, names: str, past: Past) -> str:
    if past.end is not None:
        return _as_of(history, names, past.end)
    known = f"(select _row_key from {history} where _loaded_at <= {_at(past.moment)})"  # noqa: S608
    then, later = (_as_of(history, names, moment) for moment in (past.moment, past.until))
    if past.changed:
        return f"select * from ({later}) l where _row_key in {known}"  # noqa: S608
    return f"select * from ({then}) t union all select * from ({later}) l where _row_key not in {known}"  # noqa: S608


def _versions(history: str, names: str, past: Past) -> str:
    if past.end is not None:
        return f"select {names} from {history} where _loaded_at <= {_at(past.end)}"  # noqa: S608
    known = f"(select _row_key from {history} where _loaded_at <= {_at(past.moment)})"  # noqa: S608
    between = f"_loaded_at > {_at(past.moment)} and _loaded_at <= {_at(past.until)}"
    kind = "in" if past.changed else "not in"
    return (
        f"select {names} from {history} where _loaded_at <= {_at(past.moment)}"  # noqa: S608
        f" or ({between} and _row_key {kind} {known})"
    )
