"""Rows into PostgreSQL by COPY, as loads do, compared with inserts of a few hundred rows each, on a real server."""

from __future__ import annotations

import argparse
import time
from functools import partial

import pandas as pd
import sqlalchemy as sa

from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.postgres import copy_rows
from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import in_turns, keep, show
from mel_pipeline_tests.fixtures.postgres import postgres_server

TURNS, ROWS, COLUMNS = 3, 200_000, 12


def _frame(rows: int) -> pd.DataFrame:
    """Text as in exports: short words, numbers, some accents, one value in seven missing."""
    return pd.DataFrame(
        {
            f"column_{c}": [None if (n + c) % 7 == 0 else f"Évora {c} {n % 997}" for n in range(rows)]
            for c in range(COLUMNS)
        }
    )


def _by_copy(connection: sa.Connection, frame: pd.DataFrame) -> None:
    copy_rows(connection, "landed", frame)


def _by_inserts(connection: sa.Connection, frame: pd.DataFrame) -> None:
    frame.to_sql("landed", connection, index=False, if_exists="append", method="multi", chunksize=500)


def _timed(warehouse: Warehouse, frame: pd.DataFrame, way: str) -> dict[str, float]:
    columns = ", ".join(f"{name} text" for name in frame.columns)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("drop table if exists landed")
        connection.exec_driver_sql(f"create table landed ({columns})")
    begun, used = time.perf_counter(), time.process_time()
    with warehouse.transaction() as connection:
        (_by_copy if way == "COPY" else _by_inserts)(connection, frame)
    told = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used, "peak": peak_mb()}
    found = warehouse.records("select count(*) as n, count(column_0) as given from landed")[0]
    assert found == {"n": len(frame), "given": int(frame["column_0"].notna().sum())}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, one turn")
    asked = parser.parse_args()
    frame = _frame(ROWS // 10 if asked.quick else ROWS)
    with postgres_server() as server:
        warehouse = Warehouse(server.url(server.database().rpartition("/")[2]))
        works = {way: partial(_timed, warehouse, frame, way) for way in ("COPY", "inserts of 500 rows")}
        found = in_turns(works, 1 if asked.quick else TURNS)
    show(f"{len(frame):,} rows of {COLUMNS} columns into PostgreSQL", found, "COPY")
    keep("postgres_load", {"rows": found}, [])


if __name__ == "__main__":
    main()
