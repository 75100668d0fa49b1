"""Which engine runs the models, the SQL it gets, and the errors when it cannot run. No engine is started here."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from mel_pipeline.core.errors import ModelError, SettingsError
from mel_pipeline.core.settings import PROJECT, Settings
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.dialects import to_dialect
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.transform.spark import SparkRunner
from mel_pipeline.transform.spark.session import open_session
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.parquet_mirror import ParquetMirror, forget


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")


def test_settings_choose_the_engine(warehouse: Warehouse, tmp_path: Path) -> None:
    assert isinstance(runner_for(warehouse, Settings(home=tmp_path)), Runner)
    with pytest.raises(SettingsError, match="MEL_SPARK_LAKE"):
        runner_for(warehouse, Settings(home=tmp_path, spark_master="spark://somewhere:7077"))
    chosen = Settings(home=tmp_path, spark_master="spark://somewhere:7077", spark_lake=tmp_path / "lake")
    assert isinstance(runner_for(warehouse, chosen), SparkRunner)


def test_pyspark_that_is_not_installed_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SettingsError, match=r"pip install 'mel-pipeline\[spark\]'"):
        open_session("local[1]", 1)


def test_java_that_is_missing_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="Install Java 17 or 21"):
        open_session("local[1]", 1)


def test_an_unreachable_cluster_is_reported_at_once(warehouse: Warehouse, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    project = SqlProject.load(PROJECT / "dbt_like_sql", VARIABLES)
    runner = SparkRunner(ParquetMirror(warehouse, tmp_path / "lake"), f"spark://127.0.0.1:{port}")
    with pytest.raises(ModelError, match="does not answer"):
        list(runner.run(project))


@pytest.mark.parametrize("master", ["sc://somewhere:15002", "http://somewhere", "local[", "sparky"])
def test_a_master_of_another_kind_is_refused(master: str) -> None:
    with pytest.raises(SettingsError, match="MEL_SPARK_MASTER"):
        open_session(master, 1)


VARIABLES: dict[str, object] = {
    "quarter": "2024-Q4",
    "today": "2025-02-01",
    "first_quarter": "2024-Q1",
    "time_zone": "Europe/Madrid",
}


@pytest.mark.long
def test_every_model_and_test_translates_to_spark() -> None:
    project = SqlProject.load(PROJECT / "dbt_like_sql", VARIABLES)
    for name in project.models:
        assert to_dialect(project.compile(name), "spark")
    for name in project.singular_tests:
        assert to_dialect(project.compile_test(name), "spark")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("select cast(a as date) - cast(b as date) from t", "DATEDIFF(CAST(a AS DATE), CAST(b AS DATE))"),
        ("select cast(a as timestamp) from t", "CAST(CAST(a AS TIMESTAMP_NTZ) AS TIMESTAMP)"),
        ("select a from t order by a", "ORDER BY a NULLS LAST"),
        ("select concat(a, b) from t", "COALESCE(a, '')"),
        ("select s.x from generate_series(1, 3) as s(x)", "(SELECT EXPLODE(SEQUENCE(1, 3)) AS x) AS s"),
        ('select "Zoho_ID" from t', "`Zoho_ID`"),
    ],
)
def test_sql_that_spark_reads_differently_is_translated(written: str, said: str) -> None:
    assert said in to_dialect(written, "spark")
    assert to_dialect(written, "duckdb") == written


def test_sql_that_cannot_be_read_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="Translating SQL for spark"):
        to_dialect("select from where", "spark")


@pytest.mark.slow
def test_only_tables_whose_rows_changed_are_handed_over(warehouse: Warehouse, tmp_path: Path) -> None:
    lake = ParquetMirror(warehouse, tmp_path / "lake")
    columns = {
        "raw_a": [("Key", "text"), ("_loaded_at", "timestamp"), ("later", "text")],
        "raw_b": [("x", "text")],
    }
    with warehouse.transaction() as connection:
        connection.exec_driver_sql('create table raw_a ("Key" text, _loaded_at timestamp, secret text)')
        connection.exec_driver_sql(
            "insert into raw_a values ('é', timestamp '2024-10-27 00:30:00', 'x'), (null, null, 'y')"
        )
        connection.exec_driver_sql("create table raw_b (x text)")
    parts, fresh = lake.hand_over(columns, lake.parts())
    assert fresh == ["raw_a", "raw_b"]
    assert [(part.table, part.rows, [name for name, _ in part.columns]) for part in parts] == [
        ("raw_a", 2, ["Key", "_loaded_at"]),
        ("raw_b", 0, ["x"]),
    ]
    assert lake.hand_over(columns, lake.parts())[1] == []
    with warehouse.transaction() as connection:
        connection.exec_driver_sql('update raw_a set "Key" = \'e\' where "Key" is not null')
    assert lake.hand_over(columns, lake.parts())[1] == ["raw_a"]


def test_rows_come_back_unchanged_and_old_folders_are_removed(warehouse: Warehouse, tmp_path: Path) -> None:
    lake = ParquetMirror(warehouse, tmp_path / "lake")
    columns = {"raw_a": [("word", "text"), ("moment", "timestamp"), ("yes", "boolean")]}
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("create table raw_a (word text, moment timestamp, yes boolean)")
        connection.exec_driver_sql(
            "insert into raw_a values ('', timestamp '2024-10-27 00:30:00', true), (null, null, null), ('É''\"', null, false)"
        )
    [part], _ = lake.hand_over(columns, lake.parts())
    before = warehouse.records("select * from raw_a order by word")
    lake.take_back([part], None, whole=True)
    assert warehouse.records("select * from raw_a order by word") == before
    lost = lake.folder / "raw_a" / "cut-short"
    lost.mkdir()
    assert lake.sweep() == []  # it may belong to a run in progress
    import os

    os.utime(lost, (0, 0))
    assert lake.sweep() == ["raw_a/cut-short"]
    assert lake.path(part).is_dir()


@pytest.mark.slow
def test_a_lake_that_is_not_mounted_stops_an_erasure(warehouse: Warehouse, tmp_path: Path) -> None:
    lake = ParquetMirror(warehouse, tmp_path / "lake")
    with warehouse.transaction() as connection:
        assert forget(connection) == 0  # there never was one
        connection.exec_driver_sql("create table raw_a (x text)")
    lake.hand_over({"raw_a": [("x", "text")]}, lake.parts())
    lake.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="not reachable"), warehouse.transaction() as connection:
        forget(connection)
    (tmp_path / "elsewhere").rename(lake.folder)
    with warehouse.transaction() as connection:
        assert forget(connection) == 1
    assert lake.parts() == {}
