"""A DuckDB file that survives a kill while it is being folded.

DuckDB writes commits to a log beside the file and folds the log into the file at times. While it folds, it
overwrites blocks in place, so a process killed then can leave a file that nothing can open (seen once in
some hundred kills). So the log is folded by us alone: file and log are copied first, and whoever finds such a
copy puts it back, as SQLite does with its journal.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import WarehouseError

if TYPE_CHECKING:
    import sqlalchemy as sa

LEAST_LOG = 1 << 20  # bytes; a shorter log is read again at each opening in a few milliseconds
LOG_SHARE = 1 / 16  # of the file: the copy costs as much as the file is long


class InUseError(Exception):
    """Another process folds or puts back."""


@dataclass(frozen=True)
class DuckDBFile:
    """A database file with what lies beside it."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path.with_name(f"{self.path.name}.wal")

    @property
    def copy(self) -> Path:
        """There while the file is being folded, and after a kill meanwhile."""
        return self.path.with_name(f"{self.path.name}.before")

    @property
    def log_copy(self) -> Path:
        return self.path.with_name(f"{self.path.name}.before.wal")

    def keep_log(self, driver: Any, _record: object) -> None:
        """Let DuckDB never fold by itself, as long as this process has the file open: for each new connection."""
        driver.execute("set checkpoint_threshold = '1TB'")
        driver.execute("pragma disable_checkpoint_on_shutdown")

    @contextmanager
    def asked_for(self) -> Iterator[None]:
        """Let whoever has the file open know, as long as this process waits for it."""
        import fcntl

        with self._asking.open("w") as asking:
            fcntl.flock(asking, fcntl.LOCK_SH)
            yield

    def is_wanted(self) -> bool:
        """Whether another process waits for the file."""
        import fcntl

        try:
            with self._asking.open("r+") as asking:
                fcntl.flock(asking, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @property
    def _asking(self) -> Path:
        return self.path.with_name(f"{self.path.name}.asking")

    def is_due(self) -> bool:
        """Whether the log has grown so long that folding it is worth a copy."""
        try:
            return self.log.stat().st_size >= max(LEAST_LOG, self.path.stat().st_size * LOG_SHARE)
        except FileNotFoundError:
            return False

    def fold(self, connection: sa.Connection) -> None:
        """Write the log into the file. Left for later when somebody else writes or the disk is full.

        What another thread commits between the copy and the fold is lost if the process is killed before
        the fold ends; a run writes from one thread.
        """
        import duckdb

        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - an open connection has its driver
        try:
            with self._alone():
                self._keep_copy()
                driver.execute("checkpoint")
                self._drop_copy()
        except (InUseError, OSError):
            return
        except duckdb.TransactionException:
            self._drop_copy()  # another connection has a transaction open: nothing was written

    def put_back(self) -> None:
        """Undo a fold that was cut short.

        Raises:
            InUseError: another process is at it.
            WarehouseError: the copy cannot be put in place.
        """
        if not self.copy.exists():
            return
        with self._alone():
            if not self.copy.exists():
                return  # whoever folded has ended well meanwhile
            try:
                for left in self.path.parent.glob(f"{self.path.name}.wal.*"):
                    left.unlink()  # what DuckDB began beside the log
                if self.log_copy.exists():
                    self.log_copy.replace(self.log)
                self.copy.replace(self.path)
                _flush_folder(self.path.parent)
            except OSError as error:
                raise WarehouseError(
                    f"Putting back {self.path.name}, which a killed run left half written: {error.strerror}."
                    f" Move {self.copy.name} over {self.path.name} yourself, then start again."
                ) from error

    def _keep_copy(self) -> None:
        """The copy of the file comes last: it says that both are whole."""
        for source, target in ((self.log, self.log_copy), (self.path, self.copy)):
            unfinished = target.with_name(f"{target.name}.unfinished")
            try:
                shutil.copyfile(source, unfinished)
                with unfinished.open("rb") as written:
                    os.fsync(written.fileno())
                unfinished.replace(target)
            except OSError:
                unfinished.unlink(missing_ok=True)
                self.log_copy.unlink(missing_ok=True)
                raise
        _flush_folder(self.path.parent)

    def _drop_copy(self) -> None:
        self.copy.unlink(missing_ok=True)
        self.log_copy.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time; the kernel lets go of the lock when a process dies."""
        import fcntl

        with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InUseError from error
            yield


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
