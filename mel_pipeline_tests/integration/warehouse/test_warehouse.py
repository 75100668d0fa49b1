"""The only access path to the database."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from mel_pipeline.warehouse import Warehouse, engine


def test_a_database_error_repeats_none_of_its_parameters(tmp_path: Path) -> None:
    """By default a failing statement is printed with its parameters, which may be a person's name."""
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5)
    with pytest.raises(sa.exc.DBAPIError) as caught, warehouse.connect() as connection:
        connection.execute(sa.text("insert into no_such_table values (:name)"), {"name": "Ada Example"})
    assert "Ada" not in str(caught.value)
    assert "no_such_table" in str(caught.value)


def test_duckdb_settings_in_the_url_apply_to_every_connection(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'warehouse.duckdb'}?memory_limit=300MB&preserve_insertion_order=false"
    query = "select current_setting('memory_limit') as memory, current_setting('preserve_insertion_order') as keeps"
    first = Warehouse(url, 5)
    with first.transaction(memory_mb=200) as connection:
        connection.exec_driver_sql("create table t as select 1 as n")
    first.fold()
    for warehouse in (first, Warehouse(url, 5)):
        assert warehouse.records(query) == [{"memory": "286.1 MiB", "keeps": False}]
        assert warehouse.tables() == {"t"}


READ_ELSEWHERE = """
import sys, time
from mel_pipeline.warehouse import Warehouse, engine
begun = time.monotonic()
print(Warehouse(sys.argv[1], float(sys.argv[2])).read("select 1 as n")["n"].iloc[0], time.monotonic() - begun)
"""


def read_elsewhere(url: str, patience: float) -> tuple[int, float]:
    """The value another process reads, and how many seconds it waited for the file."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ_ELSEWHERE, url, str(patience)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    found, waited = done.stdout.split()
    return int(found), float(waited)


def connections(warehouse: Warehouse) -> list[object]:
    """Driver connections opened from now on."""
    opened: list[object] = []
    sa.event.listen(warehouse.engine, "connect", lambda driver, _: opened.append(driver))
    return opened


def test_a_file_that_may_linger_is_opened_once_for_many_queries(tmp_path: Path) -> None:
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, idle_close_seconds=30)
    opened = connections(warehouse)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("create table t as select 1 as n")
    for _ in range(20):
        assert warehouse.records("select n from t") == [{"n": 1}]
    assert len(opened) == 1
    warehouse.engine.dispose()


@pytest.mark.long
def test_a_lingering_file_is_released_after_its_delay(tmp_path: Path) -> None:
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, idle_close_seconds=0.2)
    with warehouse.connect():
        time.sleep(0.5)  # longer than the delay: a file in use is not released
        assert warehouse.records("select 1 as n") == [{"n": 1}]
    found, _ = read_elsewhere(warehouse.url, 10)
    assert found == 1


@pytest.mark.long
def test_a_process_waiting_for_a_lingering_file_gets_it_although_queries_go_on(tmp_path: Path) -> None:
    """The file would linger for half a minute, and is used a hundred times a second."""
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 60, idle_close_seconds=30)
    with ThreadPoolExecutor() as other:
        reading = other.submit(read_elsewhere, warehouse.url, 25)
        while not reading.done():
            assert warehouse.records("select 1 as n") == [{"n": 1}]
            time.sleep(0.01)
        assert reading.result()[0] == 1
    warehouse.engine.dispose()


def test_an_error_leaves_nothing_behind_for_the_next_query(tmp_path: Path) -> None:
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5, idle_close_seconds=30)
    opened = connections(warehouse)
    with pytest.raises(RuntimeError), warehouse.connect() as connection:
        connection.exec_driver_sql("create temporary table left_behind as select 1 as n")
        raise RuntimeError
    assert "left_behind" not in warehouse.tables()
    assert len(opened) == 2
    warehouse.engine.dispose()


def test_a_memory_limit_applies_only_to_its_transaction(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'warehouse.duckdb'}?memory_limit=300MB"
    warehouse = Warehouse(url, 5, idle_close_seconds=30)
    query = "select current_setting('memory_limit') as memory, current_setting('threads') as threads"
    before = warehouse.records(query)
    with warehouse.transaction(memory_mb=100) as connection:
        assert connection.exec_driver_sql(query).one() == ("95.3 MiB", 1)
    assert warehouse.records(query) == before
    assert before[0]["memory"] == "286.1 MiB"
    warehouse.engine.dispose()


@pytest.mark.slow
def test_the_log_of_a_load_that_goes_on_is_folded_once_at_its_end_and_stays_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOG_OF_A_LOAD", 6 << 20)
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 5)
    log = tmp_path / "warehouse.duckdb.wal"
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("create table t (words text)")
    lengths = []
    for _ in range(4):
        with warehouse.transaction(goes_on=True) as connection:  # some 2 MB
            connection.exec_driver_sql(
                "insert into t select md5(i::text) || md5((i + 1)::text) from range(30000) r(i)"
            )
        lengths.append(log.stat().st_size if log.exists() else 0)
    assert 1 << 20 < lengths[0] < lengths[1], "longer than the log of anything else"
    assert min(lengths[2:]) < 1 << 20, "and folded once it is too long"
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("insert into t select md5(i::text) from range(60000) r(i)")
    assert not log.exists() or log.stat().st_size < 1 << 20
    assert warehouse.records("select count(*) as n from t") == [{"n": 180_000}]
