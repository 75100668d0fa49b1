"""Run models in dependency order, one transaction per model: a kill leaves the old rows or the new ones.

A model's tests run inside its transaction. When one of severity error fails, the model is rolled back,
so the last good rows stay, and its downstream models are skipped with the reason.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from mel_pipeline.core.disk_trouble import says_full_disk
from mel_pipeline.core.errors import ModelError
from mel_pipeline.transform.checks import (
    check_query,
    check_results,
    failures_in,
    has_failed,
    repeats_query,
    tables_read,
)
from mel_pipeline.transform.fingerprints import BuildFingerprints, own_part
from mel_pipeline.transform.results import ModelResult, TestResult
from mel_pipeline.transform.writing import VERBATIM, execute, write_model

if TYPE_CHECKING:
    import sqlalchemy as sa

    from mel_pipeline.transform.project import Model, SqlProject


class Database(Protocol):
    """What the runner needs from the warehouse."""

    def alone(self) -> AbstractContextManager[sa.Connection]:
        """An open connection as the only writer, closed afterwards."""


class _ChecksFailedError(Exception):
    def __init__(self, tests: list[TestResult]) -> None:
        self.tests = tests


class Runner:
    """Builds models in a database.

    Args:
        warehouse: opens the connection, kept open for the whole run (a second or two), as opening
            a DuckDB file costs more than most models.
        only_touched: skip models whose result would be unchanged (see ``fingerprints``).
    """

    def __init__(self, warehouse: Database, *, only_touched: bool = False) -> None:
        self.warehouse = warehouse
        self.only_touched = only_touched

    def run(
        self,
        project: SqlProject,
        select: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
        *,
        full_refresh: bool = False,
        with_tests: bool = True,
    ) -> Iterator[ModelResult]:
        """Run the selected models, upstream first; yields each result as it finishes.

        Args:
            variables: added to those the project was loaded with.
            full_refresh: rebuild incremental tables from scratch; other quarters have to be run again.
            with_tests: false if the tests already ran on the same rows.

        A model that fails does not raise: its result says ``failed``, and those that read it ``skipped``. A full
        disk raises.
        """
        wanted = {**project.variables, **(variables or {})}
        models = project.order(select)
        if not models:
            return
        broken: dict[str, str] = {}  # model that did not succeed -> the original failure
        with self.warehouse.alone() as connection:
            relations = _relations(connection)
            fingerprints = (
                BuildFingerprints(connection, project, wanted, relations) if self.only_touched else None
            )
            build = _Build(connection, project, wanted, full_refresh, with_tests, relations, fingerprints)
            _create_missing_sources(build, models)
            for model in models:
                cause = next((broken[name] for name in model.depends_on if name in broken), None)
                skipped = ModelResult(model.name, "skipped", message=f"Not run. {cause}")
                result = skipped if cause else _run_model(build, model)
                if result.status != "ok":
                    broken[model.name] = cause or f"{model.name} failed: {result.message}"
                yield result

    def touched(
        self, project: SqlProject, select: set[str], parts: Sequence[Mapping[str, object]]
    ) -> list[bool]:
        """Of parts by their variables, whether a run would build a model or count the rows that break a test.

        Asked of all parts at once: each table is read once and not once a part.
        """
        models = project.order(select)
        if not self.only_touched:
            return [True for _ in parts]
        with self.warehouse.alone() as connection:
            relations = _relations(connection)
            first = BuildFingerprints(connection, project, project.variables, relations)
            each = [first.about({**project.variables, **variables}) for variables in parts]
            with connection.begin():
                first.look_ahead(each, models)
                return [not all(part.is_done(model) for model in models) for part in each]


@dataclass
class _Build:
    """What one run needs at each model. ``relations`` are the tables and views that exist, with their kind."""

    connection: sa.Connection
    project: SqlProject
    variables: Mapping[str, object]
    full_refresh: bool
    with_tests: bool
    relations: dict[str, str]
    fingerprints: BuildFingerprints | None


def _run_model(build: _Build, model: Model) -> ModelResult:
    import sqlalchemy as sa

    started = time.perf_counter()
    made, message = _Made(), ""
    try:
        with build.connection.begin():
            _make(build, model, made)
        build.relations[model.name] = "view" if model.config.materialized == "view" else "table"
    except _ChecksFailedError as failed:
        made.tests = failed.tests
        failures = " ".join(
            test.sentence for test in made.tests if not test.passed and test.severity == "error"
        )
        message = f"{failures} The rows from before this run were kept."
    except ModelError as error:
        message = str(error)
    except sa.exc.DBAPIError as error:
        if says_full_disk(str(error)):
            raise  # no other model can be written either
        message = _explained(model, error)
    if message and build.fingerprints:
        build.fingerprints.forget(model)  # the transaction is rolled back
    seconds = time.perf_counter() - started
    status: Literal["ok", "failed"] = "failed" if message else "ok"
    return ModelResult(
        model.name, status, made.rows, seconds, made.tests, made.sql, message, made.is_unchanged
    )


@dataclass
class _Made:
    """Results for a model so far."""

    sql: str = ""
    rows: int = 0
    tests: list[TestResult] = field(default_factory=list)
    is_unchanged: bool = False


def _make(build: _Build, model: Model, made: _Made) -> None:
    """Write the model and run its tests; skip either if its result would be unchanged."""
    existing = build.relations.get(model.name)
    grows = model.config.materialized == "incremental" and existing == "table" and not build.full_refresh
    made.sql = build.project.compile(model.name, build.variables, incremental=grows)
    fingerprints = build.fingerprints if build.fingerprints and build.fingerprints.can_recall(model) else None
    known = fingerprints.recall(model) if fingerprints and existing and not build.full_refresh else None
    if fingerprints and known and fingerprints.is_current(model, made.sql):
        made.is_unchanged, made.rows = True, known.rows
    else:
        part = own_part(model, build.variables)
        made.rows = write_model(build.connection, model, made.sql, existing, grows, part)
        if fingerprints:
            fingerprints.forget(model)
    against = fingerprints.checked_against(model) if fingerprints and build.with_tests else ""
    if made.is_unchanged and known and (not build.with_tests or known.checked_against == against):
        failures = known.failures
    else:
        failures = _count_failures(build, model) if build.with_tests else {}
        if fingerprints:
            fingerprints.note(model, fingerprints.made_of(model, made.sql), against, made.rows, failures)
    if build.with_tests:
        made.tests = check_results(build.project, model, failures)
    if has_failed(made.tests):
        raise _ChecksFailedError(made.tests)


def _explained(model: Model, error: sa.exc.DBAPIError) -> str:
    reason = str(error.orig).strip().splitlines()[0].rstrip(".!")
    if reason.startswith("Conversion") or (getattr(error.orig, "sqlstate", None) or "").startswith("22"):
        reason = re.sub(r"(['\"]).*\1", "'…'", reason)  # the value itself may be personal
    return f"Running {model.path.name}: {reason}. If a table is missing, run its upstream models first."


def _count_failures(build: _Build, model: Model) -> dict[int, int]:
    absent = tables_read(build.project, model) - set(build.relations)
    by_hash = build.connection.dialect.name == "duckdb"
    query = check_query(build.project, model, build.variables, absent, hashes_first=by_hash)
    failures = _counted(build, query)
    return failures | _counted(build, repeats_query(model, failures)) if by_hash else failures


def _counted(build: _Build, query: str) -> dict[int, int]:
    rows = build.connection.exec_driver_sql(query, execution_options=VERBATIM).all() if query else []
    return failures_in(tuple(row) for row in rows)


def _create_missing_sources(build: _Build, models: list[Model]) -> None:
    """A source that was never loaded is an empty table, so that its indicators say "not available"."""
    missing = {table for model in models for table in model.sources} - set(build.relations)
    if not missing:
        return
    with build.connection.begin():
        for table in sorted(missing):
            columns = build.project.source_table(table).columns
            body = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            execute(build.connection, f"create table {table} ({body})")
            build.relations[table] = "table"


def _relations(connection: sa.Connection) -> dict[str, str]:
    with connection.begin():
        rows = connection.exec_driver_sql(
            "select table_name, table_type from information_schema.tables"
            " where table_schema = current_schema() and table_catalog = current_database()"
        )
        return {str(name): "view" if kind == "VIEW" else "table" for name, kind in rows}
