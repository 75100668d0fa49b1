"""Incremental nightly runs compared with a full rebuild, on the project's own models with tests.

Each starts from the warehouse of the previous nightly run, which has rows of all four quarters and figures of the last.
Late answers are twenty responses of that quarter, corrected since. Tables left alone must hold the rows of a full
rebuild, or the benchmark stops.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from mel_pipeline.transform import SqlProject
from mel_pipeline_tests.benchmarks import measuring
from mel_pipeline_tests.benchmarks.equality import differing
from mel_pipeline_tests.benchmarks.load import load_of
from mel_pipeline_tests.benchmarks.load.generator import FOLDER, VARIABLES
from mel_pipeline_tests.benchmarks.measuring import contender, in_turns, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

SIZES, QUICK = [1_000_000, 5_000_000], [100_000]
CORRECTED = (
    "update raw_surveys__responses set overall_satisfaction = null, satisfaction_key = null where response_id in ("
    "select response_id from raw_surveys__responses where satisfaction_key is not null and not _is_deleted"
    " and started_at >= '2024-10-05' and started_at < '2024-12-20' order by response_id limit 20)"
)


def night(folder: Path, start: Path, change: str | None, only_touched: bool, check: bool) -> dict[str, Any]:
    """One nightly run on a copy of the warehouse ``start``, after ``change``."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        database = Path(home) / "bench.duckdb"
        shutil.copy(start, database)
        if change:
            _change(database, change)
        told = contender("own", "in_runner.py", _task(database, only_touched), Path(home))
        if check:
            _require_same(database, change, folder, Path(home))
    return told


def _task(database: Path, only_touched: bool) -> dict[str, Any]:
    return {
        "database": str(database), "project": str(FOLDER), "variables": VARIABLES, "with_tests": True,
        "memory_mb": None, "only_touched": only_touched,
    }  # fmt: skip


def _change(database: Path, change: str) -> None:
    with duckdb.connect(str(database)) as connection:
        changed = connection.execute(change).fetchall()[0][0]
        assert changed == 20, f"{changed} responses were corrected"


def _require_same(database: Path, change: str | None, folder: Path, home: Path) -> None:
    """Check that the tables equal those of a full rebuild from the same rows."""
    whole = folder / f"whole-{bool(change)}.duckdb"
    if not whole.exists():
        shutil.copy(database, whole)
        contender("own", "in_runner.py", _task(whole, False), home)
    tables = [
        model.name
        for model in SqlProject.load(FOLDER, VARIABLES).order()
        if model.config.materialized != "view"
    ]
    different = differing(whole, database, tables)
    assert not different, f"not what building everything gives: {different}"


def measured(rows: int, turns: int, folder: Path) -> Mapping[str, measuring.Turns]:
    """The four nightly runs at one number of rows."""
    raw, before = load_of(rows), folder / "before.duckdb"
    shutil.copy(raw, before)
    contender("own", "in_runner.py", _task(before, True), folder)
    checked: set[str] = set()

    def one(name: str, start: Path, change: str | None, only_touched: bool) -> dict[str, Any]:
        check = only_touched and name not in checked
        checked.add(name)
        return night(folder, start, change, only_touched, check)

    works: dict[str, Callable[[], dict[str, Any]]] = {
        "everything": partial(one, "everything", before, CORRECTED, False),
        "first night, remembered": partial(one, "first night, remembered", raw, None, True),
        "late answers": partial(one, "late answers", before, CORRECTED, True),
        "no news": partial(one, "no news", before, None, True),
    }
    found = in_turns(works, turns)
    show(f"{rows:,} survey responses and as many social figures", found, "everything")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a hundred thousand rows, one turn")
    asked = parser.parse_args()
    measuring.HOME.mkdir(parents=True, exist_ok=True)
    found: dict[str, Mapping[str, measuring.Turns]] = {}
    told: list[Verdict] = []
    for rows in asked.rows or (QUICK if asked.quick else SIZES):
        with tempfile.TemporaryDirectory(dir=measuring.HOME) as folder:
            found[str(rows)] = measured(rows, 1 if asked.quick else asked.turns, Path(folder))
        base = found[str(rows)]["everything"]
        told = [
            Verdict("late answers", ratio(found[str(rows)]["late answers"], base), f"{rows:,} rows"),
            Verdict("no news", ratio(found[str(rows)]["no news"], base), f"{rows:,} rows"),
        ]
        keep("only_touched", found, told)


if __name__ == "__main__":
    main()
