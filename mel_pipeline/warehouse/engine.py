"""The single entry point: read a frame, or write in one transaction. Knows none of the package's tables.

A DuckDB file allows one writing process at a time and locks readers out while it writes. So a connection lives
only as long as a read or a transaction (the file stays open a moment longer unless another process waits for it),
and a process that finds the file locked waits, up to a limit. On PostgreSQL one run writes at a time as
well; readers see the committed rows and never wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.warehouse import postgres
from mel_pipeline.warehouse.idle_close import IdleClose
from mel_pipeline.warehouse.missing import missing_table_explained
from mel_pipeline.warehouse.safety import LOG_OF_A_LOAD, DuckDBFile, InUseError

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa


IDLE_CLOSE_SECONDS = 2.0  # opening a file takes 17 ms, most queries one; a slow source is waited for longer
_OPENED: WeakSet[Warehouse] = WeakSet()  # of this process


class LostError(WarehouseError):
    """The server closed the connection mid-way; the transaction did not commit."""


class Warehouse:
    """A database behind an SQLAlchemy URL.

    Args:
        url: ``duckdb:///path/to/file.duckdb`` or ``postgresql://user:password@host/database``.
        lock_wait_seconds: how long to wait for another run to finish writing.
        idle_close_seconds: how long a DuckDB file stays open after its last use; 0 closes it after each.
    """

    def __init__(
        self, url: str, lock_wait_seconds: float = 60.0, idle_close_seconds: float = IDLE_CLOSE_SECONDS
    ) -> None:
        self.url = url
        self.lock_wait_seconds = lock_wait_seconds
        self.idle_close_seconds = idle_close_seconds
        self._is_fit = False
        self._in_use = 0  # connections
        self._counting = Lock()
        _OPENED.add(self)

    @cached_property
    def engine(self) -> sa.Engine:
        """A pool only where the file may stay open: an idle connection keeps a DuckDB file locked."""
        import sqlalchemy as sa

        if postgres.is_postgres(self.url):
            return postgres.open_engine(self.url, self.lock_wait_seconds)
        if not self._file:
            return sa.create_engine(self.url, poolclass=sa.NullPool, hide_parameters=True)
        self._file.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.idle_close_seconds:
            engine = sa.create_engine(self.url, poolclass=sa.NullPool, hide_parameters=True)
        else:
            engine = sa.create_engine(
                self.url,
                poolclass=sa.QueuePool,
                pool_size=4,  # queries nest: one runs while another connection is open
                max_overflow=-1,
                pool_use_lifo=True,  # reuse the connection that already knows which tables exist
                hide_parameters=True,
            )
        sa.event.listen(engine, "connect", self._file.keep_log)
        return engine

    @property
    def is_made(self) -> bool:
        """Whether there is something to read: a DuckDB file is made when it is first opened."""
        return not self._file or self._file.path.exists()

    @property
    def dialect(self) -> str:
        """SQL dialect in sqlglot's words: ``duckdb`` or ``postgres``."""
        return "postgres" if postgres.is_postgres(self.url) else "duckdb"

    @cached_property
    def _file(self) -> DuckDBFile | None:
        import sqlalchemy as sa

        url = sa.make_url(self.url)
        in_file = url.drivername == "duckdb" and url.database and url.database != ":memory:"
        return DuckDBFile(Path(url.database)) if in_file and url.database else None

    @cached_property
    def _idle_close(self) -> IdleClose | None:
        if not (self._file and self.idle_close_seconds):
            return None
        return IdleClose(self.idle_close_seconds, self.engine.pool.dispose, self._file.is_wanted)

    @contextmanager
    def connect(self, memory_mb: int | None = None, *, goes_on: bool = False) -> Iterator[sa.Connection]:
        """An open connection; waits for the file lock.

        Args:
            memory_mb: memory limit for DuckDB; beyond it, DuckDB spills to disk. A server has its own limit.
            goes_on: more of the same will be written at once, so DuckDB's log may become longer than usual.

        Raises:
            WarehouseError: the file stayed locked, the database cannot be opened, or the server went away.
        """
        with (
            self._idle_close.use() if self._idle_close else nullcontext(),
            self._connection() as connection,
            _bounded(connection, memory_mb),
        ):
            yield connection
            if self._file and self._file.is_due(LOG_OF_A_LOAD if goes_on else None):
                connection.rollback()  # closes our own transaction
                self._file.fold(connection)

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        connection = self._open()
        self._count_in_use(1)
        try:
            yield connection
        except Exception as error:
            connection.invalidate()  # the next user must not inherit an open transaction
            # COPY raises the driver's error, pandas wraps SQLAlchemy's.
            is_interrupted = postgres.is_interrupted(error) or postgres.is_interrupted(error.__cause__)
            if is_interrupted and postgres.is_postgres(self.url):
                raise self._interrupted(error) from None
            raise
        finally:
            connection.close()
            self._count_in_use(-1)

    def _count_in_use(self, change: int) -> None:
        with self._counting:
            self._in_use += change

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """A connection that is the only writer until it is closed: for a run of models."""
        with self.connect() as connection:
            if connection.dialect.name == "postgresql":
                postgres.wait_for_turn(connection, until_closed=True)
            yield connection

    @contextmanager
    def transaction(self, memory_mb: int | None = None, *, goes_on: bool = False) -> Iterator[sa.Connection]:
        """All or nothing: commits at the end, rolls back when anything is raised.

        Args:
            memory_mb, goes_on: as in ``connect``.
        """
        with self.connect(memory_mb, goes_on=goes_on) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                postgres.wait_for_turn(connection)
            yield connection

    def read(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Rows of a query as a frame. ``sql`` is our own text; values go in as ``:name`` parameters.

        Raises:
            WarehouseError: a table of the query does not exist yet.
        """
        import pandas as pd
        import sqlalchemy as sa

        with missing_table_explained(), self.connect() as connection:
            return pd.read_sql_query(sa.text(sql), connection, params=dict(parameters or {}))

    def records(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries; missing values are None."""
        import sqlalchemy as sa

        with missing_table_explained(), self.connect() as connection:
            rows = connection.execute(sa.text(sql), dict(parameters or {})).mappings().all()
        return [{str(name): value for name, value in row.items()} for row in rows]

    def tables(self) -> set[str]:
        """Names of all tables and views."""
        sql = "select table_name from information_schema.tables where table_schema = current_schema()"
        return {str(row["table_name"]) for row in self.records(sql)}

    def has_table(self, name: str) -> bool:
        """Whether the table or view exists; for the package's own, looked up once per connection."""
        from mel_pipeline.warehouse.migrating import is_there
        from mel_pipeline.warehouse.tables import metadata

        own = metadata.tables.get(name)
        if own is None:
            return name in self.tables()
        with self.connect() as connection:
            return is_there(connection, own)

    def columns(self, name: str) -> list[str]:
        """Column names in order; empty when there is no such table or view."""
        rows = self.records(
            "select column_name from information_schema.columns"
            " where table_name = :name and table_schema = current_schema() order by ordinal_position",
            {"name": name},
        )
        return [str(row["column_name"]) for row in rows]

    def fold(self) -> None:
        """Checkpoint DuckDB's log into its file, so that the file is complete on its own. Does nothing on a server."""
        if self._file and self._file.log.exists():
            with self.connect() as connection:
                self._file.fold(connection)

    def rewrite(self, tables: Iterable[str]) -> bool:
        """Free the space of deleted rows, so that they no longer stand in the bytes of the database.

        Args:
            tables: to be rewritten on a server; a DuckDB file is rewritten as a whole.

        Returns:
            False if it could not be done now: another process or transaction uses the warehouse, or the disk is full.
        """
        if postgres.is_postgres(self.url):
            with self.connect() as connection:
                return postgres.rewrite(connection, tables)
        if not self._file:
            return True
        # What another connection of this process writes afterwards would go to the old file.
        same = [other for other in _OPENED if other.url == self.url]
        if any(other._in_use for other in same):
            return False
        for other in same:
            other.engine.dispose()
        try:
            with self.connect() as connection:
                self._file.rewrite(connection)
        except (InUseError, OSError):
            return False
        finally:
            self.engine.dispose()
        return True

    def _open(self) -> sa.Connection:
        import sqlalchemy as sa
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

        waiting = ExitStack()
        try:
            with waiting:
                for attempt in Retrying(
                    retry=retry_if_exception(_may_pass),
                    stop=stop_after_delay(self.lock_wait_seconds),
                    wait=wait_random(0.05, 0.25),
                    reraise=True,
                ):
                    with attempt:
                        if attempt.retry_state.attempt_number == 2 and self._file:
                            waiting.enter_context(self._file.requested())
                        return self._connected()
        except sa.exc.DBAPIError as error:
            if postgres.is_postgres(self.url):
                raise WarehouseError(
                    f"Opening the warehouse on PostgreSQL: {postgres.reason(error)}. Check MEL_WAREHOUSE_URL and"
                    " that the server runs; `mel doctor` tries it. Nothing was changed."
                ) from None  # the driver's own words repeat the address
            raise _explained(error, self.engine.url, self.lock_wait_seconds) from error
        except InUseError as error:
            raise WarehouseError(
                f"Opening the warehouse: another program has been writing it for {self.lock_wait_seconds:.0f}"
                " seconds. Wait for that run to end and start again. Nothing was changed."
            ) from error
        raise AssertionError  # Retrying returns or raises

    def _interrupted(self, error: Exception) -> WarehouseError:
        if postgres.is_waiting_in_vain(error):
            return WarehouseError(
                f"Writing the warehouse: another run has been writing it for {self.lock_wait_seconds:.0f} seconds."
                " Wait for it to end and start again, or raise MEL_LOCK_WAIT_SECONDS. Nothing was changed."
            )
        return LostError(
            "The PostgreSQL server closed the connection, as it does on a restart. Nothing was written in part:"
            " a step is committed in full or not at all. Start the run again; it continues from there."
        )

    def _connected(self) -> sa.Connection:
        if self._file is None:
            connection = self.engine.connect()
            if postgres.is_postgres(self.url) and not self._is_fit:
                self._require_fit(connection)
            return connection
        self._file.put_back()
        return self.engine.connect()

    def _require_fit(self, connection: sa.Connection) -> None:
        try:
            postgres.require_fit(connection)
        except BaseException:
            connection.close()
            raise
        self._is_fit = True


@contextmanager
def _bounded(connection: sa.Connection, memory_mb: int | None) -> Iterator[None]:
    """Limit DuckDB's memory, and its threads, since each thread needs memory of its own."""
    if memory_mb is None or connection.dialect.name != "duckdb":
        yield
        return
    limits = {"memory_limit": f"{memory_mb}MB", "threads": 1, "preserve_insertion_order": False}
    for name, value in limits.items():
        connection.exec_driver_sql(f"set {name} = '{value}'")
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        requested = connection.engine.url.query  # reading a setting back gives a rounded value
        for name in limits:
            connection.exec_driver_sql(
                f"set {name} = '{requested[name]}'" if name in requested else f"reset {name}"
            )
        connection.commit()


def is_out_of_memory(error: Exception) -> bool:
    """Whether DuckDB hit its memory limit."""
    return "Out of Memory Error" in str(error)


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, InUseError) or "Could not set lock on file" in str(error)


def _may_pass(error: BaseException) -> bool:
    return _is_locked(error) or postgres.is_passing(error)


def _explained(error: sa.exc.DBAPIError, url: sa.URL, waited: float) -> WarehouseError:
    place = url.render_as_string(hide_password=True)
    if _is_locked(error):
        holder = str(error).split("Conflicting lock is held in ", 1)[-1].split(". See also")[0]
        return WarehouseError(
            f"Opening the warehouse {place}: another program kept it for {waited:.0f} seconds ({holder})."
            " Wait for that run to end, or close that program, and start again. Nothing was changed."
        )
    return WarehouseError(
        f"Opening the warehouse {place}: {error.orig}. Check MEL_WAREHOUSE_URL and that the disk has room."
    )
