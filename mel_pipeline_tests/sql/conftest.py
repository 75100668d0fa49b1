"""A warehouse with the catalogue landed, on each engine, and a way to fill raw tables with a few rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mel_pipeline.core.settings import PROJECT
from mel_pipeline.ingest.raw_tables import load_catalogue_tables
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.postgres import Server

SQL_FOLDER = PROJECT / "dbt_like_sql"
VARIABLES: dict[str, object] = {
    "quarter": "2024-Q4",
    "today": "2025-02-01",
    "first_quarter": "2024-Q1",
    "time_zone": "Europe/Madrid",
    "currency": "EUR",
    "fund_pipeline": "International Fund",
    "least_attendance_pct": 50,
    "least_attendance_seconds": 0,
}


@pytest.fixture(scope="session")
def project() -> SqlProject:
    return SqlProject.load(SQL_FOLDER, VARIABLES)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, project: SqlProject) -> Path:
    """A DuckDB file with every raw table empty and the catalogue landed."""
    path = tmp_path_factory.mktemp("template") / "warehouse.duckdb"
    prepare(Warehouse(f"duckdb:///{path}"), project)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Server, project: SqlProject) -> str:
    """The same as a database; returns its name, to be copied."""
    prepare(Warehouse(postgres.database(name="mel_template")), project)
    return "mel_template"


def prepare(warehouse: Warehouse, project: SqlProject) -> None:
    """Every raw table, empty; the catalogue landed."""
    with warehouse.transaction() as connection:
        for source in project.source_tables.values():
            if source.source != "catalogue":
                body = ", ".join(f'"{name}" {kind}' for name, kind in source.columns.items())
                connection.exec_driver_sql(f"create table {source.table} ({body})")
    load_catalogue_tables(load_catalogue(SQL_FOLDER), warehouse)
    warehouse.fold()


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse per test; the test runs once on each engine."""
    if request.param == "duckdb":
        path = tmp_path / "warehouse.duckdb"
        shutil.copy(request.getfixturevalue("template"), path)
        opened = Warehouse(f"duckdb:///{path}?threads=1")  # a few rows: threads only wait for each other
        yield opened
        opened.engine.dispose()
        return
    server: Server = request.getfixturevalue("postgres")
    with server.lent(request.getfixturevalue("postgres_template")) as url:
        yield Warehouse(url)


@pytest.fixture
def fill(project: SqlProject) -> Callable[[Warehouse, dict[str, list[dict[str, Any]]]], None]:
    """Insert rows into raw tables; columns a row does not name are missing, as in an export.

    ``_days: 2024-10-01/2024-12-31`` inserts one row per day (column ``period_start``), ``_times: 3`` the same row
    three times with ``{i}`` replaced by its number.
    """

    def insert(warehouse: Warehouse, tables: dict[str, list[dict[str, Any]]]) -> None:
        with warehouse.transaction() as connection:
            for table, rows in tables.items():
                for columns, given in groupby(completed(project, table, rows), key=tuple):
                    names = ", ".join(f'"{name}"' for name in columns)
                    places, bound = [], {}
                    for number, row in enumerate(given):
                        line = {f"v{number}_{place}": value for place, value in enumerate(row.values())}
                        places.append(f"({', '.join(f':{name}' for name in line)})")
                        bound |= line
                    statement = sa.text(f"insert into {table} ({names}) values {', '.join(places)}")
                    connection.execute(statement, bound)

    return insert


def completed(project: SqlProject, table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The expanded rows, each with its key and not deleted unless it says so."""
    columns = project.source_table(table).columns
    made = [
        {"_row_key": str(number), "_is_deleted": False, **row}
        for number, row in enumerate(_expanded(rows), start=1)
    ]
    unknown = {name for row in made for name in row} - set(columns)
    assert not unknown, f"{table} has no column {unknown}"
    return made


def _expanded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for given in rows:
        row = dict(given)
        days, times = row.pop("_days", None), row.pop("_times", None)
        if days:
            first, last = (date.fromisoformat(part) for part in days.split("/"))
            span = (last - first).days + 1
            made += [
                {**row, "period_start": (first + timedelta(days=number)).isoformat()}
                for number in range(span)
            ]
        elif times:
            made += [
                {
                    key: value.replace("{i}", str(i)) if isinstance(value, str) else value
                    for key, value in row.items()
                }
                for i in range(times)
            ]
        else:
            made.append(row)
    return made
