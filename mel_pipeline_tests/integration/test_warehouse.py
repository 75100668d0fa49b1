"""The one way into the database."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from mel_pipeline.warehouse import Warehouse


def test_an_error_of_the_database_repeats_no_value_it_was_given(tmp_path: Path) -> None:
    """A failing statement is printed with its parameters otherwise, and those may be somebody's name."""
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5)
    with pytest.raises(sa.exc.DBAPIError) as caught, warehouse.connect() as connection:
        connection.execute(sa.text("insert into no_such_table values (:name)"), {"name": "Ada Example"})
    assert "Ada" not in str(caught.value)
    assert "no_such_table" in str(caught.value)


def test_settings_of_duckdb_stand_in_the_url_and_hold_in_every_connection(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'warehouse.duckdb'}?memory_limit=300MB&preserve_insertion_order=false"
    asked = "select current_setting('memory_limit') as memory, current_setting('preserve_insertion_order') as keeps"
    first = Warehouse(url, 5)
    with first.transaction(memory_mb=200) as connection:
        connection.exec_driver_sql("create table t as select 1 as n")
    first.fold()
    for warehouse in (first, Warehouse(url, 5)):
        assert warehouse.records(asked) == [{"memory": "286.1 MiB", "keeps": False}]
        assert warehouse.tables() == {"t"}
