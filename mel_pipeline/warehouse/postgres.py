"""What PostgreSQL needs and a DuckDB file does not: a session's settings, one writer at a time, loading by COPY.

Readers never wait and are never refused: a write becomes visible when it commits, as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import sqlalchemy as sa

DRIVER = "postgresql+psycopg"
_LOCK = "hashtextextended('mel warehouse ' || current_schema(), 0)"
CREATE = (
    "create database mel template template0 encoding 'UTF8' locale_provider libc"
    " lc_collate 'C' lc_ctype 'C.UTF-8'"
)


def is_postgres(url: str) -> bool:
    return url.startswith(("postgresql:", "postgresql+", "postgres:"))


def named_driver(url: str) -> str:
    """The URL with our driver, whatever driver it names, or none."""
    return f"{DRIVER}:{url.split(':', 1)[1]}" if is_postgres(url) else url


def open_engine(url: str, lock_wait_seconds: float) -> sa.Engine:
    """An engine whose sessions use UTC and time out when waiting for a lock."""
    import sqlalchemy as sa

    engine = sa.create_engine(
        named_driver(url),
        poolclass=sa.NullPool,
        hide_parameters=True,  # values may be personal
        # Tables are replaced all the time; a prepared plan would refer to the old one.
        connect_args={"prepare_threshold": None, "connect_timeout": 10, "application_name": "mel"},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        from psycopg.adapt import Loader

        class Number(Loader):
            """A sum of integers is an integer, as in DuckDB, not a Decimal."""

            def load(self, data: Any) -> float | int:
                text = bytes(data).decode()
                return int(text) if text.lstrip("-").isdigit() else float(text)

        connection.adapters.register_loader("numeric", Number)
        milliseconds = max(1, int(lock_wait_seconds * 1000))
        with connection.cursor() as cursor:
            cursor.execute(
                f"set time zone 'UTC'; set lock_timeout = {milliseconds};"
                # A killed run releases its lock even while a long query of it still runs.
                " set client_connection_check_interval = '1s'"
            )
        connection.commit()

    return engine


def require_fit(connection: sa.Connection) -> None:
    """Check that text sorts as in DuckDB and that there is a schema to write to.

    Raises:
        WarehouseError: the database sorts text by a language's collation, or lacks Unicode.
    """
    # A provider other than libc has its own collation.
    found = connection.exec_driver_sql(
        "select d.datcollate in ('C', 'POSIX') and to_jsonb(d) ->> 'datlocprovider' is distinct from 'i' as sorts,"
        " pg_encoding_to_char(d.encoding) = 'UTF8' and lower('É') = 'é' as is_unicode, current_schema() as home"
        " from pg_database d where d.datname = current_database()"
    ).one()
    connection.rollback()
    if not found.sorts or not found.is_unicode:
        raise WarehouseError(
            "Opening the warehouse: this PostgreSQL database sorts text or recognises capitals by the rules of its"
            " locale, so figures could differ from other installations. Create one with code-point order and Unicode:"
            f" `{CREATE}`. Nothing was changed."
        )
    if found.home is None:
        raise WarehouseError(
            "Opening the warehouse: the schema in the URL's search_path does not exist, or this role may not use"
            " it. Create it (`create schema mel`), or take the search_path out of MEL_WAREHOUSE_URL."
        )


def require_reachable(url: str) -> None:
    """Connect once, ahead of a library whose errors would repeat address and user.

    Raises:
        WarehouseError: says why the server cannot be reached.
    """
    import sqlalchemy as sa

    try:
        open_engine(url, 10).connect().close()
    except sa.exc.SQLAlchemyError as error:
        raise WarehouseError(
            f"Opening Dagster's storage on PostgreSQL: {reason(error)}. Check MEL_DAGSTER_STORAGE_URL and that the"
            " server runs. Nothing was changed."
        ) from None


def wait_for_turn(connection: sa.Connection, *, until_closed: bool = False) -> None:
    """Take the warehouse's writer lock, until the transaction or the session ends.

    What a load reads before it writes (keys, cursors, the last number of the ledger), and what a run of models
    builds on, cannot change in between. Readers are not blocked.
    """
    function = "pg_advisory_lock" if until_closed else "pg_advisory_xact_lock"
    connection.exec_driver_sql(f"select {function}({_LOCK})")
    if until_closed:
        connection.commit()


def copy_rows(connection: sa.Connection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame by COPY, the fastest way. Missing values become NULL."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(str(name)) for name in frame.columns)
    driver: Any = connection.connection.driver_connection
    plain = frame.astype(object).where(frame.notna(), None)
    with driver.cursor() as cursor, cursor.copy(f"copy {quote(table)} ({names}) from stdin") as copy:
        for row in plain.itertuples(index=False, name=None):
            copy.write_row(row)


def is_passing(error: BaseException) -> bool:
    """Whether the server is starting or stopping, so that a retry helps."""
    text = str(error)
    return any(
        sign in text
        for sign in (
            "starting up",
            "shutting down",
            "Connection refused",
            "server closed the connection",
            "terminating connection",
            "recovery mode",
            "connection is lost",
            "connection is closed",
            "the connection is bad",
        )
    )


def is_interrupted(error: BaseException | None) -> bool:
    """Whether the server closed the connection or a lock timed out, whichever library reports it."""
    import psycopg
    import sqlalchemy as sa

    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or is_interrupted(error.orig)
    # COPY uses the driver directly.
    return isinstance(error, psycopg.Error) and (is_passing(error) or is_waiting_in_vain(error))


def is_waiting_in_vain(error: BaseException) -> bool:
    return "lock timeout" in str(error)


def reason(error: BaseException) -> str:
    """Why a connection failed, without the address or the user that the server repeats."""
    text = str(error)
    for sign, said in (
        ("password authentication failed", "the server refused user or password"),
        ("no password supplied", "the server requires a password and the URL has none"),
        ("no pg_hba.conf entry", "the server does not admit this user from this machine (pg_hba.conf)"),
        ("does not exist", "there is no such database, or no such user"),
        ("too many clients", "the server has no connection left (max_connections)"),
        ("permission denied", "this role lacks the permission"),
        ("resolve", "the server's name is not known"),
        ("timeout", "the server did not answer in time"),
    ):
        if sign in text:
            return said
    return "the server cannot be reached" if is_passing(error) else type(error).__name__


def rewrite(connection: sa.Connection, tables: Iterable[str]) -> bool:
    """Rewrite tables without their deleted rows, and their statistics, which hold values. Readers of a table wait for it.

    The statistics' own deleted rows go at once if the role owns the database, else with the server's next autovacuum.

    Returns:
        False if a table stayed in use, or belongs to another role.
    """
    import sqlalchemy as sa

    quote = connection.dialect.identifier_preparer.quote
    alone = connection.execution_options(isolation_level="AUTOCOMMIT")
    analyzed = "select distinct tablename from pg_stats where schemaname = current_schema()"
    try:
        with_statistics = set(alone.exec_driver_sql(analyzed).scalars())
        for table in tables:
            before = _file_of(alone, table)
            options = "full, analyze" if table in with_statistics else "full"
            alone.exec_driver_sql(f"vacuum ({options}) {quote(table)}")
            if _file_of(alone, table) == before:  # of another role: PostgreSQL only warns, and leaves it
                return False
        alone.exec_driver_sql("vacuum (full) pg_statistic")
    except sa.exc.DBAPIError:
        return False
    return True


def _file_of(connection: sa.Connection, table: str) -> int:
    """Number of the file that holds a table; a rewritten table has another one."""
    import sqlalchemy as sa

    quoted = connection.dialect.identifier_preparer.quote(table)
    query = sa.text("select pg_relation_filenode(cast(:name as regclass))")
    return int(connection.execute(query, {"name": quoted}).scalar_one())
