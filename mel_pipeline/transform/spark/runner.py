"""Run models on Spark in dependency order and import their results into the warehouse.

Like ``Runner``: a model's tests run before its new rows become current, a failure leaves the old rows, and
downstream models are skipped. New rows are a new folder of the mirror; one transaction makes it current and imports
its rows. A model whose SQL, tests and inputs are unchanged since its last run is not built again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mel_pipeline.core.errors import MelError, ModelError
from mel_pipeline.transform.checks import check_query, check_results, failures_in, tables_read
from mel_pipeline.transform.dialects import to_dialect
from mel_pipeline.transform.fingerprints import own_part
from mel_pipeline.transform.results import ModelResult, TestResult
from mel_pipeline.transform.runner import Runner
from mel_pipeline.transform.spark.session import job_timeout, open_session
from mel_pipeline.transform.spark.tables import DIALECT, Tables, columns_of, declared_columns, fingerprint
from mel_pipeline.warehouse.parquet_mirror import Part

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from mel_pipeline.transform.project import Model, SqlProject
    from mel_pipeline.warehouse.parquet_mirror import ParquetMirror

BUILD = "1"  # part of every fingerprint: changing it rebuilds everything


class _ChecksFailedError(Exception):
    def __init__(self, tests: list[TestResult]) -> None:
        self.tests = tests


class SparkRunner:
    """Builds models on a cluster.

    Args:
        mirror: where rows go between the warehouse and Spark.
        master: such as ``spark://host:7077``.
        wait_seconds: how long a job may wait for a worker before it is cancelled.
    """

    def __init__(self, mirror: ParquetMirror, master: str, wait_seconds: float = 300.0) -> None:
        self.mirror, self.master, self.wait_seconds = mirror, master, wait_seconds

    def touched(
        self,
        project: SqlProject,  # noqa: ARG002 - as ``Runner.touched``
        select: set[str],  # noqa: ARG002
        parts: Sequence[Mapping[str, object]],
    ) -> list[bool]:
        """All of them: only a run knows what the folder of Parquet files holds."""
        return [True for _ in parts]

    def run(
        self,
        project: SqlProject,
        select: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
        *,
        full_refresh: bool = False,
        with_tests: bool = True,
    ) -> Iterator[ModelResult]:
        """Run the selected models, upstream first; yields each result as it finishes, like ``Runner.run``.

        Raises:
            SettingsError: PySpark, Java or the Parquet folder is missing.
            ModelError: the cluster does not answer, or folders are lost that cannot be rebuilt.
        """
        wanted = {**project.variables, **(variables or {})}
        models = project.order(select)
        if not models:
            return
        known = _current_parts(self.mirror, project, full_refresh)
        session = open_session(self.master, self.wait_seconds)
        tables = Tables(session, self.mirror, project, wanted, known)
        raw = {name: declared_columns(project, name) for name in sorted(_raw_tables(project, models))}
        for part in self.mirror.hand_over(raw, known)[0]:
            known[part.table] = [part]
        build = _Build(self, tables, self.mirror.warehouse.tables(), full_refresh, with_tests)
        broken: dict[str, str] = {}  # model that did not succeed -> the original failure
        for model in models:
            cause = next((broken[name] for name in model.depends_on if name in broken), None)
            skipped = ModelResult(model.name, "skipped", message=f"Not run. {cause}")
            result = skipped if cause else _run_model(build, model)
            if result.status != "ok":
                broken[model.name] = cause or f"{model.name} failed: {result.message}"
            yield result
        self.mirror.sweep()


@dataclass
class _Build:
    """What one run needs for each model. ``relations`` existed in the warehouse when the run began."""

    runner: SparkRunner
    tables: Tables
    relations: set[str]
    full_refresh: bool
    with_tests: bool


def _current_parts(mirror: ParquetMirror, project: SqlProject, full_refresh: bool) -> dict[str, list[Part]]:
    """Current parts whose folders exist. Missing ones are rebuilt, if possible."""
    known = mirror.parts()
    for table, parts in known.items():
        there = [part for part in parts if mirror.is_there(part)]
        model = project.models.get(table)
        grows = model is not None and model.config.materialized == "incremental"
        if grows and len(there) < len(parts) and not full_refresh:
            lost = ", ".join(sorted(part.part for part in parts if part not in there))
            raise ModelError(
                f"Reading the Parquet folder {mirror.folder}: of {table} the folders of {lost} are gone."
                " `mel recalculate` rebuilds every quarter. Nothing was changed."
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
        failures = " ".join(test.sentence for test in tests if not test.passed and test.severity == "error")
        message = f"{failures} The rows from before this run were kept."
    except MelError as error:
        message = f"Running {model.path.name} on Spark: {str(error).rstrip('.')}."
    except (PySparkException, Py4JError) as error:
        message = _explained(model, error)
    status: Literal["ok", "failed"] = "failed" if message else "ok"
    seconds = time.perf_counter() - started
    return ModelResult(model.name, status, rows, seconds, tests, sql, message, is_unchanged=same is not None)


def _check(build: _Build, model: Model) -> str:
    """The query of the model's tests, without those that refer to tables not built yet."""
    if not build.with_tests:
        return ""
    project = build.tables.project
    absent = {name for name in tables_read(project, model) if not build.tables.is_there(name)}
    query = check_query(project, model, build.tables.variables, absent)
    return to_dialect(query, DIALECT) if query else ""


