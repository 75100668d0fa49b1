"""Dagster's SQLite files while jobs run in this process: held open, and synced at checkpoints.

Dagster opens and closes a connection an event. Closing the last one of a file writes its log back and waits for the
disk, and so does each commit: two fifths of the wall time of `mel report` before this. Held open, a file's log is
written back when it has grown; its events are there after a crash of the process, and the file is whole after a power
cut, which may take the last events of the history with it. Figures do not lie here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa


@contextmanager
def history_held_open(folder: Path) -> Iterator[None]:
    """Every SQLite file below ``folder`` that is opened meanwhile stays open until the end of the block."""
    held = _Held(folder.resolve())
    sa.event.listen(sa.Pool, "connect", held.opened)
    try:
        yield
    finally:
        sa.event.remove(sa.Pool, "connect", held.opened)
        held.close()


class _Held:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connections: dict[str, sqlite3.Connection] = {}
        self._in_wal: set[str] = set()

    def opened(self, connection: Any, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        path = connection.execute("pragma database_list").fetchone()[2]
        if not path or self.folder not in Path(path).parents:
            return
        connection.execute("pragma synchronous = normal")
        if path not in self._connections:
            self._connections[path] = sqlite3.connect(path, check_same_thread=False)
        if path not in self._in_wal:
            # A connection holds the log open from its first read on; Dagster turns the log on as it makes a file.
            mode = self._connections[path].execute("pragma journal_mode").fetchone()[0]
            self._connections[path].execute("select count(*) from sqlite_master").fetchone()
            if mode == "wal":
                self._in_wal.add(path)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
