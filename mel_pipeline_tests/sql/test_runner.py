"""The runner on a small project of its own: order, atomicity, failed tests, schema changes."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.forking import Forking

CONFIG = """
name: small
version: "1.0"
models:
  small:
    +materialized: table
    growing: {+materialized: incremental, +unique_key: quarter}
vars: {quarter: 2024-Q1, amount: 1}
"""


class Small:
    """A project in a temporary folder, written one file at a time."""

    def __init__(self, folder: Path, warehouse_url: str) -> None:
        self.folder = folder / "project"
        self.warehouse = Warehouse(warehouse_url)
        self.write("dbt_project.yml", CONFIG)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def run(
        self, full_refresh: bool = False, select: set[str] | None = None, **variables: object
    ) -> dict[str, object]:
        project = SqlProject.load(self.folder, variables)
        return {r.name: r for r in Runner(self.warehouse).run(project, select, full_refresh=full_refresh)}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return list(self.warehouse.read(sql).itertuples(index=False, name=None))


@pytest.fixture
def small(tmp_path: Path, warehouse_url: str) -> Small:
    small = Small(tmp_path, warehouse_url)
    small.write(
        "models/growing/figures.sql",
        "select '{{ var(\"quarter\") }}' as quarter, {{ var('amount') }} as amount",
    )
    small.write("models/last.sql", "select count(*) as quarters from {{ ref('figures') }}")
    return small


def test_models_run_after_what_they_read_and_a_quarter_replaces_only_itself(small: Small) -> None:
    for quarter, amount in (("2024-Q1", 1), ("2024-Q2", 2), ("2024-Q1", 10)):
        results = small.run(quarter=quarter, amount=amount)
        assert list(results) == ["figures", "last"]
        assert {r.status for r in results.values()} == {"ok"}
    assert small.rows("select * from figures order by quarter") == [("2024-Q1", 10), ("2024-Q2", 2)]
    assert small.rows("select * from last") == [(2,)]


def test_running_again_changes_nothing(small: Small) -> None:
    small.run()
    before = small.rows("select * from figures")
    results = small.run()
    assert small.rows("select * from figures") == before
    assert results["figures"].rows == 1


def test_a_failed_test_keeps_the_old_rows_and_skips_what_reads_them(small: Small) -> None:
    small.run(amount=1)
    small.write(
        "models/schema.yml",
        """
        models:
          - name: figures
            columns:
              - name: amount
                data_tests:
                  - accepted_values: {arguments: {values: [1]}}
        """,
    )
    results = small.run(amount=2)
    assert results["figures"].status == "failed"
    assert "1 row of figures where amount is none of: 1." in results["figures"].message
    assert results["last"].status == "skipped"
    assert "figures failed" in results["last"].message
    assert small.rows("select amount from figures") == [(1,)]


def test_a_warning_does_not_stop_anything(small: Small) -> None:
    small.write(
        "tests/amount_is_one.sql",
        "{{ config(severity='warn') }} select * from {{ ref('figures') }} where amount <> 1",
    )
    results = small.run(amount=2)
    assert results["last"].status == "ok"
    [warning] = results["figures"].tests
    assert (warning.passed, warning.failures, warning.severity) == (False, 1, "warn")
    assert warning.sentence == "Amount is one: 1 row not."


def test_the_four_generic_tests_find_what_they_look_for(small: Small) -> None:
    small.write("models/parents.sql", "select 1 as id")
    small.write("models/children.sql", "select * from (values (1, 'a'), (1, null), (2, 'b')) as t(id, word)")
    small.write(
        "models/schema.yml",
        """
        models:
          - name: children
            columns:
              - name: id
                data_tests:
                  - unique: {config: {severity: warn}}
                  - relationships: {arguments: {to: ref('parents'), field: id}, config: {severity: warn}}
              - name: word
                data_tests:
                  - not_null: {config: {severity: warn}}
                  - accepted_values: {arguments: {values: [a]}, config: {severity: warn}}
        """,
    )
    results = small.run()
    assert [(t.name, t.failures) for t in results["children"].tests] == [
        ("unique_id", 1),
        ("relationships_id", 1),
        ("not_null_word", 1),
        ("accepted_values_word", 1),
    ]


def test_a_test_that_looks_into_a_table_not_built_yet_says_so(small: Small) -> None:
    small.write("models/parents.sql", "select 1 as id")
    small.write("models/children.sql", "select 1 as id")
    small.write(
        "models/schema.yml",
        """
        models:
          - name: children
            columns:
              - name: id
                data_tests: [{relationships: {arguments: {to: ref('parents'), field: id}}}]
        """,
    )
    [result] = small.run(select={"children"}).values()
    assert result.status == "ok"
    assert result.tests[0].sentence.startswith("Not checked")


def test_a_broken_model_is_reported_with_its_file_and_does_not_stop_its_neighbours(small: Small) -> None:
    small.write("models/broken.sql", "select nothing from {{ ref('figures') }}")
    results = small.run()
    assert results["broken"].status == "failed"
    assert "broken.sql" in results["broken"].message
    assert results["last"].status == "ok"


def test_a_value_that_cannot_be_read_is_not_repeated_in_the_message(small: Small) -> None:
    small.write("models/broken.sql", "select cast('someone@example.org' as integer) as number")
    assert "someone" not in small.run()["broken"].message


def test_changed_columns_ask_for_a_full_refresh_and_change_nothing(small: Small) -> None:
    small.run(quarter="2024-Q1")
    small.run(quarter="2024-Q2")
    small.write(
        "models/growing/figures.sql",
        "select '{{ var(\"quarter\") }}' as quarter, {{ var('amount') }} as amount, 'x' as note",
    )
    refused = small.run(quarter="2024-Q2")["figures"]
    assert refused.status == "failed"
    assert "mel recalculate" in refused.message
    assert len(small.rows("select * from figures")) == 2
    assert small.run(quarter="2024-Q2", full_refresh=True)["figures"].status == "ok"
    assert small.rows("select * from figures") == [("2024-Q2", 1, "x")]


def test_a_view_that_becomes_a_table_is_replaced(small: Small) -> None:
    small.write("models/last.sql", "{{ config(materialized='view') }} select 1 as one")
    small.run()
    small.write("models/last.sql", "select 2 as one")
    assert small.run()["last"].status == "ok"
    assert small.rows("select one from last") == [(2,)]


def test_a_source_that_was_never_loaded_is_an_empty_table(small: Small) -> None:
    small.write(
        "models/staging/src/__sources.yml",
        """
        sources:
          - name: src
            tables:
              - {name: things, identifier: raw_src__things, columns: [{name: id, data_type: text}]}
        """,
    )
    small.write("models/staging/src/stg_src__things.sql", "select id from {{ source('src', 'things') }}")
    result = small.run()["stg_src__things"]
    assert (result.status, result.rows) == ("ok", 0)


@pytest.mark.exhaustive
@pytest.mark.fault(1)
def test_a_run_killed_in_the_middle_leaves_the_old_rows_and_the_next_run_is_right(
    small: Small, forked: Forking, tmp_path: Path
) -> None:
    small.run(amount=1)
    # Tests run before the commit: this one holds the transaction open after delete and insert.
    slow = (
        "select sum(a.n) from generate_series(1, 2000000) as a(n), generate_series(1, 200000) as b(n),"
        " {{ ref('figures') }} having sum(a.n * b.n) < 0"
    )
    small.write("tests/never_ends.sql", slow)
    script = f"""
import sys
from pathlib import Path
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.warehouse import Warehouse
project = SqlProject.load(Path({str(small.folder)!r}), {{"amount": 2}})
print("running", flush=True)
list(Runner(Warehouse({small.warehouse.url!r})).run(project))
print("ended", flush=True)
"""
    forked.start(script, said=tmp_path / "said")
    assert forked.line() == "running"
    time.sleep(1.5)
    forked.kill()
    assert forked.line() == ""
    assert not forked.ended_well()
    assert small.rows("select amount from figures") == [(1,)]
    (small.folder / "tests" / "never_ends.sql").unlink()
    assert small.run(amount=3)["figures"].status == "ok"
    assert small.rows("select amount from figures") == [(3,)]
