"""Keep Dagster's SQLite files open while jobs run in this process, and sync them at checkpoints.

For every event Dagster creates an engine, opens a connection and closes it. Closing the last connection of a file
checkpoints its log and waits for the disk, and so does each commit: two fifths of the wall time of `mel report` before
this. With the file kept open, the log is checkpointed only when it has grown. Events survive a crash of the process;
a power cut leaves the file intact but may lose the last events of the history. No figures are stored here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa


@contextmanager
def keep_history_open(folder: Path) -> Iterator[None]:
    """Keep every SQLite file opened below ``folder`` open until the end of the block."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log

    connections = _OpenConnections(folder.resolve())
    make: Callable[..., sa.Engine] = vars(sqlite_event_log)["create_engine"]
    engines: dict[str, sa.Engine] = {}

    def made_once(url: str, **arguments: Any) -> sa.Engine:
        if url not in engines:
            engines[url] = make(url, **arguments)
        return engines[url]

    sa.event.listen(sa.Pool, "connect", connections.opened)
    setattr(sqlite_event_log, "create_engine", made_once)  # noqa: B010 - Dagster's own, no other hook
    try:
        yield
    finally:
        setattr(sqlite_event_log, "create_engine", make)  # noqa: B010
        sa.event.remove(sa.Pool, "connect", connections.opened)
        connections.close()


class _OpenConnections:
    """One extra connection to each file, opened along with Dagster's first."""

    def __init__(self, folder: Path) -> None:
        self._below = f"{folder}{os.sep}"
        self._connections: dict[str, sqlite3.Connection] = {}
        self._in_wal: set[str] = set()

    def opened(self, connection: Any, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        path = connection.execute("pragma database_list").fetchone()[2]
        if not path.startswith(self._below):
            return
        connection.execute("pragma synchronous = normal")
        if path in self._in_wal:
            return
        if path not in self._connections:
            self._connections[path] = sqlite3.connect(path, check_same_thread=False)
        # A connection keeps the log open from its first read on; Dagster enables WAL when it creates a file.
        mode = self._connections[path].execute("pragma journal_mode").fetchone()[0]
        self._connections[path].execute("select count(*) from sqlite_master").fetchone()
        if mode == "wal":
            self._in_wal.add(path)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
