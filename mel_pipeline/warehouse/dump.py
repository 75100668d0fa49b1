"""A whole warehouse as Parquet files, one a table, and back into either engine.

Views are no data: the models write them. What is read is one state of the database, even while a run writes.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.warehouse import parquet
from mel_pipeline.warehouse.migrating import create_at, ensure_tables, version_of
from mel_pipeline.warehouse.tables import HEAD, VERSION_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.warehouse.engine import Warehouse

LISTING = "tables.json"
_KINDS = {  # what the engines call a type → a name that both understand
    "character varying": "text",
    "varchar": "text",
    "text": "text",
    "bigint": "bigint",
    "integer": "integer",
    "smallint": "smallint",
    "double": "double precision",
    "double precision": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
}


@dataclass(frozen=True)
class Table:
    """One table of a dump: its columns with types, in order, and its number of rows."""

    name: str
    columns: list[tuple[str, str]]
    rows: int

    @property
    def file(self) -> str:
        return f"{self.name}.parquet"


@dataclass(frozen=True)
class Dump:
    """The tables of a dump, and the layout version of the package's own ones."""

    layout: str
    tables: list[Table]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def dump(warehouse: Warehouse, folder: Path) -> Dump:
    """Write every table into ``folder``, and the list of them.

    Raises:
        WarehouseError: there is nothing in the warehouse, or a column has a type that cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with warehouse.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.rollback()
            connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
        found = _tables(connection)
        if VERSION_TABLE not in found:
            raise WarehouseError("Copying the warehouse: it is empty. Run a quarter first.")
        layout = version_of(connection) or HEAD
        tables = [Table(name, found[name], 0) for name in sorted(found) if name != VERSION_TABLE]
        _write(connection, tables, folder)
        connection.rollback()
    counted = [rows for rows, _ in parquet.digests([folder / table.file for table in tables])]
    made = Dump(layout, [replace(table, rows=rows) for table, rows in zip(tables, counted, strict=True)])
    (folder / LISTING).write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
    return made


def read_listing(folder: Path) -> Dump:
    """The tables of a dump.

    Raises:
        WarehouseError: the list cannot be read.
    """
    try:
        written = json.loads((folder / LISTING).read_text(encoding="utf-8"))
        tables = [
            Table(item["name"], [(name, kind) for name, kind in item["columns"]], item["rows"])
            for item in written["tables"]
        ]
        return Dump(written["layout"], tables)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WarehouseError(f"Reading {folder / LISTING}: {error}. The copy is not complete.") from None


def restore(warehouse: Warehouse, folder: Path) -> Dump:
    """Load a dump into an empty warehouse, in one transaction, and compare every table with its file.

    Raises:
        WarehouseError: the warehouse is not empty, the dump is of a newer version, or a table came out differently.
            Nothing was changed.
    """
    listed = read_listing(folder)
    if listed.layout > HEAD:
        raise WarehouseError(
            f"Loading the copy in {folder}: it was written by a newer version (layout {listed.layout}, this one knows"
            f" {HEAD}). Install that version. Nothing was changed."
        )
    with warehouse.transaction() as connection:
        if present := _tables(connection):
            raise WarehouseError(
                f"Loading the copy in {folder}: the warehouse already holds {len(present)} tables. Choose an empty"
                " one, or remove them with `mel warehouse empty`. Nothing was changed."
            )
        create_at(connection, listed.layout)
        own = _tables(connection)
        for table in listed.tables:
            name = _quoted(connection, table.name)
            if table.name not in own:
                parquet.make_table(connection, name, table.columns)
            parquet.copy_in(connection, name, table.columns, [folder / table.file])
        if different := _differing(connection, listed.tables, folder):
            raise WarehouseError(
                f"Loading the copy in {folder}: {', '.join(different)} came out differently. Nothing was changed."
            )
        ensure_tables(connection)
    warehouse.fold()
    return listed


def copy(source: Warehouse, target: Warehouse, spool: Path) -> Dump:
    """Everything from one warehouse into another, empty one. Errors as ``dump`` and ``restore``.

    Args:
        spool: folder for the files in between; they are removed.
    """
    spool.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=spool, prefix="copy-") as folder:
        dump(source, Path(folder))
        return restore(target, Path(folder))


def _write(connection: sa.Connection, tables: Sequence[Table], folder: Path) -> None:
    for table in tables:
        parquet.copy_out(connection, _quoted(connection, table.name), table.columns, folder / table.file)


def _differing(connection: sa.Connection, tables: Sequence[Table], folder: Path) -> list[str]:
    """Tables whose rows are not those of their files."""
    with tempfile.TemporaryDirectory(prefix="mel-compared-") as place:
        _write(connection, tables, Path(place))
        before, after = (
            parquet.digests([one / table.file for table in tables]) for one in (folder, Path(place))
        )
    return [table.name for table, one, other in zip(tables, before, after, strict=True) if one != other]


def _tables(connection: sa.Connection) -> dict[str, list[tuple[str, str]]]:
    """Tables with their columns.

    Raises:
        WarehouseError: a column's type has no name that both engines know.
    """
    rows = connection.execute(
        sa.text(
            "select c.table_name, c.column_name, lower(c.data_type) as kind, c.numeric_precision, c.numeric_scale"
            " from information_schema.columns c join information_schema.tables t on t.table_name = c.table_name"
            " and t.table_schema = c.table_schema and t.table_catalog = c.table_catalog"
            " where c.table_schema = current_schema() and c.table_catalog = current_database()"
            " and t.table_type = 'BASE TABLE' order by c.table_name, c.ordinal_position"
        )
    ).all()
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind, precision, scale in rows:
        found.setdefault(str(table), []).append((str(column), _kind(table, column, kind, precision, scale)))
    return found


def _kind(table: str, column: str, kind: str, precision: int | None, scale: int | None) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind.startswith(("numeric", "decimal")) and precision:
        return f"numeric({precision},{scale or 0})"
    raise WarehouseError(
        f"Copying the warehouse: {table}.{column} is of the type {kind}, which is not copied."
    )


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
