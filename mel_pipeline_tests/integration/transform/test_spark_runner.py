"""The Spark runner on a small test project, on a real cluster: order, parts, failures, nothing built twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mel_pipeline.transform import ModelResult, SqlProject
from mel_pipeline.transform.spark import SparkRunner
from mel_pipeline.warehouse import parquet_mirror as lakes
from mel_pipeline.warehouse.parquet_mirror import ParquetMirror
from mel_pipeline_tests.fixtures.spark import Cluster
from mel_pipeline_tests.sql.test_runner import Small

pytestmark = pytest.mark.slow


class SmallOnSpark(Small):
    """The project of the runner's own tests, built on a cluster."""

    def __init__(self, folder: Path, warehouse_url: str, master: str) -> None:
        super().__init__(folder, warehouse_url)
        self.master = master
        self.lake = ParquetMirror(self.warehouse, folder / "lake")

    def run(
        self, full_refresh: bool = False, select: set[str] | None = None, **variables: object
    ) -> dict[str, object]:
        project = SqlProject.load(self.folder, variables)
        runner = SparkRunner(self.lake, self.master, 60)
        return {r.name: r for r in runner.run(project, select, full_refresh=full_refresh)}

    def result(self, name: str, **variables: object) -> ModelResult:
        found = self.run(**variables)[name]
        assert isinstance(found, ModelResult)
        return found


@pytest.fixture
def small(tmp_path: Path, warehouse_url: str, spark_cluster: Cluster) -> SmallOnSpark:
    """The warehouse is a DuckDB file, then a PostgreSQL server."""
    return _small(tmp_path, warehouse_url, spark_cluster)


@pytest.fixture
def on_duckdb(tmp_path: Path, spark_cluster: Cluster) -> SmallOnSpark:
    """For what concerns Spark and the folder, whatever the warehouse is."""
    return _small(tmp_path, f"duckdb:///{tmp_path / 'warehouse.duckdb'}", spark_cluster)


def _small(folder: Path, warehouse_url: str, cluster: Cluster) -> SmallOnSpark:
    small = SmallOnSpark(folder, warehouse_url, cluster.url)
    small.write(
        "models/growing/figures.sql",
        "select '{{ var(\"quarter\") }}' as quarter, {{ var('amount') }} as amount",
    )
    small.write("models/last.sql", "select count(*) as quarters, null as nothing from {{ ref('figures') }}")
    return small


def test_models_run_after_what_they_read_and_a_quarter_replaces_only_itself(small: SmallOnSpark) -> None:
    for quarter, amount in (("2024-Q1", 1), ("2024-Q2", 2), ("2024-Q1", 10)):
        results = small.run(quarter=quarter, amount=amount)
        assert list(results) == ["figures", "last"]
        assert {(r.status, r.rows) for r in results.values()} == {("ok", 1)}
    assert small.rows("select * from figures order by quarter") == [("2024-Q1", 10), ("2024-Q2", 2)]
    assert small.rows("select quarters from last") == [(2,)]


def test_unchanged_models_are_not_built_again(small: SmallOnSpark) -> None:
    small.run()
    before = small.lake.parts()
    again = [result for result in small.run().values() if isinstance(result, ModelResult)]
    assert {(result.rows, result.is_unchanged) for result in again} == {(1, True)}
    assert small.lake.parts() == before
    small.run(amount=2)
    assert small.lake.parts()["figures"][0].version != before["figures"][0].version


