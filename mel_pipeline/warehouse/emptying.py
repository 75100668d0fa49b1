"""Empty a warehouse: every table and view of this package goes, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.warehouse import parquet_mirror

if TYPE_CHECKING:
    from mel_pipeline.warehouse.engine import Warehouse


def empty_warehouse(warehouse: Warehouse) -> int:
    """Drop everything in the warehouse's schema and free its space; returns how many tables and views."""
    with warehouse.transaction() as connection:
        parquet_mirror.forget(connection)  # copies for Spark
        quote = connection.dialect.identifier_preparer.quote
        rows = connection.execute(
            sa.text(
                "select table_name, table_type from information_schema.tables"
                " where table_schema = current_schema() and table_catalog = current_database()"
            )
        ).all()
        views = [name for name, kind in rows if kind == "VIEW"]
        tables = [name for name, kind in rows if kind != "VIEW"]
        for kind, names in (("view", views), ("table", tables)):
            for name in names:
                connection.exec_driver_sql(f"drop {kind} if exists {quote(name)} cascade")
    warehouse.engine.dispose()  # connections that have seen the tables
    warehouse.rewrite([])
    return len(rows)