def _results(build: _Build, model: Model, part: Part) -> list[TestResult]:
    return check_results(build.tables.project, model, part.failures) if build.with_tests else []


def _unchanged(build: _Build, model: Model, mark: str) -> Part | None:
    """The part built from the same inputs, if its rows are still in the warehouse."""
    if build.full_refresh:
        return None
    parts = build.tables.parts.get(model.name, [])
    same = next((part for part in parts if part.fingerprint == mark), None)
    return same if model.name in build.relations else None


def _built(build: _Build, model: Model, sql: str, check: str, mark: str) -> Part:
    tables = build.tables
    tables.make_ready([*model.depends_on, *model.sources, *_seen_by_tests(build, model)])
    with job_timeout(tables.session, build.runner.wait_seconds):
        if model.config.materialized == "view":
            return _build_view(build, model, sql, check, mark)
        return _build_table(build, model, sql, check, mark)


def _seen_by_tests(build: _Build, model: Model) -> list[str]:
    names = tables_read(build.tables.project, model) if build.with_tests else set()
    return [name for name in sorted(names) if build.tables.is_there(name)]


def _build_view(build: _Build, model: Model, sql: str, check: str, mark: str) -> Part:
    """Create the view in the warehouse, too, so that readers there see the same."""
    tables = build.tables
    tables.session.sql(sql).createOrReplaceTempView(model.name)
    failures = _failures(build, model, check)
    mirror = build.runner.mirror
    warehouse_runner = Runner(mirror.warehouse)
    [made] = warehouse_runner.run(tables.project, {model.name}, tables.variables, with_tests=False)
    if made.status != "ok":
        raise ModelError(made.message)
    part = Part(model.name, "", mark, made.rows, [], failures=failures)
    mirror.note(part)
    tables.parts[model.name] = [part]
    return part


def _build_table(build: _Build, model: Model, sql: str, check: str, mark: str) -> Part:
    tables, mirror = build.tables, build.runner.mirror
    key = model.config.unique_key if model.config.materialized == "incremental" else None
    whole = key is None or build.full_refresh
    frame = _typed(tables.session.sql(sql))
    written: list[Part] = []
    try:
        written += _write(build, model, frame, key, mark)
        replaced = {part.part for part in written}
        unchanged = [] if whole else [p for p in tables.parts.get(model.name, []) if p.part not in replaced]
        tables.show(model.name, [*unchanged, *written])
        failures = _failures(build, model, check)
        fresh = [replace(part, failures=failures) for part in written]
        mirror.take_back(fresh, key, whole=whole)
    except BaseException:
        tables.hide(model.name)
        for part in written:
            mirror.drop(model.name, part.version)
        raise
    tables.parts[model.name] = [*unchanged, *fresh]
    return replace(fresh[0], rows=sum(part.rows for part in fresh))


def _typed(frame: DataFrame) -> DataFrame:
    """A column with only NULL has no type in Spark; in DuckDB it is a number."""
    empty = [field.name for field in frame.schema if field.dataType.simpleString() == "void"]
    return frame.withColumns({name: frame[name].cast("int") for name in empty}) if empty else frame


def _write(build: _Build, model: Model, frame: DataFrame, key: str | None, mark: str) -> list[Part]:
    """New rows as new folders: one, or one for each value of the key."""
    table, mirror, columns = model.name, build.runner.mirror, columns_of(frame)
    whole = Part(table, mirror.new_version(table), mark, 0, columns)
    try:
        frame.write.parquet(str(mirror.path(whole)))
        rows, values = mirror.look(table, whole.version, key)
    except BaseException:
        mirror.drop(table, whole.version)
        raise
    if None in values:
        mirror.drop(table, whole.version)
        raise ModelError(f"rows of {table} have no {key}, by which they are replaced")
    if len(values) <= 1:
        return [
            replace(
                whole, rows=rows, part=str(values[0]) if values else own_part(model, build.tables.variables)
            )
        ]
    parts = []
    for value in values:
        part = replace(whole, version=mirror.new_version(table), part=str(value))
        stored = build.tables.read([replace(whole, rows=rows)])
        stored.where(stored[str(key)] == value).write.parquet(str(mirror.path(part)))
        parts.append(replace(part, rows=mirror.look(table, part.version, None)[0]))
    mirror.drop(table, whole.version)
    return parts


def _failures(build: _Build, model: Model, check: str) -> dict[int, int]:
    if not check:
        return {}
    failures = failures_in(build.tables.session.sql(check).collect())
    tests = check_results(build.tables.project, model, failures)
    if any(not test.passed and test.severity == "error" for test in tests):
        raise _ChecksFailedError(tests)
    return failures


def _explained(model: Model, error: Exception) -> str:
    """Spark's name for the error, and its message only where it cannot contain a value of a row."""
    from pyspark.errors import AnalysisException, ParseException

    said = str(error)
    names = re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", said)
    reason = names[-1] if names else type(error).__name__
    if isinstance(error, AnalysisException | ParseException):
        reason = said.splitlines()[0].rstrip(".!")
    return (
        f"Running {model.path.name} on Spark: {reason}. If a table is missing, run its upstream models first."
        " The rows from before this run were kept."
    )