def test_a_failed_test_keeps_the_old_rows_and_skips_what_reads_them(on_duckdb: SmallOnSpark) -> None:
    on_duckdb.run(amount=1)
    before = on_duckdb.lake.parts()
    on_duckdb.write(
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
    results = on_duckdb.run(amount=2)
    assert results["figures"].status == "failed"
    assert "1 row of figures where amount is none of: 1." in results["figures"].message
    assert results["last"].status == "skipped"
    assert on_duckdb.rows("select amount from figures") == [(1,)]
    assert on_duckdb.lake.parts() == before
    assert len(list((on_duckdb.lake.folder / "figures").iterdir())) == 1  # the refused version is gone


def test_a_broken_model_is_reported_with_its_file_and_does_not_stop_its_neighbours(
    on_duckdb: SmallOnSpark,
) -> None:
    on_duckdb.write("models/broken.sql", "select nothing from {{ ref('figures') }}")
    results = on_duckdb.run()
    assert results["broken"].status == "failed"
    assert "broken.sql" in results["broken"].message
    assert "nothing" in results["broken"].message
    assert results["last"].status == "ok"


def test_a_value_that_cannot_be_cast_appears_in_no_message_or_log(
    on_duckdb: SmallOnSpark,
    spark_cluster: Cluster,
    capfd: pytest.CaptureFixture[str],
) -> None:
    on_duckdb.write(
        "models/staging/src/__sources.yml",
        """
        sources:
          - name: src
            tables:
              - {name: things, identifier: raw_src__things, columns: [{name: word, data_type: text}]}
        """,
    )
    on_duckdb.write(
        "models/read.sql", "select cast(word as integer) as number from {{ source('src', 'things') }}"
    )
    with on_duckdb.warehouse.transaction() as connection:
        connection.exec_driver_sql("create table raw_src__things (word text)")
        connection.exec_driver_sql("insert into raw_src__things values ('someone@example.org')")
    message = on_duckdb.result("read").message
    assert "CAST_INVALID_INPUT" in message
    shown = capfd.readouterr()
    assert "someone" not in message
    assert "someone" not in shown.out + shown.err
    assert "someone" not in spark_cluster.executor_logs()


def test_changed_columns_require_a_full_refresh_and_change_nothing(small: SmallOnSpark) -> None:
    small.run(quarter="2024-Q1")
    small.run(quarter="2024-Q2")
    small.write(
        "models/growing/figures.sql",
        "select '{{ var(\"quarter\") }}' as quarter, {{ var('amount') }} as amount, 'x' as note",
    )
    refused = small.result("figures", quarter="2024-Q2")
    assert refused.status == "failed"
    assert "mel recalculate" in refused.message
    assert len(small.rows("select * from figures")) == 2
    assert small.result("figures", quarter="2024-Q2", full_refresh=True).status == "ok"
    assert small.rows("select * from figures") == [("2024-Q2", 1, "x")]


def test_quarters_of_another_engine_require_a_recalculation(small: SmallOnSpark) -> None:
    Small.run(small, quarter="2024-Q1")
    refused = small.result("figures", quarter="2024-Q2")
    assert refused.status == "failed"
    assert "figures holds 2024-Q1 from another engine" in refused.message
    assert small.rows("select quarter from figures") == [("2024-Q1",)]


def test_several_quarters_at_once_are_each_replaced(small: SmallOnSpark) -> None:
    text = "select quarter, {{ var('amount') }} as amount from (values {{ var('quarters') }}) as t(quarter)"
    small.write("models/growing/figures.sql", text)
    assert small.result("figures", quarters="('Q1'), ('Q2'), ('Q2')").rows == 3
    assert small.result("figures", quarters="('Q2'), ('Q3')", amount=2).rows == 2
    assert small.rows("select * from figures order by quarter") == [("Q1", 1), ("Q2", 2), ("Q3", 2)]
    assert "have no quarter" in small.result("figures", quarters="('Q1'), (null)").message


def test_a_lake_that_lost_a_table_builds_it_again_and_says_which_quarters_it_cannot(
    on_duckdb: SmallOnSpark,
) -> None:
    on_duckdb.run()
    shutil.rmtree(on_duckdb.lake.folder / "last")
    assert on_duckdb.result("last").status == "ok"
    shutil.rmtree(on_duckdb.lake.folder / "figures")
    with pytest.raises(lakes.ModelError, match="of figures the folders of 2024-Q1 are gone"):
        on_duckdb.run()
    assert on_duckdb.result("figures", full_refresh=True).status == "ok"
