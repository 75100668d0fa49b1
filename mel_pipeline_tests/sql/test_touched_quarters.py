"""Property test for "only what new loads touch": an incremental run ends with the tables of a full rebuild."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.fingerprints import QUARTER, slice_read
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.fingerprints import rows_digest
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.depth import IS_DEEP, examples
from mel_pipeline_tests.sql.test_aggregation import (
    EVENTFUL,
    QUARTERS,
    Fill,
    answers,
    events,
    fresh,  # noqa: F401 - a fixture
    members,
    parts,
    rows_of,
)

# Late, changed and deleted rows: per table, indexes of rows to delete and new rows (which may replace them).
changes = st.tuples(st.sets(st.integers(0, 12), max_size=3), st.tuples(members, events, answers, parts))


def _changed(tables: dict[str, list[Any]], change: tuple[set[int], tuple[Any, ...]]) -> dict[str, list[Any]]:
    gone, drawn = change
    coming = rows_of(drawn)
    changed = {}
    for table, rows in tables.items():
        left = {row.get("id", row.get("response_id")): row for n, row in enumerate(rows) if n not in gone}
        # Half of the incoming rows are existing ones with other values; the rest are new.
        for number, row in enumerate(coming[table][:4]):
            key = row.get("id", row.get("response_id")) if number % 2 else f"late{number}"
            left[key] = {**row, "id" if "id" in row else "response_id": key}
        changed[table] = list(left.values())
    return changed


def _replace(warehouse: Warehouse, fill: Fill, tables: dict[str, list[Any]]) -> None:
    with warehouse.transaction() as connection:
        for table in tables:
            connection.exec_driver_sql(f"delete from {table}")
    fill(warehouse, tables)


def _run(warehouse: Warehouse, project: SqlProject, *, only_touched: bool) -> set[tuple[str, str]]:
    """Run every quarter; return what was built. What is said beforehand to be untouched must not be built."""
    built = set()
    runner = Runner(warehouse, only_touched=only_touched)
    growing = {name for name, model in project.models.items() if model.config.unique_key == QUARTER}
    touched = set(QUARTERS)
    if only_touched:
        for run in runner.run(project, set(project.models) - growing):
            if not run.is_unchanged:
                built.add((run.name, ""))
        asked = runner.touched(project, growing, [{QUARTER: quarter} for quarter in QUARTERS])
        touched = {quarter for quarter, is_touched in zip(QUARTERS, asked, strict=True) if is_touched}
    for number, quarter in enumerate(QUARTERS):
        runs = runner.run(
            project, variables={**project.variables, QUARTER: quarter},
            full_refresh=number == 0 and not only_touched,
        )  # fmt: skip
        for run in runs:
            assert run.status == "ok", run.message
            if not run.is_unchanged:
                built.add((run.name, quarter))
    assert {quarter for name, quarter in built if name in growing} <= touched
    assert built or not (touched and only_touched), "nothing is touched where nothing is built"
    return built


def _everything(warehouse: Warehouse, project: SqlProject) -> dict[str, str]:
    with warehouse.connect() as connection:
        return {name: rows_digest(connection, name) for name in project.models}


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.filterwarnings(
    "ignore::hypothesis.errors.HypothesisWarning"
)  # a long example is shown all the same
@settings(
    max_examples=examples(1, 2),
    phases=[Phase.explicit, Phase.generate]
    if IS_DEEP
    else [Phase.explicit],  # four full runs of four quarters
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=st.tuples(members, events, answers, parts), news=st.lists(changes, min_size=1, max_size=2))
@example(drawn=EVENTFUL, news=[({1, 5}, EVENTFUL)])
@pytest.mark.long
def test_after_late_changed_and_deleted_rows_every_table_is_that_of_a_full_rebuild(
    fresh: Callable[[], Warehouse],  # noqa: F811 - the fixture
    project: SqlProject,
    fill: Fill,
    drawn: tuple[Any, ...],
    news: list[Any],
) -> None:
    warehouse = fresh()
    tables = rows_of(drawn)
    fill(warehouse, tables)
    everything = _run(warehouse, project, only_touched=True)
    for change in news:
        tables = _changed(tables, change)
        _replace(warehouse, fill, tables)
        built = _run(warehouse, project, only_touched=True)
        assert len(built) < len(everything), "something is left alone each time"
        result = _everything(warehouse, project)
        _run(warehouse, project, only_touched=False)
        full = _everything(warehouse, project)
        assert {name for name in result if result[name] != full[name]} == set()
        assert _run(warehouse, project, only_touched=True) == set(), "and it knows what it has left alone"


@pytest.mark.exhaustive
def test_an_indicator_for_a_quarter_depends_only_on_the_slices_it_names(
    year_2024: Organisation, tmp_path: Path
) -> None:
    """Each input is cut to the slice plus one row, which shows that something was loaded, for all that read it so."""
    year_2024.warehouse.fold()
    path = tmp_path / "cut.duckdb"
    proven = set()
    for quarter in QUARTERS:
        variables = sql_variables(year_2024.settings, _parsed(quarter))
        project = SqlProject.load(year_2024.settings.sql_dir, variables)
        shutil.copy(str(sa.make_url(year_2024.settings.database_url).database), path)
        readers = _readers(project, variables)
        sql = {name: project.compile(name) for names in readers.values() for name in names}
        with Warehouse(f"duckdb:///{path}").connect() as connection:
            whole = {name: _rows(connection, query) for name, query in sql.items()}
            connection.rollback()
            for (table, condition), names in readers.items():
                if _cut(connection, table, condition):
                    proven.update((name, table) for name in names)
                different = [name for name in names if _rows(connection, sql[name]) != whole[name]]
                assert different == [], (table, quarter)
                connection.rollback()
    declared = {
        (model.name, name)
        for model in project.models.values()
        for name in model.meta.get("reads_slice_of", ())
    }
    assert declared - proven == set(), "each line is tried on rows that are really taken away"


def _readers(project: SqlProject, variables: Mapping[str, object]) -> dict[tuple[str, str], list[str]]:
    """Models by the table and the condition of the rows that they read."""
    found: dict[tuple[str, str], list[str]] = {}
    for model in project.order():
        for name in model.depends_on:
            if model.config.unique_key == QUARTER and (
                condition := slice_read(project, variables, model, name)
            ):
                found.setdefault((name, condition), []).append(model.name)
    return found


def _parsed(quarter: str) -> Any:
    from mel_pipeline.core.periods import Quarter

    return Quarter.parse(quarter)


def _rows(connection: sa.Connection, sql: str) -> list[str]:
    return sorted(repr(tuple(row)) for row in connection.exec_driver_sql(sql))


def _cut(connection: sa.Connection, name: str, condition: str) -> int:
    """Delete all but one of the rows outside the slice; return how many."""
    kind = connection.execute(
        sa.text("select table_type from information_schema.tables where table_name = :name"), {"name": name}
    ).scalar_one()
    connection.exec_driver_sql(f"create table cut as select *, row_number() over () as cut_n from {name}")
    gone = connection.exec_driver_sql(
        f"delete from cut where ({condition}) is not true and cut_n > 1"
    ).rowcount
    connection.exec_driver_sql(f"drop {'view' if kind == 'VIEW' else 'table'} {name}")
    connection.exec_driver_sql(f"create table {name} as select * exclude (cut_n) from cut")
    connection.exec_driver_sql("drop table cut")
    return int(gone)
