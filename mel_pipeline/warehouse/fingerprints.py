"""What loads, models and checks were made of and what came out (table ``fingerprint``), and digests of rows. SQL only.

Something whose fingerprint is that of the last time need not be done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.warehouse import tables
from mel_pipeline.warehouse.migrating import is_there


@dataclass(frozen=True)
class Fingerprint:
    """``made_of``: digest of rows and rules. ``found``: the outcome, as JSON without any value of a row."""

    made_of: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)


def recall(connection: sa.Connection, subject: str) -> Fingerprint | None:
    """The last fingerprint of ``load <asset>``, ``table <asset>`` or ``model <name> <part>``."""
    return recall_all(connection, tables.fingerprint.c.subject == subject).get(subject)


def recall_models(connection: sa.Connection) -> dict[str, Fingerprint]:
    """The last build of every model and part, by subject."""
    return recall_all(connection, tables.fingerprint.c.subject.startswith("model "))


def recall_all(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, Fingerprint]:
    if not is_there(connection, tables.fingerprint):
        return {}
    rows = connection.execute(sa.select(tables.fingerprint).where(which))
    return {row.subject: Fingerprint(row.made_of, json.loads(row.found)) for row in rows}


def remember(connection: sa.Connection, subject: str, last: Fingerprint) -> None:
    """Store a fingerprint in place of the previous one; call ``ensure_tables`` first."""
    stored = tables.fingerprint
    connection.execute(sa.delete(stored).where(stored.c.subject == subject))
    connection.execute(
        sa.insert(stored).values(
            subject=subject, made_of=last.made_of, found=json.dumps(last.found), noted_at=utc_now()
        )
    )


def text_digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def rows_digest(connection: sa.Connection, table: str, condition: str | None = None) -> str:
    """Digest of a table's rows, column names and types; independent of the order of rows.

    Args:
        condition: SQL that selects the rows.
    """
    where = f" where {condition}" if condition else ""
    query = f"select count(*), sum({_row(connection)}) from {table} as mel_row{where}"  # noqa: S608
    return text_digest(str(tuple(_run(connection, query).one())), *_columns(connection, table))


def rows_digests(connection: sa.Connection, table: str, conditions: Sequence[str]) -> dict[str, str]:
    """``rows_digest`` for each condition, by one pass over the table."""
    counted = ", ".join(
        f"count(*) filter (where {condition}), sum(mel_hash) filter (where {condition})"
        for condition in conditions
    )
    rows = f"select *, {_row(connection)} as mel_hash from {table} as mel_row"  # noqa: S608
    found = list(_run(connection, f"select {counted} from ({rows}) as hashed").one())  # noqa: S608
    columns = _columns(connection, table)
    pairs = zip(found[::2], found[1::2], strict=True)
    return {
        condition: text_digest(str(pair), *columns) for condition, pair in zip(conditions, pairs, strict=True)
    }


def _row(connection: sa.Connection) -> str:
    """SQL for the hash of a row of ``mel_row``."""
    is_duckdb = connection.dialect.name == "duckdb"
    return "hash(mel_row)" if is_duckdb else "hashtextextended(cast(mel_row as text), 0)"


def _columns(connection: sa.Connection, table: str) -> list[str]:
    listed = _run(connection, f"select * from {table} limit 0").cursor.description  # noqa: S608
    return [f"{column[0]} {column[1]}" for column in listed]


def holds_rows(connection: sa.Connection, table: str) -> bool:
    return bool(_run(connection, f"select exists (select 1 from {table})").scalar())  # noqa: S608


def _run(connection: sa.Connection, sql: str) -> sa.CursorResult[Any]:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
