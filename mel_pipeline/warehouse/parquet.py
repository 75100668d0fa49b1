"""Copy rows between tables and Parquet files. DuckDB reads and writes the files, even when the warehouse is a server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    import duckdb

Columns = list[tuple[str, str]]  # name and SQL type, in order
BATCH = 10_000  # rows sent to a server at a time


def columns_of(connection: sa.Connection, table: str) -> list[str]:
    """Column names in lower case, in order; empty when there is no such table."""
    rows = connection.execute(
        sa.text(
            "select column_name from information_schema.columns where table_name = :name"
            " and table_schema = current_schema() order by ordinal_position"
        ),
        {"name": table},
    )
    return [str(name).lower() for name in rows.scalars()]


def digest(connection: sa.Connection, table: str, columns: Columns) -> tuple[int, str]:
    """Row count, and a digest that is independent of the order of rows."""
    names = ", ".join(f'"{name}"' for name, _ in columns)
    if connection.dialect.name == "duckdb":
        query = f"select count(*), cast(coalesce(sum(hash({names})), 0) as text) from {table}"  # noqa: S608
    else:
        query = (
            "select count(*), cast(coalesce(sum(hashtextextended(cast(t as text), 0)), 0) as text)"  # noqa: S608
            f" from (select {names} from {table}) as t"
        )
    rows, content = connection.exec_driver_sql(query).one()
    return int(rows), f"{rows}:{content}:{','.join(name for name, _ in columns)}"


def copy_out(connection: sa.Connection, table: str, columns: Columns, file: Path) -> None:
    """Write a table as one Parquet file; timestamps without zone are written as UTC."""
    listed = ", ".join(_outward(name, kind) for name, kind in columns)
    if connection.dialect.name == "duckdb":
        connection.exec_driver_sql(
            f"copy (select {listed} from {table}) to {_text(file)} (format parquet)"  # noqa: S608
        )
        return
    with tempfile.NamedTemporaryFile(suffix=".csv", dir=file.parent) as spool:
        plain = ", ".join(f'"{name}"' for name, _ in columns)
        with (
            _driver(connection)
            .cursor()
            .copy(
                f"copy (select {plain} from {table}) to stdout (format csv)"  # noqa: S608
            ) as rows
        ):
            for block in rows:
                spool.write(block)
        spool.flush()
        kinds = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in columns)
        with _local_duckdb() as local:
            # The server quotes an empty string, but not a NULL.
            local.execute(
                f"copy (select {listed} from read_csv({_text(spool.name)}, header = false, auto_detect = false,"  # noqa: S608
                f" delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false, columns = {{{kinds}}}))"
                f" to {_text(file)} (format parquet)"
            )


def copy_in(connection: sa.Connection, table: str, columns: Columns, files: Sequence[Path]) -> None:
    """Append the rows of Parquet files to a table."""
    if not files:
        return
    names = ", ".join(f'"{name}"' for name, _ in columns)
    query = f"select {', '.join(_inward(name, kind) for name, kind in columns)} from {_files(files)}"  # noqa: S608
    if connection.dialect.name == "duckdb":
        connection.exec_driver_sql(f"insert into {table} ({names}) {query}")
        return
    with (
        _local_duckdb() as local,
        _driver(connection).cursor().copy(f"copy {table} ({names}) from stdin") as sink,
    ):
        rows = local.execute(query)
        while batch := rows.fetchmany(BATCH):
            for row in batch:
                sink.write_row(row)


def digests(files: Sequence[Path]) -> list[tuple[int, int]]:
    """Of each file the number of rows and a sum of their hashes, which is independent of their order."""
    with _local_duckdb() as local:
        return [
            local.execute(
                f"select count(*), coalesce(sum(hash(t)), 0) from {_files([file])} as t"  # noqa: S608
            ).fetchall()[0]
            for file in files
        ]


def make_table(connection: sa.Connection, table: str, columns: Columns) -> None:
    """Create an empty table, replacing any table or view of that name.

    On a server, a table that already has these columns is emptied instead, so its grants and views survive.
    """
    body = ", ".join(f'"{name}" {kind}' for name, kind in columns)
    kind = connection.execute(
        sa.text(
            "select table_type from information_schema.tables"
            " where table_name = :name and table_schema = current_schema()"
        ),
        {"name": table},
    ).scalar()
    is_server = connection.dialect.name == "postgresql"
    if is_server and kind == "BASE TABLE":
        connection.exec_driver_sql(f"create temporary table _wanted ({body})")
        same = _types(connection, table) == _types(connection, "_wanted")
        connection.exec_driver_sql("drop table _wanted")
        if same:
            connection.exec_driver_sql(f"delete from {table}")  # noqa: S608
            return
    if kind:
        also = " cascade" if is_server else ""
        connection.exec_driver_sql(f"drop {'view' if kind == 'VIEW' else 'table'} {table}{also}")
    connection.exec_driver_sql(f"create table {table} ({body})")


def _types(connection: sa.Connection, table: str) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        sa.text(
            "select column_name, data_type, numeric_precision, numeric_scale from information_schema.columns"
            " where table_name = :name and (table_schema = current_schema() or table_schema like 'pg_temp%')"
            " order by ordinal_position"
        ),
        {"name": table},
    )
    return [tuple(row) for row in rows]


def look(files: Sequence[Path], key: str | None) -> tuple[int, list[Any]]:
    """Number of rows, and the distinct values of a column."""
    if not files:
        return 0, []
    with _local_duckdb() as local:
        counted = local.execute(f"select count(*) from {_files(files)}").fetchall()  # noqa: S608
        values = local.execute(f'select distinct "{key}" from {_files(files)}').fetchall() if key else []  # noqa: S608
    return int(counted[0][0]), [row[0] for row in values]


def _outward(name: str, kind: str) -> str:
    if kind == "timestamp":
        return f'"{name}" at time zone \'UTC\' as "{name}"'
    return f'cast("{name}" as {kind}) as "{name}"'


def _inward(name: str, kind: str) -> str:
    return f"\"{name}\" at time zone 'UTC'" if kind == "timestamp" else f'"{name}"'


def _files(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(_text(file) for file in files)}])"


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


@contextmanager
def _local_duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    with duckdb.connect(":memory:") as local:
        local.execute("set TimeZone = 'UTC'")
        yield local
