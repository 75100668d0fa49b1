"""One hand-written DuckDB script, statement by statement; its tests are one hand-written query per table."""

from pathlib import Path

import clock
import duckdb


def work(task):
    folder = Path(__file__).parent
    broken = {}
    with duckdb.connect(task["database"]) as database:
        if task["memory_mb"]:
            database.execute(f"set memory_limit = '{task['memory_mb']}MB'")
            database.execute("set preserve_insertion_order = false")
        database.execute((folder / "script.sql").read_text(encoding="utf-8"))
        if task["with_tests"]:
            for query in (folder / "script_tests.sql").read_text(encoding="utf-8").split(";"):
                if query.strip():
                    found = database.execute(query)
                    names = [column[0] for column in found.description]
                    broken |= dict(zip(names, found.fetchall()[0], strict=True))
    return broken


clock.run(work)
