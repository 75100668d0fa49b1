"""Tests of a model as one query, and their results as sentences. Knows the four generic tests of dbt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from mel_pipeline.transform.project import Model, SqlProject
from mel_pipeline.transform.results import TestResult
from mel_pipeline.transform.schema import ColumnTest

# The data-quality dimension of each dbt test.
DIMENSIONS = {
    "not_null": "completeness",
    "accepted_values": "validity",
    "unique": "uniqueness",
    "relationships": "consistency",
}


def tables_read(project: SqlProject, model: Model) -> set[str]:
    """Other models that the tests of a model refer to."""
    parents = {test.parent for test in model.column_tests if test.parent}
    compared = {name for test in model.singular_tests for name in project.singular_tests[test].depends_on}
    return (parents | compared) - {model.name}


def check_query(
    project: SqlProject,
    model: Model,
    variables: Mapping[str, object],
    absent: Collection[str] = (),
    *,
    hashes_first: bool = False,
) -> str:
    """A query for ``failures_in``: how many rows break each test. Empty text when there is none to run.

    Tests that look at one row at a time are counted together: many models are views, and Spark runs a job per scan.

    Args:
        absent: tables that are not built yet; tests that refer to them are left out.
        hashes_first: for DuckDB, where counting distinct hashes takes two thirds of the time of grouping texts: a
            ``unique`` test gives how many values have the hash of another one, and ``repeats_query`` judges those.
    """
    counted: dict[int, str] = {}
    queries: dict[int, str] = {}
    for number, test in enumerate(model.column_tests):
        if condition := _broken_if(test):
            counted[number] = f"count(case when {condition} then 1 end)"
        elif hashes_first and test.kind == "unique":
            there = f"{test.column} is not null"  # hash(null) is a number
            counted[number] = (
                f"count({test.column}) - count(distinct hash({test.column})) filter (where {there})"
            )
        elif test.parent not in absent:
            queries[number] = _failing_rows(model.name, test)
    for number, name in enumerate(model.singular_tests, start=len(model.column_tests)):
        if not set(project.singular_tests[name].depends_on) & set(absent):
            queries[number] = project.compile_test(name, variables)
    parts = _counted_apart(queries)
    if counted:
        counts = " || ',' || ".join(f"cast({count} as text)" for count in counted.values())
        numbers = ",".join(map(str, counted))
        parts.insert(0, f"select '{numbers}' as tests, {counts} as failures from {model.name}")  # noqa: S608
    return " union all ".join(parts)


def repeats_query(model: Model, failures: Mapping[int, int]) -> str:
    """The query for ``failures_in`` of the ``unique`` tests whose hashes are not all different; empty if all are.

    Equal values have equal hashes, as DuckDB groups by them; different values might, too, so these are compared.
    """
    return " union all ".join(
        _counted_apart(
            {
                number: _failing_rows(model.name, test)
                for number, test in enumerate(model.column_tests)
                if test.kind == "unique" and failures.get(number)
            }
        )
    )


def _counted_apart(queries: Mapping[int, str]) -> list[str]:
    return [
        f"select '{number}' as tests, cast(count(*) as text) as failures from ({query}) as broken_{number}"  # noqa: S608
        for number, query in queries.items()
    ]


def failures_in(rows: Iterable[Sequence[Any]]) -> dict[int, int]:
    """How many rows break each test, by its number, from the rows of ``check_query``."""
    found: dict[int, int] = {}
    for tests, failures in rows:
        found |= zip(map(int, tests.split(",")), map(int, failures.split(",")), strict=True)
    return found


def check_results(project: SqlProject, model: Model, failures: Mapping[int, int]) -> list[TestResult]:
    """Counts by test number turned into results; a test without a count is reported as not run."""
    results = []
    for number, test in enumerate(model.column_tests):
        broken = failures.get(number)
        sentence = _sentence(model.name, test, broken or 0)
        found = _result(test.name, broken, test.severity, sentence)
        results.append(replace(found, dimension=DIMENSIONS[test.kind]))
    for number, name in enumerate(model.singular_tests, start=len(model.column_tests)):
        broken = failures.get(number)
        rule = name.replace("_", " ").capitalize()
        sentence = f"{rule}: {_rows(broken)} not." if broken else f"{rule}."
        rule_of = project.singular_tests[name]
        results.append(
            replace(_result(name, broken, rule_of.severity, sentence), dimension=rule_of.dimension)
        )
    return results


def has_failed(results: Iterable[TestResult]) -> bool:
    """Whether a rule is broken that stops the model."""
    return any(not test.passed and test.severity == "error" for test in results)


def _result(name: str, broken: int | None, severity: str, sentence: str) -> TestResult:
    if broken is None:
        return TestResult(name, False, 0, "warn", f"Not checked, a table is not built yet: {sentence}")
    return TestResult(name, not broken, broken, _severity(severity), sentence)


def _severity(text: str) -> Literal["error", "warn"]:
    return "warn" if text == "warn" else "error"


def _broken_if(test: ColumnTest) -> str:
    """What is true of a row that breaks the test; empty for a test that compares rows."""
    column = test.column
    if test.kind == "not_null":
        return f"{column} is null"
    if test.kind == "accepted_values":
        listed = ", ".join("'" + str(value).replace("'", "''") + "'" for value in test.arguments["values"])
        return f"{column} not in ({listed})"
    return ""


def _failing_rows(table: str, test: ColumnTest) -> str:
    column = test.column
    if test.kind == "unique":
        return (
            f"select {column} from {table} where {column} is not null group by {column} having count(*) > 1"  # noqa: S608
        )
    parent, field = test.parent, test.arguments["field"]
    return (
        f"select 1 from {table} as child where child.{column} is not null"  # noqa: S608
        f" and not exists (select 1 from {parent} as parent where parent.{field} = child.{column})"
    )


def _sentence(table: str, test: ColumnTest, broken: int) -> str:
    column = test.column
    if test.kind == "not_null":
        return (
            f"{_rows(broken)} of {table} without {column}."
            if broken
            else f"Every row of {table} has {column}."
        )
    if test.kind == "unique":
        return (
            f"{broken:,} values of {column} occur more than once in {table}."
            if broken
            else f"No {column} twice."
        )
    if test.kind == "accepted_values":
        listed = ", ".join(str(value) for value in test.arguments["values"])
        if broken:
            return f"{_rows(broken)} of {table} where {column} is none of: {listed}."
        return f"Every {column} is one of: {listed}."
    parent = test.parent
    if broken:
        return f"{_rows(broken)} of {table} whose {column} is not in {parent}."
    return f"Every {column} is in {parent}."


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
