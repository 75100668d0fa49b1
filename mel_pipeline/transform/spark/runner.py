"""Run models on Spark in dependency order, and bring what they make back into the warehouse.

Like ``Runner``: a model's tests run before its new rows count, a failure leaves the old rows, and whatever
reads it is skipped. New rows are a new folder of the lake; that it counts, and that its rows stand in the warehouse,
is decided in one transaction. A model whose SQL, tests and inputs are those of its last run is not built again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mel_pipeline.core.errors import MelError, ModelError
from mel_pipeline.transform.checks import check_query, check_results, tables_read
from mel_pipeline.transform.dialects import to_dialect
from mel_pipeline.transform.results import ModelResult, TestResult
from mel_pipeline.transform.runner import Runner
from mel_pipeline.transform.spark.session import open_session, patience
from mel_pipeline.transform.spark.tables import DIALECT, Tables, columns_of, declared_columns, fingerprint
from mel_pipeline.warehouse.parquet_mirror import Part

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from mel_pipeline.transform.project import Model, SqlProject
    from mel_pipeline.warehouse.parquet_mirror import ParquetMirror

BUILD = "1"  # part of every fingerprint: another number builds everything anew


class _ChecksFailedError(Exception):
    def __init__(self, tests: list[TestResult]) -> None:
        self.tests = tests


class SparkRunner:
    """Builds models on a cluster.

    Args:
        lake: where rows go between the warehouse and Spark.
        master: such as ``spark://host:7077``.
        wait_seconds: how long a job may wait for a worker before it is given up.
    """

    def __init__(self, lake: ParquetMirror, master: str, wait_seconds: float = 300.0) -> None:
        self.lake, self.master, self.wait_seconds = lake, master, wait_seconds

    def run(
        self,
        project: SqlProject,
        select: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
        *,
        full_refresh: bool = False,
        with_tests: bool = True,
    ) -> Iterator[ModelResult]:
        """Run the selected models, upstream first, and tell of each as it ends; as ``Runner.run``.

        Raises:
            SettingsError: PySpark, Java or the folder of the lake is missing.
            ModelError: the cluster does not answer, or the lake has lost what cannot be built again.
        """
        wanted = {**project.variables, **(variables or {})}
        models = project.order(select)
        if not models:
            return
        known = _standing(self.lake, project, full_refresh)
        session = open_session(self.master, self.wait_seconds)
        tables = Tables(session, self.lake, project, wanted, known)
        raw = {name: declared_columns(project, name) for name in sorted(_raw_tables(project, models))}
        for part in self.lake.hand_over(raw, known)[0]:
            known[part.table] = [part]
        build = _Build(self, tables, self.lake.warehouse.tables(), full_refresh, with_tests)
        broken: dict[str, str] = {}  # model that did not succeed -> the failure it goes back to
        for model in models:
            cause = next((broken[name] for name in model.depends_on if name in broken), None)
            skipped = ModelResult(model.name, "skipped", message=f"Not run. {cause}")
            result = skipped if cause else _run_model(build, model)
            if result.status != "ok":
                broken[model.name] = cause or f"{model.name} failed: {result.message}"
            yield result
        self.lake.sweep()


@dataclass
class _Build:
    """What one run needs at each model. ``relations`` stood in the warehouse when the run began."""

    runner: SparkRunner
    tables: Tables
    relations: set[str]
    full_refresh: bool
    with_tests: bool


def _standing(lake: ParquetMirror, project: SqlProject, full_refresh: bool) -> dict[str, list[Part]]:
    """Parts that count and are there. What is lost is built again, if it can be."""
    known = lake.parts()
    for table, parts in known.items():
        there = [part for part in parts if lake.is_there(part)]
        model = project.models.get(table)
        grows = model is not None and model.config.materialized == "incremental"
        if grows and len(there) < len(parts) and not full_refresh:
            lost = ", ".join(sorted(part.part for part in parts if part not in there))
            raise ModelError(
                f"Reading the lake {lake.folder}: of {table} the folders of {lost} are gone. `mel recalculate` builds every"
                " quarter again. Nothing was changed."
            )
        known[table] = there
    return known


def _raw_tables(project: SqlProject, models: list[Model]) -> set[str]:
    """Raw tables that a run reads: those of its models, and those behind views."""
    selected = {model.name for model in models}
    waiting = [name for model in models for name in [model.name, *tables_read(project, model)]]
    found: set[str] = set()
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        model = project.models[name]
        if name in seen or (name not in selected and model.config.materialized != "view"):
            continue
        seen.add(name)
        found.update(model.sources)
        waiting += model.depends_on
    return found


def _run_model(build: _Build, model: Model) -> ModelResult:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    started = time.perf_counter()
    sql, rows, message = "", 0, ""
    tests: list[TestResult] = []
    same: Part | None = None
    try:
        grows = bool(model.config.unique_key and build.tables.parts.get(model.name))
        sql = build.tables.sql(model, incremental=grows and not build.full_refresh)
        check = _check(build, model)
        inputs = [*model.depends_on, *model.sources, *sorted(tables_read(build.tables.project, model))]
        mark = fingerprint(BUILD, sql, check, *map(build.tables.fingerprint, inputs))
        same = _unchanged(build, model, mark)
        part = same or _built(build, model, sql, check, mark)
        rows, tests = part.rows, _results(build, model, part)
    except _ChecksFailedError as failed:
        tests = failed.tests
        said = " ".join(test.sentence for test in tests if not test.passed and test.severity == "error")
        message = f"{said} The rows from before this run were kept."
    except MelError as error:
        message = f"Running {model.path.name} on Spark: {str(error).rstrip('.')}."
    except (PySparkException, Py4JError) as error:
        message = _explained(model, error)
    status: Literal["ok", "failed"] = "failed" if message else "ok"
    seconds = time.perf_counter() - started
    return ModelResult(model.name, status, rows, seconds, tests, sql, message, is_unchanged=same is not None)


def _check(build: _Build, model: Model) -> str:
    """The query of the model's tests, without those that look into tables not built yet."""
    if not build.with_tests:
        return ""
    project = build.tables.project
    absent = {name for name in tables_read(project, model) if not build.tables.is_there(name)}
    query = check_query(project, model, build.tables.variables, absent)
    return to_dialect(query, DIALECT) if query else ""


