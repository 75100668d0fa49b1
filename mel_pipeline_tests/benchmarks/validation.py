"""Our Great Expectations validation compared with pandera and one SQL pass, on survey responses with some broken rows.

``rows``: a load; ours is validated and quarantined in its staging table, the others in batches of about a hundred
thousand. Fetching and landing the frame do not count. ``table``: a raw table; ours and SQL work in the database,
pandera has to read it first. Each of four faults breaks one row in a thousand, and all must find the same number.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from mel_pipeline.core.contracts import EntityContract, contract_of
from mel_pipeline.quality.rules import FORMS
from mel_pipeline_tests.benchmarks import measuring
from mel_pipeline_tests.benchmarks.equality import export_raw, import_raw
from mel_pipeline_tests.benchmarks.load import load_of
from mel_pipeline_tests.benchmarks.measuring import PYTHONS, Turns, contender, in_turns, keep, show

SIZES = [100_000, 1_000_000, 10_000_000]
QUICK = [100_000]
TABLE = "raw_surveys__responses"
VECTORS = 50  # of 2,048 rows: a batch of about a hundred thousand
# Above this, one turn: figures vary by seconds in minutes.
ONE_TURN = 5_000_000
PEERS = {
    "SQL pass": ("own", "check_sql.py"),
    "Great Expectations": ("own", "check_ours.py"),
    "pandera": ("bench", "check_pandera.py"),
}
BREAKING = {
    "status": "'halfway'",
    "recommendation": "'11'",
    "started_at": "'3 March'",
    "tool": "null",
}


def row_rules(contract: EntityContract) -> Iterator[dict[str, Any]]:
    """The contract's row rules, for contenders that cannot read contracts."""
    for name, column in contract.columns.items():
        if column.required:
            yield {"column": name, "rule": "required"}
        if column.allowed:
            yield {"column": name, "rule": "allowed", "values": column.allowed}
        if column.type in FORMS:
            yield {"column": name, "rule": "form", "form": f"^(?:{FORMS[column.type][0]})$"}
        if column.minimum is not None and column.maximum is not None:
            yield {"column": name, "rule": "range", "low": column.minimum, "high": column.maximum}


def table_rules(contract: EntityContract) -> Iterator[dict[str, Any]]:
    """The table rules that need no knowledge of its loads."""
    yield {"column": "_row_key", "rule": "unique"}
    for name, column in contract.columns.items():
        if column.required:
            yield {"column": name, "rule": "required"}


def with_broken_rows(rows: int, folder: Path) -> dict[str, Path]:
    """The responses, a thousandth of them broken, for both versions of DuckDB."""
    own, parquet, older = folder / "rows.duckdb", folder / "rows", folder / "older.duckdb"
    with duckdb.connect(str(own)) as database:
        database.execute("set enable_progress_bar = false")
        database.execute(f"attach '{load_of(rows)}' as load (read_only)")
        changed = ", ".join(
            f"case when cast(substr(response_id, 2) as bigint) % 1000 = {place} then {value} else {column} end as {column}"
            for place, (column, value) in enumerate(BREAKING.items())
        )
        database.execute(f"create table {TABLE} as select * replace ({changed}) from load.{TABLE}")
    if PYTHONS["bench"].exists():
        export_raw(own, parquet, [TABLE])
        import_raw(PYTHONS["bench"], parquet, older)
        shutil.rmtree(parquet)
    return {"own": own, "bench": older}


def measured(rows: int, turns: int, folder: Path) -> dict[str, dict[str, Turns]]:
    contract = contract_of("survey_files").entities["responses"]
    databases = with_broken_rows(rows, folder)
    listed = ", ".join(contract.columns)
    found = {}
    for what, rules in (("rows", list(row_rules(contract))), ("table", list(table_rules(contract)))):
        task = {
            "what": what, "rules": rules, "table": TABLE, "vectors": VECTORS,
            "query": f"select {listed}, _source_ref from {TABLE} where not _is_deleted",
        }  # fmt: skip
        told: dict[str, dict[str, int]] = {}

        def one(name: str, task: dict[str, Any], told: dict[str, dict[str, int]]) -> dict[str, Any]:
            python, script = PEERS[name]
            answer = contender(python, script, task | {"database": str(databases[python])}, folder)
            told[name] = answer["broken"]
            return answer

        works = {
            name: partial(one, name, task, told) for name, (python, _) in PEERS.items() if PYTHONS[python].exists()
        }  # fmt: skip
        found[f"{what} {rows}"] = in_turns(works, turns)
        assert len({tuple(answer.items()) for answer in told.values()}) == 1, f"{what}: not the same {told}"
        assert all(told.values()), f"{what}: nobody found what was broken"
        show(
            f"{rows:,} rows, {what}, {len(rules)} rules; found {told['SQL pass']}",
            found[f"{what} {rows}"],
            "SQL pass",
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--quick", action="store_true", help="a hundred thousand rows, one turn")
    asked = parser.parse_args()
    measuring.HOME.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Turns]] = {}
    for rows in asked.rows or (QUICK if asked.quick else SIZES):
        turns = 1 if asked.quick or rows > ONE_TURN else 3
        with tempfile.TemporaryDirectory(dir=measuring.HOME) as folder:
            found |= measured(rows, turns, Path(folder))
    keep("validation", found, [])


if __name__ == "__main__":
    main()
