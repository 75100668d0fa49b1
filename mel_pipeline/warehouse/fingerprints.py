"""What loads, models and checks were made of and what came out (table ``fingerprint``), and digests of rows. SQL only.

Something whose fingerprint is that of the last time need not be done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
    row = (
        "hash(mel_row)"
        if connection.dialect.name == "duckdb"
        else "hashtextextended(cast(mel_row as text), 0)"
    )
    where = f" where {condition}" if condition else ""
    query = f"select count(*), sum({row}) from {table} as mel_row{where}"  # noqa: S608
    columns = _run(connection, f"select * from {table} limit 0").cursor.description  # noqa: S608
    found = _run(connection, query).one()
    return text_digest(str(tuple(found)), *(f"{c[0]} {c[1]}" for c in columns))


def holds_rows(connection: sa.Connection, table: str) -> bool:
    return bool(_run(connection, f"select exists (select 1 from {table})").scalar())  # noqa: S608


def _run(connection: sa.Connection, sql: str) -> sa.CursorResult[Any]:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
