"""What models were built from (table ``model_build``), and digests of a table's rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import model_build


@dataclass(frozen=True)
class BuildFingerprint:
    """The last build of a model, or of one quarter of it. ``failures``: rows that break a test, by its number."""

    made_of: str
    checked_against: str
    output: str
    rows: int
    failures: Mapping[int, int] = field(default_factory=dict)


def text_digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def rows_digest(connection: sa.Connection, table: str, condition: str | None = None) -> str:
    """Digest of a table's rows, column names and types; independent of the order of rows.

    Args:
        condition: SQL that selects the rows; the digest then also covers whether the table holds others.
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
    others = bool(condition) and _run(connection, f"select exists (select 1 from {table})").scalar()  # noqa: S608
    return text_digest(str(tuple(found)), str(others), *(f"{c[0]} {c[1]}" for c in columns))


def _run(connection: sa.Connection, sql: str) -> sa.CursorResult[Any]:
    return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def read_builds(connection: sa.Connection) -> dict[tuple[str, str], BuildFingerprint]:
    """The last build of every model and part."""
    ensure_tables(connection)
    return {
        (row.model, row.part): BuildFingerprint(
            row.made_of,
            row.checked_against,
            row.output,
            row.row_count,
            {int(number): int(count) for number, count in json.loads(row.failures).items()},
        )
        for row in connection.execute(sa.select(model_build))
    }


def write_build(connection: sa.Connection, model: str, part: str, built: BuildFingerprint) -> None:
    connection.execute(sa.delete(model_build).where(model_build.c.model == model, model_build.c.part == part))
    connection.execute(
        sa.insert(model_build).values(
            model=model,
            part=part,
            made_of=built.made_of,
            checked_against=built.checked_against,
            output=built.output,
            row_count=built.rows,
            failures=json.dumps(built.failures),
            built_at=utc_now(),
        )
    )
