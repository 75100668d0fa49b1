"""Our runner on our warehouse, as the nightly job calls it."""

from pathlib import Path

import clock

from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.warehouse import Warehouse


def work(task):
    # DuckDB's own settings in the URL, as an operator would write them; beyond the limit it writes to disk.
    limit = f"?memory_limit={task['memory_mb']}MB&preserve_insertion_order=false" if task["memory_mb"] else ""
    project = SqlProject.load(Path(task["project"]), task["variables"])
    runner = Runner(
        Warehouse(f"duckdb:///{task['database']}{limit}"), only_touched=task.get("only_touched", False)
    )
    results = list(runner.run(project, with_tests=task["with_tests"]))
    failed = [f"{result.name}: {result.message}" for result in results if result.status != "ok"]
    assert not failed, failed
    return {
        f"{result.name} {test.name}": test.failures
        for result in results
        for test in result.tests
        if test.severity == "error" or test.passed
    }


def warm():
    """Import what a process's first run needs, before the clock starts."""
    import duckdb_sqlalchemy  # noqa: F401
    import tenacity  # noqa: F401

    import mel_pipeline.transform.runner  # noqa: F401


warm()
clock.run(work)
