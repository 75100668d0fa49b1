"""A DuckDB file that survives a kill during a checkpoint.

DuckDB writes commits to a log beside the file and checkpoints the log into the file now and then. A checkpoint
overwrites blocks in place, so a process killed during one can leave a file that cannot be opened (seen once in
some hundred kills). So only this module checkpoints: it copies file and log first, and the next process that finds
such a copy restores it, as SQLite does with its journal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from mel_pipeline.core.durable import flush
from mel_pipeline.core.errors import WarehouseError

if TYPE_CHECKING:
    import sqlalchemy as sa

LEAST_LOG = 1 << 20  # bytes; replaying a shorter log at each opening takes a few milliseconds
LOG_SHARE = 1 / 16  # of the file: the cost of the copy grows with the file
# Bytes, while a load stages rows: a checkpoint after each batch took a sixth of a load of 100,000 rows.
LOG_OF_A_LOAD = 64 << 20


class InUseError(Exception):
    """Another process is checkpointing or restoring."""


@dataclass(frozen=True)
class DuckDBFile:
    """A database file with its log and copies."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path.with_name(f"{self.path.name}.wal")

    @property
    def copy(self) -> Path:
        """Exists during a checkpoint, and after a kill during one."""
        return self.path.with_name(f"{self.path.name}.before")

    @property
    def log_copy(self) -> Path:
        return self.path.with_name(f"{self.path.name}.before.wal")

    def keep_log(self, driver: Any, _record: object) -> None:
        """Turn off DuckDB's own checkpoints on a new connection, for as long as this process has the file open."""
        driver.execute("set checkpoint_threshold = '1TB'")
        driver.execute("pragma disable_checkpoint_on_shutdown")

    @contextmanager
    def requested(self) -> Iterator[None]:
        """Signal to the process that has the file open that this one is waiting for it."""
        import fcntl

        with self._request_file.open("w") as request:
            fcntl.flock(request, fcntl.LOCK_SH)
            yield

    def is_wanted(self) -> bool:
        """Whether another process waits for the file."""
        import fcntl

        try:
            with self._request_file.open("r+") as request:
                fcntl.flock(request, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @property
    def _request_file(self) -> Path:
        return self.path.with_name(f"{self.path.name}.asking")

    def is_due(self, least: int | None = None) -> bool:
        """Whether the log is long enough for a checkpoint to be worth a copy.

        Args:
            least: bytes that are too few; replaying takes some 8 ms a megabyte.
        """
        least = LEAST_LOG if least is None else least
        try:
            return self.log.stat().st_size >= max(least, self.path.stat().st_size * LOG_SHARE)
        except FileNotFoundError:
            return False

    def fold(self, connection: sa.Connection) -> None:
        """Checkpoint the log into the file. Postponed when another process writes or the disk is full.

        What another thread commits between the copy and the checkpoint is lost if the process is killed before
        the checkpoint ends; a run writes from one thread.
        """
        import duckdb

        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - an open connection has its driver
        try:
            with self._alone() as lock:
                self._keep_copy(lock)
                driver.execute("checkpoint")
                self._drop_copy()
        except (InUseError, OSError):
            return
        except duckdb.TransactionException:
            self._drop_copy()  # another connection has a transaction open: nothing was written

    def rewrite(self, connection: sa.Connection) -> None:
        """Replace the file by one that holds current rows only: deleted ones stay in free blocks of the old one.

        A kill leaves the old file or the new one, which ``put_back`` then puts in place. Close every connection of
        this process afterwards: it still has the old file open.

        Raises:
            InUseError: another process is checkpointing, or another connection of this one has a transaction open.
            OSError: the disk has no room for the copy.
        """
        import duckdb

        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - an open connection has its driver
        fresh = self.path.with_name(f"{self.path.name}.rewritten")
        with self._alone():
            self._drop_left_overs()
            home = connection.exec_driver_sql("select current_database()").scalar_one()
            connection.rollback()
            driver.execute(f"attach {_literal(fresh)} as mel_rewritten")
            try:
                driver.execute(f'copy from database "{home}" to mel_rewritten')
                driver.execute("checkpoint mel_rewritten")
            except duckdb.IOException as error:
                raise OSError(str(error)) from None
            finally:
                driver.execute("detach mel_rewritten")
            # No other file of the database is opened and closed before: that would release the lock on it.
            with self.path.open("r+b") as old:
                self.log_copy.write_bytes(b"")  # all of the log is in the new file
                fresh.replace(self.copy)
                flush(self.path.parent)
                self._restore()
                _overwrite(old)

    def put_back(self) -> None:
        """Undo an interrupted checkpoint.

        Raises:
            InUseError: another process is restoring.
            WarehouseError: the copy cannot be restored.
        """
        if not self.copy.exists():
            return
        with self._alone():
            if not self.copy.exists():
                return  # the other process finished its checkpoint
            try:
                self._restore()
            except OSError as error:
                raise WarehouseError(
                    f"Restoring {self.path.name}, which a killed run left half written: {error.strerror}."
                    f" Move {self.copy.name} over {self.path.name} by hand, then start again."
                ) from error

    def _restore(self) -> None:
        for left in self.path.parent.glob(f"{self.path.name}.wal.*"):
            left.unlink()  # started by DuckDB next to the log
        if self.log_copy.exists():
            self.log_copy.replace(self.log)
        self.copy.replace(self.path)
        flush(self.path.parent)

    def _keep_copy(self, lock: IO[str]) -> None:
        """Copies the database file last: its presence means both copies are complete."""
        for source, target in ((self.log, self.log_copy), (self.path, self.copy)):
            unfinished = target.with_name(f"{target.name}.unfinished")
            try:
                _copy(source, unfinished, lock)
                with unfinished.open("rb") as written:
                    os.fsync(written.fileno())
                unfinished.replace(target)
            except OSError:
                unfinished.unlink(missing_ok=True)
                self.log_copy.unlink(missing_ok=True)
                raise
        flush(self.path.parent)

    def _drop_left_overs(self) -> None:
        """What a killed process left beside the file: unfinished copies, and what DuckDB moved out of memory."""
        for ending in ("rewritten", "before.unfinished", "before.wal.unfinished"):
            self.path.with_name(f"{self.path.name}.{ending}").unlink(missing_ok=True)
        shutil.rmtree(self.path.with_name(f"{self.path.name}.tmp"), ignore_errors=True)

    def _drop_copy(self) -> None:
        self.copy.unlink(missing_ok=True)
        self.log_copy.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[IO[str]]:
        """One process at a time; the kernel releases the lock when the process dies, and the child that copies for it."""
        import fcntl

        with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InUseError from error
            yield lock


def _copy(source: Path, target: Path, lock: IO[str]) -> None:
    """By a child: DuckDB's lock on the file ends when this process closes the file, wherever it was opened (POSIX).

    Args:
        lock: the child keeps it, too, so that nobody else copies to ``target`` while it outlives a killed process.

    Raises:
        OSError: the disk is full.
    """
    done = subprocess.run(  # noqa: S603 - no shell
        ["cp", "--", str(source), str(target)],  # noqa: S607 - of the system
        stderr=subprocess.DEVNULL,
        pass_fds=(lock.fileno(),),
        check=False,
    )
    if done.returncode:
        raise OSError(f"{source.name} could not be copied")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _overwrite(file: BinaryIO) -> None:
    """Overwrite a file with zeros: a process that has just opened it fails instead of writing to a file that is gone."""
    left = file.seek(0, os.SEEK_END)
    file.seek(0)
    while left > 0:
        left -= file.write(bytes(min(left, 1 << 20)))
    file.flush()
    os.fsync(file.fileno())
