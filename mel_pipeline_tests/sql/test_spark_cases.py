"""Every case of ``cases/*.yml`` on a Spark cluster: the same rows as in the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.spark.session import open_session
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.spark import Cluster
from mel_pipeline_tests.fixtures.spark_cases import Answers
from mel_pipeline_tests.sql.conftest import completed
from mel_pipeline_tests.sql.test_model_cases import _cases, holds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answers(template: Path, project: SqlProject, spark_cluster: Cluster) -> Answers:
    """One Spark session for all cases."""
    warehouse = Warehouse(f"duckdb:///{template}")
    catalogue = {
        source.table: warehouse.records(f"select * from {source.table}")
        for source in project.source_tables.values()
        if source.source == "catalogue"
    }
    return Answers(open_session(spark_cluster.url, 60), project, catalogue)


@pytest.mark.parametrize("case", _cases())
def test_a_model_makes_the_same_rows_on_spark(
    case: dict[str, Any], project: SqlProject, answers: Answers
) -> None:
    variables = {"quarter": case.get("quarter", "2024-Q4"), **case.get("variables", {})}
    given = {table: completed(project, table, rows) for table, rows in case.get("given", {}).items()}
    holds(case, answers.rows(case["model"], given, variables))
