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
