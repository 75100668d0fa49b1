"""Keep Dagster's SQLite files open while jobs run in this process, and sync them at checkpoints.

For every event Dagster creates an engine, opens one to three connections and closes them. Opening costs more than the
insert; closing the last connection of a file checkpoints its log and waits for the disk, and so does each commit. With
one engine and pooled connections per file, the log is checkpointed only when it has grown. Events survive a crash of
the process; a power cut leaves the file intact but may lose the last events of the history. No figures are stored here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa


@contextmanager
def keep_history_open(folder: Path) -> Iterator[None]:
    """Pool the connections to every SQLite file that Dagster opens below ``folder``, until the end of the block.

    A block within another does nothing of its own: the outer one keeps the files open.
    """
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage

    modules = [sqlite_event_log, sqlite_run_storage]
    make: Callable[..., sa.Engine] = vars(sqlite_event_log)["create_engine"]
    if isinstance(getattr(make, "__self__", None), _Engines):
        yield
        return
    engines = _Engines(folder.resolve(), make)
    for module in modules:  # Dagster's own name, no other hook
        setattr(module, "create_engine", engines.engine)  # noqa: B010
    try:
        yield
    finally:
        for module in modules:
            setattr(module, "create_engine", make)  # noqa: B010
        engines.close()


class _Engines:
    """One engine for each file, whose connections stay open until ``close``."""

    def __init__(self, folder: Path, make: Callable[..., sa.Engine]) -> None:
        self._below = f"sqlite:///{folder}{os.sep}"
        self._make = make
        self._kept: dict[str, sa.Engine] = {}

    def engine(self, url: str, **arguments: Any) -> sa.Engine:
        if not url.startswith(self._below):
            return self._make(url, **arguments)
        if url not in self._kept:
            kept = self._make(url, **{**arguments, "poolclass": sa.QueuePool})
            sa.event.listen(kept, "connect", _sync_at_checkpoints)
            # Dagster disposes of the engine after each event.
            setattr(kept, "dispose", lambda **_: None)  # noqa: B010
            self._kept[url] = kept
        return self._kept[url]

    def close(self) -> None:
        for engine in self._kept.values():
            sa.Engine.dispose(engine)


def _sync_at_checkpoints(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous = normal")
