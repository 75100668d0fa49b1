"""Every case of ``cases/*.yml`` on a Spark cluster: the same rows as in the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.spark import SparkRunner
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.parquet_mirror import Lake
from mel_pipeline_tests.fixtures.spark import Cluster
from mel_pipeline_tests.sql.test_model_cases import _cases, _exactly_one, _matches

pytestmark = pytest.mark.slow
Fill = Callable[[Warehouse, dict[str, list[dict[str, Any]]]], None]


@pytest.fixture(scope="module")
def lake(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One for all cases: tables that a case leaves as they were are not built again."""
    folder = tmp_path_factory.mktemp("lake")
    path = folder / "warehouse.duckdb"
    path.write_bytes(template.read_bytes())
    return Lake(Warehouse(f"duckdb:///{path}"), folder / "lake")


@pytest.mark.parametrize("case", _cases())
def test_a_model_makes_the_same_rows_on_spark(
    case: dict[str, Any],
    project: SqlProject,
    lake: Lake,
    fill: Fill,
    spark_cluster: Cluster,
) -> None:
    with lake.warehouse.transaction() as connection:
        for source in project.source_tables.values():
            if source.source != "catalogue":
                connection.exec_driver_sql(f"delete from {source.table}")
    fill(lake.warehouse, case.get("given", {}))
    variables = {"quarter": case.get("quarter", "2024-Q4"), **case.get("variables", {})}
    runner = SparkRunner(lake, spark_cluster.url)
    models = project.upstream(case["model"])
    results = list(runner.run(project, models, variables, with_tests=False))
    failed = [f"{result.name}: {result.message}" for result in results if result.status != "ok"]
    assert not failed, failed
    # A table that grows still holds the quarters of other cases.
    grows = project.models[case["model"]].config.unique_key is not None
    only = f"where quarter = '{variables['quarter']}'" if grows else ""
    rows = lake.warehouse.read(f"select * from {case['model']} {only}").to_dict("records")
    for expected in case.get("expect", []):
        _exactly_one(rows, expected)
    for absent in case.get("absent", []):
        assert not [row for row in rows if _matches(row, absent)], f"{absent} must not be there"
    if "rows" in case:
        assert len(rows) == case["rows"]
