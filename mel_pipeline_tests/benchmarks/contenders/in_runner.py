"""Our runner on our warehouse, as the nightly job calls it."""

from contextlib import contextmanager
from pathlib import Path

import clock

from mel_pipeline.sql_project import Runner, SqlProject
from mel_pipeline.warehouse import Warehouse


class Bounded:
    """A warehouse that keeps DuckDB within a limit of memory; beyond it DuckDB writes to disk."""

    def __init__(self, warehouse, memory_mb):
        self.warehouse, self.memory_mb = warehouse, memory_mb

    @contextmanager
    def connect(self):
        with self.warehouse.connect() as connection:
            connection.exec_driver_sql(f"set memory_limit = '{self.memory_mb}MB'")
            connection.exec_driver_sql("set preserve_insertion_order = false")
            connection.commit()
            yield connection


def work(task):
    project = SqlProject.load(Path(task["project"]), task["variables"])
    warehouse = Warehouse(f"duckdb:///{task['database']}")
    database = Bounded(warehouse, task["memory_mb"]) if task["memory_mb"] else warehouse
    results = list(Runner(database).run(project, with_tests=task["with_tests"]))
    failed = [f"{result.name}: {result.message}" for result in results if result.status != "ok"]
    assert not failed, failed
    return {
        f"{result.name} {test.name}": test.failures
        for result in results
        for test in result.tests
        if test.severity == "error" or test.passed
    }


def warm():
    """What the first run of a process imports, before the clock starts."""
    import duckdb_sqlalchemy  # noqa: F401
    import tenacity  # noqa: F401

    import mel_pipeline.sql_project.runner  # noqa: F401


warm()
clock.run(work)
