"""dbt-core with dbt-duckdb, in its own process and through its Python API, so that its imports do not count."""

import json
import os

import clock
from dbt.adapters.duckdb import DuckDBAdapter  # noqa: F401
from dbt.cli.main import dbtRunner


def work(task):
    os.environ["MEL_DBT_DUCKDB_PATH"] = task["database"]
    told = dbtRunner().invoke(
        [
            "build" if task["with_tests"] else "run",
            "--quiet",
            "--project-dir", task["project"],
            "--profiles-dir", task["project"],
            "--target-path", task["output"] + "/target",
            "--log-path", task["output"] + "/logs",
            "--vars", json.dumps(task["variables"]),
        ]
    )  # fmt: skip
    assert told.exception is None, told.exception
    results = told.result.results
    failed = [f"{one.node.name}: {one.message}" for one in results if str(one.status) in ("error", "skipped")]
    assert not failed, failed
    return {one.node.name: one.failures or 0 for one in results if str(one.node.resource_type) == "test"}


os.environ["DO_NOT_TRACK"] = "1"
clock.run(work)
