"""Dagster's SQLite files while jobs run in this process: held open, and synced at checkpoints.

Dagster makes an engine, opens a connection and closes it again for every event. Closing the last connection of a file
writes its log back and waits for the disk, and so does each commit: two fifths of the wall time of `mel report` before
this. Held open, a file's log is written back when it has grown; its events are there after a crash of the process, and
the file is whole after a power cut, which may take the last events of the history with it. Figures do not lie here.
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
def history_held_open(folder: Path) -> Iterator[None]:
    """Every SQLite file below ``folder`` that is opened meanwhile stays open until the end of the block."""
    from dagster._core.storage.event_log.sqlite import sqlite_event_log

    held = _Held(folder.resolve())
    make: Callable[..., sa.Engine] = vars(sqlite_event_log)["create_engine"]
    engines: dict[str, sa.Engine] = {}

    def made_once(url: str, **arguments: Any) -> sa.Engine:
        if url not in engines:
            engines[url] = make(url, **arguments)
        return engines[url]

    sa.event.listen(sa.Pool, "connect", held.opened)
    setattr(sqlite_event_log, "create_engine", made_once)  # noqa: B010 - Dagster's own, with no other way in
    try:
        yield
    finally:
        setattr(sqlite_event_log, "create_engine", make)  # noqa: B010
        sa.event.remove(sa.Pool, "connect", held.opened)
        held.close()


class _Held:
    """One more connection to each file, opened with the first of Dagster's."""

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
        # A connection holds the log open from its first read on; Dagster turns the log on as it makes a file.
        mode = self._connections[path].execute("pragma journal_mode").fetchone()[0]
        self._connections[path].execute("select count(*) from sqlite_master").fetchone()
        if mode == "wal":
            self._in_wal.add(path)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
