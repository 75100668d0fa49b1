"""The sample organisation in the warehouse and on Spark: every table and every downstream reader agrees."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.parquet_mirror import ParquetMirror, forget
from mel_pipeline_tests.fixtures.spark import Cluster
from mel_pipeline_tests.sql.test_dbt_oracle import FOLDER, landed, variables  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
QUARTER = "2024-Q4"


@pytest.fixture(scope="module")
def calculated(
    landed: Path,  # noqa: F811
    spark_cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Warehouse, Warehouse, Settings]]:
    """The same raw rows, calculated by both engines."""
    home = tmp_path_factory.mktemp("sample")
    settings = Settings(home=home, spark_master=spark_cluster.url, spark_lake=home / "lake")
    project = SqlProject.load(FOLDER, variables(QUARTER))
    made = []
    for name in ("duckdb", "spark"):
        shutil.copy(landed, home / f"{name}.duckdb")
        warehouse = Warehouse(f"duckdb:///{home / f'{name}.duckdb'}")
        engine = runner_for(warehouse, settings) if name == "spark" else Runner(warehouse)
        results = list(engine.run(project))
        assert [result.message for result in results if result.status != "ok"] == []
        made.append((warehouse, {result.name: result for result in results}))
    (ours, by_duckdb), (theirs, by_spark) = made
    assert _told(by_duckdb) == _told(by_spark)
    yield ours, theirs, settings


def _told(results: dict[str, Any]) -> dict[str, Any]:
    """Rows, and what each test found."""
    return {
        name: (result.rows, [(test.name, test.failures, test.sentence) for test in result.tests])
        for name, result in results.items()
    }


def test_every_table_holds_the_same_rows(calculated: tuple[Warehouse, Warehouse, Settings]) -> None:
    ours, theirs, _ = calculated
    project = SqlProject.load(FOLDER, variables(QUARTER))
    different = {name: found for name in project.models if (found := _differing(ours, theirs, name))}
    assert different == {}
    assert len(theirs.records("select * from indicator_values")) > 300


def test_a_second_run_builds_nothing_and_an_erasure_empties_the_lake(
    calculated: tuple[Warehouse, Warehouse, Settings],
) -> None:
    _, warehouse, settings = calculated
    assert settings.spark_lake
    lake = ParquetMirror(warehouse, settings.spark_lake)
    project = SqlProject.load(FOLDER, variables(QUARTER))
    before = lake.parts()
    assert {result.status for result in runner_for(warehouse, settings).run(project)} == {"ok"}
    assert lake.parts() == before
    with warehouse.transaction() as connection:
        forget(connection)
    assert {path.name for path in lake.folder.iterdir()} == {
        model.name for model in project.models.values() if model.config.unique_key
    }
    again = list(runner_for(warehouse, settings).run(project, {"stg_zoho_crm__accounts", "dim_member"}))
    assert [(result.status, result.message) for result in again] == [("ok", "")] * 2


def _differing(ours: Warehouse, theirs: Warehouse, table: str) -> str:
    left, right = (_rows(warehouse, table) for warehouse in (ours, theirs))
    if len(left) != len(right):
        return f"{len(left)} and {len(right)} rows"
    pairs = ((one, other) for one, other in zip(left, right, strict=True) if not _same(one, other))
    return next((f"{one} and {other}" for one, other in pairs), "")


def _rows(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    rows = warehouse.records(f"select * from {table}")
    return sorted(rows, key=lambda row: [_key(value) for value in row.values()])


def _key(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return list(one) == list(other) and all(
        math.isclose(value, other[name], rel_tol=1e-9)
        if isinstance(value, float) and other[name] is not None
        else value == other[name]
        for name, value in one.items()
    )
