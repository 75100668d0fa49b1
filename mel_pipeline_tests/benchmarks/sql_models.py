"""The star schema of ``star/`` at growing numbers of rows, built by our runner and its peers.

Contenders: one hand-written DuckDB script; our runner; dbt-duckdb on the same folder; SQLMesh with the same SELECTs;
pandas; polars. Each is a separate process and starts from the same raw rows: the SQL ones and pandas from a DuckDB
file (a fresh copy each turn, not timed), polars from Parquet. SQLMesh needs an older DuckDB, which cannot read the
newer file; its file is made from the Parquet, and the script runs on both versions. All write their tables to disk,
and the tables are compared: a difference stops the benchmark.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mel_pipeline.transform import SqlProject
from mel_pipeline_tests.benchmarks import measuring
from mel_pipeline_tests.benchmarks.equality import differing, export_raw, import_raw
from mel_pipeline_tests.benchmarks.load import load_of
from mel_pipeline_tests.benchmarks.measuring import PYTHONS, Turns, contender, in_turns, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

STAR = Path(__file__).parent / "star"
SIZES = [100_000, 1_000_000, 5_000_000, 20_000_000]
QUICK = [100_000]
TURNS = 3
ONE_TURN = 5_000_000  # above this, one turn
JUDGED = 5_000_000  # rows the targets apply to; else the largest number measured
PANDAS_ROWS = 5_000_000  # above this, pandas needs more memory than a desktop machine has

# Name -> environment, program, kind of input and output
PEERS = {
    "script": ("own", "in_script.py", "duckdb"),
    "runner": ("own", "in_runner.py", "duckdb"),
    "dbt": ("dbt", "in_dbt.py", "duckdb"),
    "script, older DuckDB": ("bench", "in_script.py", "older"),
    "SQLMesh": ("bench", "in_sqlmesh.py", "older"),
    "polars": ("bench", "in_polars.py", "parquet"),
    "pandas": ("own", "in_pandas.py", "duckdb"),
}


class Bench:
    """The files and contenders for one number of rows."""

    def __init__(self, rows: int, folder: Path) -> None:
        self.rows, self.folder = rows, folder
        self.load = load_of(rows)
        self.project = SqlProject.load(STAR, {})
        self.models = [model for model in self.project.order() if model.config.materialized == "table"]
        self.parquet = self.load.with_suffix("")
        raw = sorted({table for model in self.project.models.values() for table in model.sources})
        export_raw(self.load, self.parquet, raw)
        self.older = self.load.with_suffix(".older.duckdb")
        if PYTHONS["bench"].exists():
            import_raw(PYTHONS["bench"], self.parquet, self.older)
        self.reference = folder / "reference.duckdb"

    def peers(self, wanted: list[str] | None) -> list[str]:
        there = [
            name for name, (python, _, _) in PEERS.items() if PYTHONS[python].exists() and (not wanted or name in wanted)
        ]  # fmt: skip
        return [name for name in there if name != "pandas" or self.rows <= PANDAS_ROWS]

    def turn(self, name: str, with_tests: bool, check: bool) -> dict[str, Any]:
        """Run one contender once; with ``check``, compare its tables with those of the script."""
        python, script, kind = PEERS[name]
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            database, output = Path(home) / "bench.duckdb", Path(home) / "out"
            output.mkdir()
            if kind != "parquet":
                shutil.copy(self.load if kind == "duckdb" else self.older, database)
            told = contender(python, script, self.task(database, output, with_tests), Path(home))
            assert not told["broken"], f"{name}: broken tests {told['broken']}"
            assert bool(told["tests"]) == with_tests, f"{name}: {told['tests']} tests run"
            if name == "script" and not self.reference.exists():
                shutil.move(database, self.reference)
            elif check and name != "script":
                tables = [model.name for model in self.models]
                different = differing(self.reference, database if kind != "parquet" else output, tables)
                assert not different, f"{name}: not the tables of the script: {different}"
        return told

    def task(self, database: Path, output: Path, with_tests: bool) -> dict[str, Any]:
        return {
            "database": str(database),
            "parquet": str(self.parquet),
            "output": str(output),
            "project": str(STAR),
            "variables": {},
            "with_tests": with_tests,
            "memory_mb": None,
            "models": [
                {
                    "name": model.name,
                    "materialized": model.config.materialized,
                    "sql": self.project.compile(model.name),
                }
                for model in self.project.order()
            ],
            "tests": [
                {
                    "model": model.name, "kind": test.kind, "column": test.column, "parent": test.parent,
                    "field": test.arguments.get("field"), "values": test.arguments.get("values"),
                }
                for model in self.project.order() for test in model.column_tests
            ],
        }  # fmt: skip


def measured(rows: int, turns: int, wanted: list[str] | None, folder: Path) -> dict[str, Turns]:
    """Every contender without and with tests. The first turn also compares the tables, and still counts."""
    bench = Bench(rows, folder)
    works: dict[str, Callable[[], dict[str, Any]]] = {}
    checked: set[str] = set()

    def one(name: str, with_tests: bool) -> dict[str, Any]:
        label = f"{name} {with_tests}"
        told = bench.turn(name, with_tests, check=label not in checked)
        checked.add(label)
        return told

    bench.turn("script", False, check=False)  # the reference tables for all others; warms the file cache
    for name in bench.peers(wanted):
        works[name] = partial(one, name, False)
        works[f"{name} + tests"] = partial(one, name, True)
    found = in_turns(works, turns)
    show(f"{rows:,} survey responses and as many social figures", found, "script")
    return found


def verdicts(found: dict[str, Turns], rows: int) -> list[Verdict]:
    """The runner's verdicts at one number of rows."""
    where = f"{rows:,} rows"
    models, tested, script = found["runner"], found["runner + tests"], found["script"]
    told = [
        Verdict("models", ratio(models, script), where),
        Verdict("models memory", models.most / script.most, where),
    ]
    for target, peer in (
        ("tests dbt", "dbt"), ("tests sqlmesh", "SQLMesh"), ("tests polars", "polars"), ("tests pandas", "pandas"),
    ):  # fmt: skip
        if f"{peer} + tests" in found:
            told.append(Verdict(target, ratio(tested, found[f"{peer} + tests"]), where))
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--quick", action="store_true", help="a hundred thousand rows, one turn")
    parser.add_argument("--turns", type=int)
    parser.add_argument("--only", nargs="+", choices=list(PEERS))
    asked = parser.parse_args()
    sizes = asked.rows or (QUICK if asked.quick else SIZES)
    only = [*dict.fromkeys(["script", "runner", *asked.only])] if asked.only else None
    found: dict[str, dict[str, Turns]] = {}
    told: list[Verdict] = []
    for rows in sizes:
        measuring.HOME.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=measuring.HOME) as folder:
            turns = 1 if asked.quick or rows > ONE_TURN else asked.turns or TURNS
            found[str(rows)] = measured(rows, turns, only, Path(folder))
        if rows == JUDGED or rows == max(sizes) < JUDGED:
            told = verdicts(found[str(rows)], rows)
        keep("sql_models", found, told)  # after each size: the largest takes long


if __name__ == "__main__":
    main()
