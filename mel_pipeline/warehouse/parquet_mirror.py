"""A folder of Parquet files mirroring the warehouse, for an engine that runs on other machines.

Tables the engine reads are exported; what it builds is imported as rows. Every copy is a folder of its own that is
never written again; a ledger in the warehouse says which folders are current. So rows and folders change in one
transaction, and a folder missing from the ledger is left over from an interrupted run.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mel_pipeline.core.errors import ModelError, SettingsError
from mel_pipeline.core.private_files import share_folder, shared_with
from mel_pipeline.warehouse import parquet
from mel_pipeline.warehouse.migrating import ensure_tables, is_there
from mel_pipeline.warehouse.parquet import Columns
from mel_pipeline.warehouse.tables import lake_part

if TYPE_CHECKING:
    from mel_pipeline.warehouse.engine import Warehouse

ABANDONED = 24 * 3600.0  # seconds; a younger folder may belong to a run in progress


@dataclass(frozen=True)
class Part:
    """A current folder of Parquet files. Same definition and same rows give the same ``fingerprint``."""

    table: str
    version: str
    fingerprint: str
    rows: int
    columns: Columns
    part: str = ""
    failures: Mapping[int, int] = field(default_factory=dict)


class ParquetMirror:
    """Exports tables to the folder and imports them back.

    Args:
        folder: every machine of the engine must reach it under this same path.
    """

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder.resolve()

    def parts(self) -> dict[str, list[Part]]:
        """Current parts, by table.

        Raises:
            SettingsError: the folder cannot be made.
        """
        try:
            share_folder(self.folder)
        except OSError as error:
            raise SettingsError(
                f"Opening the Parquet folder {self.folder}: {error.strerror}. Create it, or set MEL_SPARK_LAKE to one that"
                " this machine and every worker can write to."
            ) from error
        with self.warehouse.transaction() as connection:
            ensure_tables(connection)
            rows = connection.execute(
                sa.select(lake_part).where(lake_part.c.folder == str(self.folder)).order_by(lake_part.c.part)
            ).all()
        found: dict[str, list[Part]] = {}
        for row in rows:
            columns = [(str(name), str(kind)) for name, kind in json.loads(row.columns)]
            failures = {int(number): int(count) for number, count in json.loads(row.failures).items()}
            found.setdefault(row.table_name, []).append(
                Part(row.table_name, row.version, row.fingerprint, row.row_count, columns, row.part, failures)
            )
        return found

    def path(self, part: Part) -> Path:
        return self.folder / part.table / part.version

    def is_there(self, part: Part) -> bool:
        """False when the folder was removed."""
        return not part.version or self.path(part).is_dir()

    def new_version(self, table: str) -> str:
        with shared_with(self.folder):  # Spark's workers may be of another user
            (self.folder / table).mkdir(parents=True, exist_ok=True)
        return secrets.token_hex(8)

    def drop(self, table: str, version: str) -> None:
        """Remove a version that is not current."""
        shutil.rmtree(self.folder / table / version, ignore_errors=True)

    def hand_over(
        self, tables: Mapping[str, Columns], known: Mapping[str, list[Part]]
    ) -> tuple[list[Part], list[str]]:
        """Export the tables whose rows changed since their last export; all as of one moment.

        Args:
            tables: declared columns by table; columns missing from a table are left out.

        Returns:
            A part for every existing table, and the names of the tables exported now.
        """
        parts: list[Part] = []
        with self.warehouse.transaction() as connection:  # blocks other writers
            for table, declared in tables.items():
                present = parquet.columns_of(connection, table)
                columns = [(name, kind) for name, kind in declared if name.lower() in present]
                if not columns:
                    continue
                rows, digest = parquet.digest(connection, table, columns)
                before = next((part for part in known.get(table, []) if part.fingerprint == digest), None)
                if before and self.is_there(before):
                    parts.append(before)
                    continue
                part = Part(table, self.new_version(table), digest, rows, columns)
                with shared_with(self.folder):
                    self.path(part).mkdir()
                    parquet.copy_out(connection, table, columns, self.path(part) / "part-0.parquet")
                parts.append(part)
        fresh = [part for part in parts if part not in known.get(part.table, [])]
        if fresh:
            with self.warehouse.transaction() as connection:
                for part in fresh:
                    self._note(connection, part.table, [part], None)
        return parts, [part.table for part in fresh]

    def take_back(self, parts: Sequence[Part], key: str | None, *, whole: bool) -> None:
        """Make new folders current and import their rows, in one transaction.

        Args:
            parts: of one table.
            key: column by which the table grows; its parts replace those of the same value.
            whole: these parts are the whole table.

        Raises:
            ModelError: the table has other columns, or holds parts that the folder does not.
        """
        table, columns = parts[0].table, parts[0].columns
        with self.warehouse.transaction() as connection:
            if whole or key is None:
                parquet.make_table(connection, table, columns)
            else:
                self._make_room(connection, table, columns, key, [part.part for part in parts])
            for part in parts:
                parquet.copy_in(connection, table, columns, sorted(self.path(part).glob("*.parquet")))
            self._note(connection, table, parts, None if whole else [part.part for part in parts])

    def note(self, part: Part) -> None:
        """Make a part current that has no rows of its own (a view)."""
        with self.warehouse.transaction() as connection:
            self._note(connection, part.table, [part], None)

    def look(self, table: str, version: str, key: str | None) -> tuple[int, list[Any]]:
        """How many rows a version has, and the values of its key."""
        return parquet.look(sorted((self.folder / table / version).glob("*.parquet")), key)

    def sweep(self) -> list[str]:
        """Remove folders of interrupted runs, and of versions replaced more than a day ago."""
        counted = {(part.table, part.version) for parts in self.parts().values() for part in parts}
        removed = []
        for folder in self.folder.glob("*/*"):
            place = (folder.parent.name, folder.name)
            if place not in counted and time.time() - folder.stat().st_mtime > ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
                removed.append("/".join(place))
        return removed

    def _make_room(
        self, connection: sa.Connection, table: str, columns: Columns, key: str, values: list[str]
    ) -> None:
        present = parquet.columns_of(connection, table)
        if not present:
            parquet.make_table(connection, table, columns)
            return
        if present != [name.lower() for name, _ in columns]:
            differing = ", ".join(sorted(set(present) ^ {name.lower() for name, _ in columns}))
            raise ModelError(
                f"The columns of {table} have changed ({differing}). Quarters stored earlier lack them:"
                " `mel recalculate` rebuilds every quarter. Nothing was changed."
            )
        here = set(connection.execute(sa.text(f"select distinct {key} from {table}")).scalars())  # noqa: S608
        mine = sa.select(lake_part.c.part).where(
            lake_part.c.folder == str(self.folder), lake_part.c.table_name == table
        )
        if lacking := {str(value) for value in here} - set(connection.execute(mine).scalars()) - set(values):
            raise ModelError(
                f"{table} holds {', '.join(sorted(lacking))} from another engine, and the Parquet folder does not."
                " `mel recalculate` rebuilds every quarter on this engine. Nothing was changed."
            )
        connection.execute(
            sa.text(f"delete from {table} where cast({key} as text) in :values").bindparams(  # noqa: S608
                sa.bindparam("values", values, expanding=True)
            )
        )

    def _note(
        self, connection: sa.Connection, table: str, parts: Iterable[Part], values: list[str] | None
    ) -> None:
        mine = sa.and_(lake_part.c.folder == str(self.folder), lake_part.c.table_name == table)
        replaced = mine if values is None else sa.and_(mine, lake_part.c.part.in_(values))
        connection.execute(sa.delete(lake_part).where(replaced))
        for part in parts:
            connection.execute(
                sa.insert(lake_part).values(
                    folder=str(self.folder),
                    table_name=table,
                    part=part.part,
                    version=part.version,
                    fingerprint=part.fingerprint,
                    row_count=part.rows,
                    columns=json.dumps(part.columns),
                    failures=json.dumps(part.failures),
                )
            )


def forget(connection: sa.Connection) -> int:
    """Remove every copy of rows outside the warehouse after an erasure. The next run exports again.

    Tables that grow by a key stay: they hold quarterly aggregates, and only a recalculation could restore them.

    Returns:
        How many folders of tables were removed.

    Raises:
        SettingsError: a folder is not reachable from here, so its copies would stay.
    """
    if not is_there(connection, lake_part):
        return 0
    folders = [Path(name) for name in connection.execute(sa.select(lake_part.c.folder).distinct()).scalars()]
    if away := [str(folder) for folder in folders if not folder.is_dir()]:
        raise SettingsError(
            f"Removing copies of rows: the Parquet folder {', '.join(away)} is not reachable from this machine. Mount"
            " it, or, if it is gone for good, empty the table lake_part. Nothing was changed."
        )
    growing = set(
        connection.execute(
            sa.select(lake_part.c.table_name).where(lake_part.c.part != "").distinct()
        ).scalars()
    )
    tables = [path for folder in folders for path in folder.iterdir() if path.name not in growing]
    for table in tables:
        shutil.rmtree(table)
    connection.execute(sa.delete(lake_part).where(lake_part.c.table_name.not_in(growing)))
    return len(tables)
