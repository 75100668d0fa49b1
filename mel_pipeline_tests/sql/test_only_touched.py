"""A run builds only what new loads touch; the rest equals a full rebuild."""

from __future__ import annotations

import random
import statistics
import textwrap
from pathlib import Path

import jinja2
import pytest

from mel_pipeline.core.settings import PROJECT
from mel_pipeline.transform import ModelResult, Runner, SqlProject
from mel_pipeline.warehouse import Warehouse

CONFIG = """
name: small
version: "1.0"
models:
  small:
    +materialized: table
    growing: {+materialized: incremental, +unique_key: quarter}
    views: {+materialized: view}
vars: {quarter: 2024-Q1}
"""
SOURCES = """
sources:
  - name: box
    tables:
      - name: events
        identifier: raw_events
        columns: [{name: day, data_type: date}, {name: people, data_type: integer}]
      - name: rates
        identifier: raw_rates
        columns: [{name: rate, data_type: integer}]
"""
MODELS = """
models:
  - name: held
    config: {meta: {slice_by: day}}
    columns:
      - {name: people, data_tests: [not_null]}
  - name: attendance
    config: {meta: {reads_slice_of: [held]}}
"""
FILES = {
    "dbt_project.yml": CONFIG,
    "models/sources.yml": SOURCES,
    "models/models.yml": MODELS,
    "models/views/stg_events.sql": "select day, people from {{ source('box', 'events') }}",
    "models/held.sql": "select day, people from {{ ref('stg_events') }}",
    "models/rates.sql": "select rate from {{ source('box', 'rates') }}",
    "models/growing/attendance.sql": """
        select '{{ var("quarter") }}' as quarter, sum(people) as people from {{ ref('held') }}
        where day >= date '2024-{{ "%02d" | format(3 * (var("quarter")[-1] | int) - 2) }}-01'
            and day < date '2024-{{ "%02d" | format(3 * (var("quarter")[-1] | int)) }}-28'
    """,
}


class Small:
    """A project in a temporary folder on a warehouse with two raw tables."""

    def __init__(self, folder: Path, warehouse_url: str) -> None:
        self.folder = folder / "project"
        self.warehouse = Warehouse(warehouse_url)
        for name, text in FILES.items():
            self.write(name, text)
        self.execute(
            "create table raw_events (day date, people integer)", "create table raw_rates (rate integer)"
        )
        self.execute("insert into raw_events values (date '2024-02-01', 10), (date '2024-05-01', 20)")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def execute(self, *statements: str) -> None:
        with self.warehouse.transaction() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def run(self, quarter: str = "2024-Q1", **more: bool) -> dict[str, ModelResult]:
        project = SqlProject.load(self.folder, {"quarter": quarter})
        runner = Runner(self.warehouse, only_touched=True)
        is_touched = quarter in self.touched(quarter)
        results = {result.name: result for result in runner.run(project, **more)}  # type: ignore[arg-type]
        assert is_touched or more or all(result.is_unchanged for result in results.values())
        return results

    def touched(self, *quarters: str) -> set[str]:
        project = SqlProject.load(self.folder, {"quarter": quarters[0]})
        parts = [{"quarter": quarter} for quarter in quarters]
        asked = Runner(self.warehouse, only_touched=True).touched(project, set(project.models), parts)
        return {quarter for quarter, is_touched in zip(quarters, asked, strict=True) if is_touched}

    def built(self, quarter: str = "2024-Q1", **more: bool) -> set[str]:
        results = self.run(quarter, **more)
        assert {result.status for result in results.values()} == {"ok"}
        return {name for name, result in results.items() if not result.is_unchanged}

    def listed(self) -> list[str]:
        return [
            row["quarter"] for row in self.warehouse.records("select quarter from listed order by quarter")
        ]

    def figures(self) -> dict[str, int]:
        rows = self.warehouse.records("select quarter, people from attendance order by quarter")
        return {row["quarter"]: row["people"] for row in rows}


@pytest.fixture
def small(tmp_path: Path, warehouse_url: str) -> Small:
    made = Small(tmp_path, warehouse_url)
    made.run("2024-Q1")
    made.run("2024-Q2")
    return made


@pytest.mark.slow
def test_a_run_without_new_rows_builds_nothing_and_reports_the_same(small: Small) -> None:
    before = small.run()
    assert small.built() == set()
    again = small.run()
    assert {name: (r.rows, r.tests) for name, r in again.items()} == {
        name: (r.rows, r.tests) for name, r in before.items()
    }
    assert again["held"].tests[0].passed and again["held"].rows == 2


@pytest.mark.slow
def test_quarters_without_news_are_known_without_running_them(small: Small) -> None:
    both = ("2024-Q1", "2024-Q2")
    assert small.touched(*both, "2024-Q3") == {"2024-Q3"}
    small.execute("insert into raw_events values (date '2024-05-02', 7)")
    assert small.touched(*both) == set(both), "tables that all quarters share are to be built"
    small.run("2024-Q1")
    assert small.touched(*both) == {"2024-Q2"}
    small.run("2024-Q2")
    assert small.touched(*both) == set()
    small.execute("update attendance set people = 1 where quarter = '2024-Q1'")
    assert small.touched(*both) == {"2024-Q1"}, "a table changed by hand is noticed"


