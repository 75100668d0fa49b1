"""The warehouse file after a kill: while DuckDB folds its log, and between the copy and the fold."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from itertools import count as count_up
from pathlib import Path

import pytest

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.warehouse import Warehouse, safety
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.forking import Forking

# Writes forever: each transaction adds a row to both tables and prints its number once durable.
WRITER = """
import sys
from mel_pipeline.warehouse import Warehouse, safety
safety.LEAST_LOG, safety.LOG_SHARE = 1, 0.0  # fold after every transaction
warehouse = Warehouse(sys.argv[1])
begun = int(warehouse.read("select count(*) as n from one")["n"].item())
for number in range(begun, 10**9):
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(f"insert into one values ({number}, repeat('x', 2000))")
        connection.exec_driver_sql(f"insert into other select {number}, * from range(50)")
        connection.exec_driver_sql(f"create or replace table wide as select {', '.join(f'{n} as c{n}' for n in range(60))}")
    print(number, flush=True)
"""


def warehouse_at(folder: Path) -> Warehouse:
    warehouse = Warehouse(f"duckdb:///{folder / 'w.duckdb'}")
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("create table one (number integer, words text)")
        connection.exec_driver_sql("create table other (number integer, part integer)")
    return warehouse


def count(warehouse: Warehouse, table: str) -> int:
    return int(warehouse.read(f"select count(*) as n from {table}")["n"].item())


@pytest.mark.exhaustive
@pytest.mark.deep
@pytest.mark.fault(1)
def test_a_file_killed_while_it_is_folded_opens_with_everything_that_was_committed(
    tmp_path: Path, forked: Forking
) -> None:
    warehouse, chance = warehouse_at(tmp_path), random.Random(7)
    in_fold, enough = 0, examples(8, 20)
    for turn in count_up():
        if turn >= enough and in_fold:
            break
        assert turn < 80, "some kills fall into a fold"
        forked.start(WRITER, warehouse.url, said=tmp_path / f"said{turn}")
        reported = [forked.line()]
        time.sleep(chance.uniform(0, 0.12))
        forked.kill()
        while said := forked.line():
            reported.append(said)
        assert not forked.ended_well()
        in_fold += (tmp_path / "w.duckdb.before").exists()
        durable = int(reported[-1]) + 1
        rows = count(warehouse, "one")
        assert rows in (durable, durable + 1), (
            "reported rows are there; at most the last was not reported yet"
        )
        assert count(warehouse, "other") == 50 * rows, "a transaction is there whole"


def test_a_half_written_file_is_restored_to_its_state_before_the_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_at(tmp_path)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("insert into one values (1, 'kept')")

    def torn(file: safety.DuckDBFile) -> None:
        with file.path.open("r+b") as written:
            written.seek(12_288)
            written.write(b"\xff" * 8_192)
        raise KeyboardInterrupt  # as near to a kill as a process can look back on

    monkeypatch.setattr(safety, "LEAST_LOG", 1)
    monkeypatch.setattr(safety, "LOG_SHARE", 0.0)
    monkeypatch.setattr(safety.DuckDBFile, "_drop_copy", torn)
    with pytest.raises(KeyboardInterrupt), warehouse.transaction() as connection:
        connection.exec_driver_sql("insert into one values (2, 'kept too')")
    monkeypatch.undo()
    assert count(warehouse, "one") == 2
    assert sorted(path.name for path in tmp_path.iterdir() if "before" in path.name) == []


@pytest.mark.slow
def test_while_another_process_restores_the_file_opening_waits_and_then_says_so(tmp_path: Path) -> None:
    warehouse = warehouse_at(tmp_path)
    (tmp_path / "w.duckdb.before").write_bytes((tmp_path / "w.duckdb").read_bytes())
    impatient = Warehouse(warehouse.url, lock_wait_seconds=0.3)
    with (
        safety.DuckDBFile(tmp_path / "w.duckdb")._alone(),
        pytest.raises(WarehouseError, match="another program"),
        impatient.connect(),
    ):
        pass
    assert count(warehouse, "one") == 0


def test_without_room_for_the_copy_the_log_stays_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_at(tmp_path)
    monkeypatch.setattr(safety, "LEAST_LOG", 1)
    monkeypatch.setattr(safety, "LOG_SHARE", 0.0)

    tried: list[int] = []

    def no_room(*_: object) -> None:
        tried.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safety, "_copy", no_room)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("insert into one values (1, 'kept')")
    assert count(warehouse, "one") == 1
    assert tried
    assert not list(tmp_path.glob("*.before*"))


@pytest.mark.slow
@pytest.mark.fault(7)
def test_a_fold_does_not_let_a_second_process_write_the_open_file(tmp_path: Path) -> None:
    # POSIX: closing any handle of a file ends this process's locks on it, also those of DuckDB.
    warehouse = warehouse_at(tmp_path)
    intrude = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute('insert into one values (9, NULL)')"
    with warehouse.connect() as connection:
        connection.exec_driver_sql("insert into one values (1, 'mine')")
        connection.commit()
        assert warehouse._file
        warehouse._file.fold(connection)
        command = [sys.executable, "-c", intrude, str(tmp_path / "w.duckdb")]
        other = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Could not set lock" in other.stderr
        connection.exec_driver_sql("insert into one values (2, 'mine too')")
        connection.commit()
    assert count(warehouse, "one") == 2


@pytest.mark.fault(33)
def test_what_killed_processes_left_beside_the_file_goes_with_an_erasure(tmp_path: Path) -> None:
    warehouse = warehouse_at(tmp_path)
    (tmp_path / "w.duckdb.tmp").mkdir()
    left = [tmp_path / f"w.duckdb.{name}" for name in ("before.unfinished", "rewritten", "tmp/spilled")]
    for path in left:
        path.write_bytes(b"a person")
    assert warehouse.rewrite(["one"])
    assert not [path for path in left if path.exists()]
