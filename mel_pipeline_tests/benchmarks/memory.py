"""The project's own models, every one with its tests, at 20 million rows within 4 GB.

The runner limits DuckDB's memory and lets it spill to disk; what counts is the peak memory of the whole process.
The quarter's figures are checked afterwards, so that a run that computed nothing does not pass.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from mel_pipeline_tests.benchmarks import measuring
from mel_pipeline_tests.benchmarks.load import load_of
from mel_pipeline_tests.benchmarks.load.generator import FOLDER, VARIABLES
from mel_pipeline_tests.benchmarks.measuring import contender, in_turns, keep, show
from mel_pipeline_tests.benchmarks.targets import Verdict

ROWS = 20_000_000
QUICK = 100_000
LIMIT_MB = 3_000  # for DuckDB; Python and what DuckDB does not count come on top


def own_models(rows: int, limit: int | None, with_tests: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=measuring.HOME) as home:
        database = Path(home) / "bench.duckdb"
        shutil.copy(load_of(rows), database)
        task = {
            "database": str(database), "project": str(FOLDER), "variables": VARIABLES,
            "with_tests": with_tests, "memory_mb": limit,
        }  # fmt: skip
        told = contender("own", "in_runner.py", task, Path(home))
        assert not told["broken"], told["broken"]
        with duckdb.connect(str(database), read_only=True) as done:
            counted = done.execute("select count(*) from fct_survey_response").fetchall()[0][0]
            figures = done.execute("select count(*) from indicator_values where status = 'ok'").fetchall()[0][
                0
            ]
        assert rows * 0.99 < counted < rows, f"{counted:,} responses of {rows:,} arrived"
        assert figures, "no figure was calculated"
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--quick", action="store_true", help="a hundred thousand rows")
    asked = parser.parse_args()
    rows = asked.rows or (QUICK if asked.quick else ROWS)
    works = {
        "no limit": partial(own_models, rows, None, True),
        f"limit {LIMIT_MB:,} MB": partial(own_models, rows, LIMIT_MB, True),
    }
    measuring.HOME.mkdir(parents=True, exist_ok=True)
    found = in_turns(works, 1)
    show(f"The project's own models with tests, {rows:,} responses and social figures", found, "no limit")
    keep(
        "memory",
        {str(rows): found},
        [Verdict("memory", found[f"limit {LIMIT_MB:,} MB"].most, f"{rows:,} rows")],
    )


if __name__ == "__main__":
    main()