@pytest.mark.slow
def test_only_models_downstream_of_a_changed_source_are_built(small: Small) -> None:
    small.execute("insert into raw_rates values (2)")
    assert small.built() == {"rates"}
    small.execute("update raw_events set people = 11 where people = 10")
    assert small.built() == {"stg_events", "held", "attendance"}
    assert small.figures() == {"2024-Q1": 11, "2024-Q2": 20}


@pytest.mark.slow
def test_new_rows_of_one_quarter_leave_the_other_quarters_alone(small: Small) -> None:
    small.execute("insert into raw_events values (date '2024-06-01', 5)")
    assert small.built("2024-Q1") == {"stg_events", "held"}
    assert small.built("2024-Q2") == {"attendance"}
    assert small.figures() == {"2024-Q1": 10, "2024-Q2": 25}


LISTED = """
    select '{{ var("quarter") }}' as quarter, day from {{ ref('held') }}
    where extract(quarter from day) = {{ var("quarter")[-1] }}
"""


@pytest.mark.slow
def test_a_quarter_that_lost_all_its_rows_keeps_none_and_is_known(small: Small) -> None:
    """Its new rows name no quarter to be replaced, so the old rows once stayed."""
    small.write("models/growing/listed.sql", LISTED)
    for quarter in ("2024-Q3", "2024-Q2", "2024-Q1"):
        small.run(quarter)
    assert small.listed() == ["2024-Q1", "2024-Q2"]
    small.execute("delete from raw_events where day < date '2024-04-01'")
    assert "listed" in small.built("2024-Q1")
    assert small.listed() == ["2024-Q2"]
    small.run("2024-Q3")  # has none either way
    small.run("2024-Q2")
    small.execute("delete from listed")
    assert small.built("2024-Q1") == small.built("2024-Q3") == set(), (
        "whether other quarters have rows is nothing to it"
    )
    assert small.built("2024-Q2") == {"listed"}


@pytest.mark.slow
def test_adding_the_first_row_or_removing_the_last_touches_every_quarter(small: Small) -> None:
    """A model may distinguish "nothing was ever loaded" from "nothing in this quarter"."""
    small.execute("delete from raw_events where day < date '2024-04-01'")
    small.run("2024-Q1")
    assert small.built("2024-Q1") == set()
    small.execute("delete from raw_events")
    assert "attendance" in small.built("2024-Q1")


@pytest.mark.slow
def test_rows_changed_outside_the_runner_are_built_again(small: Small) -> None:
    small.execute("update held set people = 99 where people = 10")
    assert small.built() == {"held"}
    small.execute("delete from attendance where quarter = '2024-Q2'")
    assert small.built("2024-Q1") == set()
    assert small.built("2024-Q2") == {"attendance"}
    small.execute("drop table rates")
    assert small.built() == {"rates"}
    assert small.figures() == {"2024-Q1": 10, "2024-Q2": 20}


@pytest.mark.slow
def test_a_changed_definition_is_rebuilt_and_so_is_everything_on_demand(small: Small) -> None:
    small.write("models/rates.sql", "select rate, 1 as one from {{ source('box', 'rates') }}")
    assert small.built() == {"rates"}
    assert small.built(full_refresh=True) == set(small.run())


@pytest.mark.slow
def test_a_column_of_another_type_counts_as_a_change_although_its_values_are_the_same(small: Small) -> None:
    small.execute("alter table raw_rates alter column rate type bigint")
    assert small.built() == {"rates"}


@pytest.mark.slow
def test_rows_that_break_a_rule_are_retried_until_they_are_corrected(small: Small) -> None:
    small.execute("insert into raw_events values (date '2024-03-01', null)")
    for _ in range(2):
        results = small.run()
        assert results["held"].status == "failed"
        assert results["attendance"].status == "skipped"
        assert small.figures() == {"2024-Q1": 10, "2024-Q2": 20}
    small.execute("update raw_events set people = 3 where people is null")
    assert small.built() == {"held", "attendance", "stg_events"}
    assert small.figures()["2024-Q1"] == 13


@pytest.mark.slow
def test_a_new_rule_is_tested_on_unchanged_rows(small: Small) -> None:
    small.write("models/models.yml", MODELS.replace("[not_null]", "[not_null, unique]"))
    results = small.run()
    assert results["held"].is_unchanged
    assert [test.name for test in results["held"].tests] == ["not_null_people", "unique_people"]
    small.execute("update raw_events set people = 10")
    assert small.run()["held"].status == "failed"


def test_a_variance_is_the_same_to_the_last_digit_in_every_order_of_the_rows(warehouse_url: str) -> None:
    """Otherwise a table built again after a change elsewhere differs from one built at once."""
    macro = (PROJECT / "dbt_like_sql" / "macros" / "variance.sql").read_text(encoding="utf-8")
    formula = jinja2.Template(macro + "{{ sample_variance('score') }}").render()
    scores = [1, 4, 5, 2, 3, 3, 1, 5, 4, 4, 2]
    chance, found = random.Random(22), set()
    with Warehouse(warehouse_url).connect() as connection:
        for _ in range(20):
            chance.shuffle(scores)
            rows = ", ".join(f"({score})" for score in scores)
            found.add(
                connection.exec_driver_sql(f"select {formula} from (values {rows}) as s(score)").scalar()
            )
        few = connection.exec_driver_sql(f"select {formula} from (values (3), (null)) as s(score)").scalar()
    assert len(found) == 1 and few is None
    assert found.pop() == pytest.approx(statistics.variance(scores), rel=1e-15)
