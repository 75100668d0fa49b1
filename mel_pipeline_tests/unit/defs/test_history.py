"""Dagster's SQLite files, held open while jobs run."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage

from mel_pipeline.defs.context import Mel
from mel_pipeline.defs.serving.history import keep_history_open


@dg.asset
def counted() -> None:
    """A minimal asset."""


def write(path: Path, value: int) -> None:
    """As Dagster does: an engine and a connection for one event."""
    engine = sqlite_event_log.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("pragma journal_mode = wal")
        connection.exec_driver_sql("create table if not exists event (value integer)")
        connection.exec_driver_sql(f"insert into event values ({value})")
        connection.commit()
    engine.dispose()


def values(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("select value from event order by value")]
    connection.close()
    return found


def test_the_log_of_a_file_is_written_back_at_the_end_and_not_with_each_event(tmp_path):
    path = tmp_path / "runs" / "index.db"
    path.parent.mkdir()
    log = path.with_name("index.db-wal")
    with keep_history_open(tmp_path):
        write(path, 1)
        write(path, 2)
        assert log.exists() and values(path) == [1, 2], "another process sees each event at once"
        write(path, 3)
        assert log.exists()
    assert not log.exists() and values(path) == [1, 2, 3]


def test_files_elsewhere_or_opened_after_the_block_are_left_alone(tmp_path):
    (tmp_path / "history").mkdir()
    with keep_history_open(tmp_path / "history"):
        write(tmp_path / "other.db", 1)
        assert not (tmp_path / "other.db-wal").exists()
    write(tmp_path / "history" / "later.db", 1)
    assert not (tmp_path / "history" / "later.db-wal").exists()


def test_events_of_a_file_share_a_connection_even_from_another_thread(tmp_path):
    opened = []
    with keep_history_open(tmp_path):
        engine = sqlite_event_log.create_engine(f"sqlite:///{tmp_path / 'index.db'}", poolclass=sa.NullPool)
        sa.event.listen(engine, "connect", lambda connection, _: opened.append(connection))
        write(tmp_path / "index.db", 1)
        thread = threading.Thread(target=write, args=(tmp_path / "index.db", 2))
        thread.start()
        thread.join()
        assert opened[0].execute("pragma synchronous").fetchone() == (1,), "normal: synced at checkpoints"
    assert len(opened) == 1 and values(tmp_path / "index.db") == [1, 2]


@pytest.mark.long
def test_each_file_gets_one_engine_and_dagster_is_restored_afterwards(tmp_path):
    """If this fails, Dagster creates its engines elsewhere: check whether ``keep_history_open`` is still needed."""
    before = sqlite_event_log.create_engine, sqlite_run_storage.create_engine
    runs = []
    with keep_history_open(tmp_path), dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for module in (sqlite_event_log, sqlite_run_storage):
            first, second = (module.create_engine(f"sqlite:///{tmp_path}/a.db") for _ in range(2))
            assert first is second
        for _ in range(2):
            result = dg.materialize([counted], instance=instance)
            assert result.success
            runs.append(result.run_id)
    assert (sqlite_event_log.create_engine, sqlite_run_storage.create_engine) == before
    with dg.DagsterInstance.local_temp(str(tmp_path)) as again:
        assert {run.run_id for run in again.get_runs()} == set(runs)
        [last, earlier] = again.fetch_materializations(counted.key, limit=9).records
        assert [last.run_id, earlier.run_id] == runs[::-1]


@pytest.mark.slow
def test_a_run_keeps_the_files_open_by_itself_wherever_it_was_launched(tmp_path):
    shared = []

    @dg.asset
    def looking(mel: Mel) -> None:
        first, second = (sqlite_event_log.create_engine(f"sqlite:///{tmp_path}/a.db") for _ in range(2))
        shared.append(first is second)

    before = sqlite_event_log.create_engine
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = dg.materialize([looking], instance=instance, resources={"mel": Mel()})
        assert result.success and shared == [True]
        assert sqlite_event_log.create_engine is before
        assert instance.get_run_by_id(result.run_id).status == dg.DagsterRunStatus.SUCCESS
        with keep_history_open(tmp_path):
            kept = sqlite_event_log.create_engine
            assert dg.materialize([looking], instance=instance, resources={"mel": Mel()}).success
            assert sqlite_event_log.create_engine == kept, "the outer block still keeps them"
    assert shared == [True, True]
