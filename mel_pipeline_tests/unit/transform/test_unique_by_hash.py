"""`unique` on DuckDB counts distinct hashes first: the same failures as grouping by the values themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.checks import check_query, failures_in, repeats_query
from mel_pipeline.transform.project import Model, ModelConfig
from mel_pipeline.transform.schema import ColumnTest

TESTS = [ColumnTest("not_null", "a"), ColumnTest("unique", "a"), ColumnTest("unique", "b")]
MODEL = Model("model", Path("model.sql"), "marts", ModelConfig(), "", {}, TESTS, [], {}, [], [])
KINDS = {
    "text": st.sampled_from(["", "a", "A", "á", "a\u0301", "b ", "b"]) | st.text(max_size=3),
    "double": st.sampled_from([0.0, -0.0, float("nan"), float("inf"), 1.5]) | st.floats(),
    "bigint": st.integers(-3, 3),
    "boolean": st.booleans(),
    "date": st.dates(),
}
PROJECT = SqlProject.__new__(SqlProject)  # not read: the model has no test in a file of its own


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[tuple[Any, Any]]]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    values = st.none() | KINDS[kind]
    return kind, draw(st.lists(st.tuples(values, values), max_size=8))


def failures(database: duckdb.DuckDBPyConnection, query: str) -> dict[int, int]:
    return failures_in(database.execute(query).fetchall()) if query else {}


@given(table=tables())
@example(table=("text", [("a", None), ("a", None), (None, "b")]))
@example(table=("text", [("a", "b"), (None, "c"), (None, "d")]))
@example(table=("double", [(0.0, float("nan")), (-0.0, float("nan"))]))
def test_the_failures_are_those_of_grouping_by_the_values(
    database: duckdb.DuckDBPyConnection, table: tuple[str, list[tuple[Any, Any]]]
) -> None:
    kind, rows = table
    database.execute(f"create or replace table model (a {kind}, b {kind})")
    if rows:
        database.executemany("insert into model values (?, ?)", rows)
    first = failures(database, check_query(PROJECT, MODEL, {}, hashes_first=True))
    again = failures(database, repeats_query(MODEL, first))
    assert first | again == failures(database, check_query(PROJECT, MODEL, {}))


def test_values_are_grouped_only_where_hashes_are_not_all_different() -> None:
    assert "group by" not in check_query(PROJECT, MODEL, {}, hashes_first=True)
    assert repeats_query(MODEL, {0: 4, 1: 0, 2: 0}) == ""
    assert "group by b" in repeats_query(MODEL, {0: 4, 1: 0, 2: 3})
    assert "group by a" not in repeats_query(MODEL, {0: 4, 1: 0, 2: 3})
