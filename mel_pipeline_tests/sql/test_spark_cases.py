"""Every case of ``cases/*.yml`` on a Spark cluster: the same rows as in the warehouse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.spark.session import open_session
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.spark import Cluster
from mel_pipeline_tests.fixtures.spark_cases import Answers
from mel_pipeline_tests.sql.test_model_cases import _cases, holds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answers(project: SqlProject, spark_cluster: Cluster) -> Answers:
    """One Spark session for all cases."""
    compared = {case.values[0]["model"] for case in _cases()}
    return Answers(open_session(spark_cluster.url, 60), project, compared)


@pytest.mark.parametrize("case", _cases())
def test_a_model_makes_the_same_rows_on_spark(
    case: dict[str, Any],
    project: SqlProject,
    answers: Answers,
    template: Path,
    tmp_path: Path,
    fill: Callable[[Warehouse, dict[str, list[dict[str, Any]]]], None],
) -> None:
    shutil.copy(template, tmp_path / "warehouse.duckdb")
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")
    fill(warehouse, case.get("given", {}))
    variables = {"quarter": case.get("quarter", "2024-Q4"), **case.get("variables", {})}
    upstream = project.upstream(case["model"]) - {case["model"]}
    if upstream:
        results = list(Runner(warehouse).run(project, upstream, variables, with_tests=False))
        assert [result.message for result in results if result.status != "ok"] == []
    holds(case, answers.rows(case["model"], warehouse, variables))
    warehouse.engine.dispose()
