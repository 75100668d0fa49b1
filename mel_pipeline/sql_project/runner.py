"""Run models in dependency order. One transaction a model: a kill leaves the old rows or the new ones.

A model's tests run inside its transaction. When one of severity error fails, the model is rolled back,
so the last good rows stay, and whatever reads it is skipped with the reason.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mel_pipeline.errors import ModelError
from mel_pipeline.sql_project.checks import check_query, check_results, tables_read
from mel_pipeline.sql_project.results import ModelResult, TestResult

if TYPE_CHECKING:
    import sqlalchemy as sa

    from mel_pipeline.sql_project.project import Model, SqlProject


class Database(Protocol):
    """What the runner needs of the warehouse."""

    def connect(self) -> AbstractContextManager[sa.Connection]:
        """An open connection, closed afterwards."""


class _ChecksFailedError(Exception):
    def __init__(self, tests: list[TestResult]) -> None:
        self.tests = tests


class Runner:
    """Builds models in a database.

    Args:
        warehouse: opens the connection; it is kept for the length of a run (a second or two), as opening
            a DuckDB file costs more than most models.
    """

    def __init__(self, warehouse: Database) -> None:
        self.warehouse = warehouse

    def run(
        self,
        project: SqlProject,
        select: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
        *,
        full_refresh: bool = False,
        with_tests: bool = True,
    ) -> Iterator[ModelResult]:
        """Run the selected models, upstream first, and tell of each as it ends.

        Args:
            variables: added to those the project was loaded with.
            full_refresh: rebuild incremental tables from nothing; other quarters have to be run again.
            with_tests: false where the tests have been run on the same rows before.

        A model that fails does not raise: its result says ``failed``, and those that read it ``skipped``.
        """
        wanted = {**project.variables, **(variables or {})}
        models = project.order(select)
        if not models:
            return
        broken: dict[str, str] = {}  # model that did not succeed -> the failure it goes back to
        with self.warehouse.connect() as connection:
            build = _Build(connection, project, wanted, full_refresh, with_tests, _relations(connection))
            _create_missing_sources(build, models)
            for model in models:
                cause = next((broken[name] for name in model.depends_on if name in broken), None)
                skipped = ModelResult(model.name, "skipped", message=f"Not run. {cause}")
                result = skipped if cause else _run_model(build, model)
                if result.status != "ok":
                    broken[model.name] = cause or f"{model.name} failed: {result.message}"
                yield result


@dataclass
class _Build:
    """What one run needs at each model. ``relations`` are the tables and views that exist, with their kind."""

    connection: sa.Connection
    project: SqlProject
    variables: Mapping[str, object]
    full_refresh: bool
    with_tests: bool
    relations: dict[str, str]


def _run_model(build: _Build, model: Model) -> ModelResult:
    import sqlalchemy as sa

    started = time.perf_counter()
    sql, rows, message = "", 0, ""
    tests: list[TestResult] = []
    existing = build.relations.get(model.name)
    grows = model.config.materialized == "incremental" and existing == "table" and not build.full_refresh
    try:
        sql = build.project.compile(model.name, build.variables, incremental=grows)
        with build.connection.begin():
            rows = _write(build.connection, model, sql, existing, grows)
            tests = _run_tests(build, model) if build.with_tests else []
        build.relations[model.name] = "view" if model.config.materialized == "view" else "table"
    except _ChecksFailedError as failed:
        tests = failed.tests
        said = " ".join(test.sentence for test in tests if not test.passed and test.severity == "error")
        message = f"{said} The rows from before this run were kept."
    except ModelError as error:
        message = str(error)
    except sa.exc.DBAPIError as error:
        message = _explained(model, error)
    return ModelResult(
        model.name, "failed" if message else "ok", rows, time.perf_counter() - started, tests, sql, message
    )


def _explained(model: Model, error: sa.exc.DBAPIError) -> str:
    reason = str(error.orig).strip().splitlines()[0].rstrip(".!")
    if reason.startswith("Conversion"):
        reason = re.sub(r"'.*'", "'…'", reason)  # the value itself may be personal
    return f"Running {model.path.name}: {reason}. If a table is missing, run the models it comes from first."


def _write(connection: sa.Connection, model: Model, sql: str, existing: str | None, grows: bool) -> int:
    """Write the model and count its rows (of the replaced part, when it grows)."""
    name = model.name
    if grows:
        return _replace_part(connection, model, sql)
    if existing:
        _execute(connection, f"drop {existing} {name}")
    kind = "view" if model.config.materialized == "view" else "table"
    _execute(connection, f"create {kind} {name} as {sql}")
    return _count(connection, name)


def _replace_part(connection: sa.Connection, model: Model, sql: str) -> int:
    """Delete the rows whose key the new rows carry, then insert the new ones."""
    name, key, incoming = model.name, model.config.unique_key, f"_incoming_{model.name}"
    _execute(connection, f"create temporary table {incoming} as {sql}")
    old, new = _columns(connection, name), _columns(connection, incoming)
    if old != new:
        differing = ", ".join(
            sorted({f"{column} {kind}" for column, kind in set(old.items()) ^ set(new.items())})
        )
        raise ModelError(
            f"The columns of {name} have changed ({differing}). Quarters stored earlier lack them:"
            " `mel recalculate` builds every quarter anew. Nothing was changed."
        )
    listed = ", ".join(new)
    _execute(connection, f"delete from {name} where {key} in (select distinct {key} from {incoming})")  # noqa: S608
    _execute(connection, f"insert into {name} ({listed}) select {listed} from {incoming}")  # noqa: S608
    rows = _count(connection, incoming)
    _execute(connection, f"drop table {incoming}")
    return rows


def _run_tests(build: _Build, model: Model) -> list[TestResult]:
    absent = tables_read(build.project, model) - set(build.relations)
    query = check_query(build.project, model, build.variables, absent)
    rows = build.connection.exec_driver_sql(query).all() if query else []
    tests = check_results(build.project, model, {int(row[0]): int(row[1]) for row in rows})
    if any(not test.passed and test.severity == "error" for test in tests):
        raise _ChecksFailedError(tests)
    return tests


def _create_missing_sources(build: _Build, models: list[Model]) -> None:
    """A source that was never loaded is an empty table, so that its indicators say "not available"."""
    missing = {table for model in models for table in model.sources} - set(build.relations)
    if not missing:
        return
    with build.connection.begin():
        for table in sorted(missing):
            columns = build.project.source_table(table).columns
            body = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            _execute(build.connection, f"create table {table} ({body})")
            build.relations[table] = "table"


def _relations(connection: sa.Connection) -> dict[str, str]:
    with connection.begin():
        rows = connection.exec_driver_sql(
            "select table_name, table_type from information_schema.tables"
            " where table_schema = current_schema() and table_catalog = current_database()"
        )
        return {str(name): "view" if kind == "VIEW" else "table" for name, kind in rows}


def _columns(connection: sa.Connection, table: str) -> dict[str, str]:
    import sqlalchemy as sa

    rows = connection.execute(
        sa.text(
            "select column_name, data_type from information_schema.columns"
            " where table_name = :name order by ordinal_position"
        ),
        {"name": table},
    )
    return {str(row[0]): str(row[1]) for row in rows}


def _execute(connection: sa.Connection, sql: str) -> None:
    # The driver's own call: a colon or a percent sign in a model is SQL, not a parameter.
    connection.exec_driver_sql(sql)


def _count(connection: sa.Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar() or 0)  # noqa: S608
