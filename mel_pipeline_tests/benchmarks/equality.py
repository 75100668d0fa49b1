"""Copy raw rows from one DuckDB file to another, and compare the tables of two contenders."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import duckdb

IMPORT = """
import sys, duckdb
from pathlib import Path
with duckdb.connect(sys.argv[1]) as database:
    database.execute("set enable_progress_bar = false")
    for path in sorted(Path(sys.argv[2]).glob("*.parquet")):
        database.execute(f"create table {path.stem} as select * from '{path}'")
    database.execute("checkpoint")
"""


def export_raw(load: Path, folder: Path, tables: Sequence[str]) -> None:
    """Raw tables as Parquet, once."""
    if folder.exists():
        return
    unfinished = folder.with_suffix(".unfinished-parquet")
    unfinished.mkdir(exist_ok=True)
    with duckdb.connect(str(load), read_only=True) as database:
        database.execute("set enable_progress_bar = false")
        for table in tables:
            database.execute(f"copy {table} to '{unfinished / table}.parquet' (format parquet)")
    unfinished.rename(folder)


def import_raw(python: Path, folder: Path, database: Path) -> None:
    """The same rows in a file of another version of DuckDB, once."""
    if database.exists():
        return
    unfinished = database.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    subprocess.run([str(python), "-c", IMPORT, str(unfinished), str(folder)], check=True)
    unfinished.rename(database)


def differing(reference: Path, other: Path, tables: Sequence[str]) -> dict[str, str]:
    """Tables that differ: columns by name, rows in any order, values cast to the types of the reference.

    Every aggregate is a whole number or a quotient of two, so the order of summation changes no digit.

    Args:
        other: a DuckDB file (attached by its own name, which views of SQLMesh hold), or a folder of Parquet files.
    """
    found = {}
    with duckdb.connect(":memory:") as database:
        database.execute("set enable_progress_bar = false")
        database.execute(f"attach '{reference}' as reference (read_only)")
        if other.is_file():
            database.execute(f"attach '{other}' as {other.stem} (read_only)")
        for table in tables:
            theirs = f"{other.stem}.main.{table}" if other.is_file() else f"'{other / table}.parquet'"
            if told := _difference(database, f"reference.main.{table}", theirs):
                found[table] = told
    return found


def _difference(database: duckdb.DuckDBPyConnection, ours: str, theirs: str) -> str:
    columns = database.execute(f"describe select * from {ours}").fetchall()
    names = {column[0] for column in database.execute(f"describe select * from {theirs}").fetchall()}
    if names != {column[0] for column in columns}:
        return f"columns {sorted(names ^ {column[0] for column in columns})}"
    cast = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind, *_ in columns)
    counts, digests = zip(
        *(
            database.execute(
                f"select count(*), sum(cast(hash(row) as hugeint)) from (select {cast} from {table}) as row"
            ).fetchall()[0]
            for table in (ours, theirs)
        ),
        strict=True,
    )
    if digests[0] == digests[1] and counts[0] == counts[1]:
        return ""
    only = [
        database.execute(
            f"select * from (select {cast} from {one} except all select {cast} from {two}) limit 2"
        ).fetchall()
        for one, two in ((ours, theirs), (theirs, ours))
    ]
    return f"{counts[0]} and {counts[1]} rows; only in the reference {only[0]}, only in the other {only[1]}"
