"""Migrate the package's own tables to this version's layout: by alembic, in the writer's own transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.warehouse.tables import HEAD, VERSION_TABLE, metadata

if TYPE_CHECKING:
    from mel_pipeline.warehouse.engine import Warehouse

SCRIPTS = Path(__file__).parent / "migrations"
_SEEN = "all tables of this version were there"  # kept per open connection: our tables are never dropped


def ensure_tables(connection: sa.Connection) -> None:
    """Create missing tables and upgrade those of an older version; one query when all is up to date.

    Raises:
        WarehouseError: this warehouse was written by a newer version.
    """
    if _SEEN in connection.info:
        return
    names = {VERSION_TABLE, *metadata.tables}
    found = set(
        connection.execute(
            sa.text(
                "select table_name from information_schema.tables where table_schema = current_schema()"
                " and table_catalog = current_database() and table_name in :names"
            ).bindparams(sa.bindparam("names", expanding=True)),
            {"names": sorted(names)},
        ).scalars()
    )
    if not found:
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(f"create table {VERSION_TABLE} (version_num varchar(32) not null)")
        connection.execute(sa.text(f"insert into {VERSION_TABLE} values (:head)"), {"head": HEAD})  # noqa: S608
        return
    version = version_of(connection) if VERSION_TABLE in found else None
    if version != HEAD:
        _upgrade(connection, version)
    else:
        connection.info[_SEEN] = True


def upgraded(warehouse: Warehouse) -> Warehouse:
    """The warehouse, in this version's layout where an older one wrote it: for those who read before they write."""
    with warehouse.connect() as connection:
        is_old = sa.inspect(connection).has_table(VERSION_TABLE) and (version_of(connection) or "") < HEAD
    if is_old:
        with warehouse.transaction() as connection:
            ensure_tables(connection)
    return warehouse


def create_at(connection: sa.Connection, layout: str) -> None:
    """The package's tables, empty, in the layout of an older or of this version."""
    if layout == HEAD:
        ensure_tables(connection)
    else:
        _migrate(connection, layout)


def is_there(connection: sa.Connection, table: sa.Table) -> bool:
    """Whether one of the package's tables exists; cached per connection, as database catalogues are slow to query."""
    return _SEEN in connection.info or sa.inspect(connection).has_table(table.name)


def version_of(connection: sa.Connection) -> str | None:
    """The layout version of a warehouse."""
    return connection.execute(sa.text(f"select max(version_num) from {VERSION_TABLE}")).scalar()  # noqa: S608


def _upgrade(connection: sa.Connection, version: str | None) -> None:
    if version is not None and version > HEAD:
        raise WarehouseError(
            f"Opening the warehouse: it was written by a newer version of this package (layout {version}, this one knows"
            f" {HEAD}). Install the newer version again. Nothing was changed."
        )
    _migrate(connection, HEAD)


def _migrate(connection: sa.Connection, layout: str) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "duckdb":
        # The dialect registers itself when a connection is opened after Alembic was loaded; here it was before.
        import duckdb_sqlalchemy.alembic_impl  # noqa: F401
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, layout)