def _results(build: _Build, model: Model, part: Part) -> list[TestResult]:
    return check_results(build.tables.project, model, part.failures) if build.with_tests else []


def _unchanged(build: _Build, model: Model, mark: str) -> Part | None:
    """The part that was built from the same, if its rows still stand in the warehouse."""
    if build.full_refresh:
        return None
    parts = build.tables.parts.get(model.name, [])
    same = next((part for part in parts if part.fingerprint == mark), None)
    return same if model.name in build.relations else None


def _built(build: _Build, model: Model, sql: str, check: str, mark: str) -> Part:
    tables = build.tables
    tables.make_ready([*model.depends_on, *model.sources, *_seen_by_tests(build, model)])
    with patience(tables.session, build.runner.wait_seconds):
        if model.config.materialized == "view":
            return _build_view(build, model, sql, check, mark)
        return _build_table(build, model, sql, check, mark)


def _seen_by_tests(build: _Build, model: Model) -> list[str]:
    names = tables_read(build.tables.project, model) if build.with_tests else set()
    return [name for name in sorted(names) if build.tables.is_there(name)]


def _build_view(build: _Build, model: Model, sql: str, check: str, mark: str) -> Part:
    """A view is one in the warehouse too, so that whoever reads it there sees the same."""
    tables = build.tables
    tables.session.sql(sql).createOrReplaceTempView(model.name)
    failures = _failures(build, model, check)
    lake = build.runner.lake
    beside = Runner(lake.warehouse)
    [made] = beside.run(tables.project, {model.name}, tables.variables, with_tests=False)
    if made.status != "ok":
        raise ModelError(made.message)
    part = Part(model.name, "", mark, made.rows, [], failures=failures)
    lake.note(part)
    tables.parts[model.name] = [part]
    return part


def _build_table(build: _Build, model: Model, sql: str, check: str, mark: str) -> Part:
    tables, lake = build.tables, build.runner.lake
    key = model.config.unique_key if model.config.materialized == "incremental" else None
    whole = key is None or build.full_refresh
    frame = _typed(tables.session.sql(sql))
    written: list[Part] = []
    try:
        written += _write(build, model.name, frame, key, mark)
        replaced = {part.part for part in written}
        kept = [] if whole else [p for p in tables.parts.get(model.name, []) if p.part not in replaced]
        tables.show(model.name, [*kept, *written])
        failures = _failures(build, model, check)
        fresh = [replace(part, failures=failures) for part in written]
        lake.take_back(fresh, key, whole=whole)
    except BaseException:
        tables.hide(model.name)
        for part in written:
            lake.drop(model.name, part.version)
        raise
    tables.parts[model.name] = [*kept, *fresh]
    return replace(fresh[0], rows=sum(part.rows for part in fresh))


def _typed(frame: DataFrame) -> DataFrame:
    """A column of nothing but NULL has no type in Spark; in DuckDB it is a number."""
    empty = [field.name for field in frame.schema if field.dataType.simpleString() == "void"]
    return frame.withColumns({name: frame[name].cast("int") for name in empty}) if empty else frame


def _write(build: _Build, table: str, frame: DataFrame, key: str | None, mark: str) -> list[Part]:
    """New rows as new folders: one, or one for each value of the key."""
    lake, columns = build.runner.lake, columns_of(frame)
    whole = Part(table, lake.new_version(table), mark, 0, columns)
    try:
        frame.write.parquet(str(lake.path(whole)))
        rows, values = lake.look(table, whole.version, key)
    except BaseException:
        lake.drop(table, whole.version)
        raise
    if None in values:
        lake.drop(table, whole.version)
        raise ModelError(f"rows of {table} have no {key}, by which they are replaced")
    if len(values) <= 1:
        return [replace(whole, rows=rows, part=str(values[0]) if values else "")]
    parts = []
    for value in values:
        part = replace(whole, version=lake.new_version(table), part=str(value))
        stored = build.tables.read([replace(whole, rows=rows)])
        stored.where(stored[str(key)] == value).write.parquet(str(lake.path(part)))
        parts.append(replace(part, rows=lake.look(table, part.version, None)[0]))
    lake.drop(table, whole.version)
    return parts


def _failures(build: _Build, model: Model, check: str) -> dict[int, int]:
    if not check:
        return {}
    failures = {int(row[0]): int(row[1]) for row in build.tables.session.sql(check).collect()}
    tests = check_results(build.tables.project, model, failures)
    if any(not test.passed and test.severity == "error" for test in tests):
        raise _ChecksFailedError(tests)
    return failures


def _explained(model: Model, error: Exception) -> str:
    """Spark's name for the error, and its sentence only where no value of a row can stand in it."""
    from pyspark.errors import AnalysisException, ParseException

    said = str(error)
    names = re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", said)
    reason = names[-1] if names else type(error).__name__
    if isinstance(error, AnalysisException | ParseException):
        reason = said.splitlines()[0].rstrip(".!")
    return (
        f"Running {model.path.name} on Spark: {reason}. If a table is missing, run the models it comes from first."
        " The rows from before this run were kept."
    )
