"""Quarantined rows and cells: written, reopened, and resolved when they arrive valid. SQL only.

A row in quarantine is not stored, or only in its earlier valid version. A cell in quarantine is empty in a row that is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from mel_pipeline.warehouse.raw import insert_frame, staging_of
from mel_pipeline.warehouse.tables import quarantine

LEFT_OUT = "left out"  # by a correction: stays here and needs no action
CHUNK = 5_000  # rows with a fault held in memory


@dataclass(frozen=True)
class Quarantined:
    """A quarantined row or cell with the reason. ``payload`` is the whole row as JSON, without personal data."""

    source_ref: str
    row_key: str | None
    column: str | None
    rule: str
    reason: str
    payload: str | None
    lost: Literal["row", "cell"] = "row"

    def fingerprint(self, source: str, entity: str) -> str:
        """Identifies the same fault across loads, whatever page it came on."""
        place = self.row_key or self.source_ref
        parts = [source, entity, place, self.column or "", self.rule, self.reason, self.payload or ""]
        parts += ["cell"] if self.lost == "cell" else []
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def put(
    connection: sa.Connection,
    source: str,
    entity: str,
    bad: Sequence[Quarantined],
    load_id: str,
    now: datetime,
) -> None:
    """Write rows and cells to quarantine; what is already there is reopened."""
    rows = {row.fingerprint(source, entity): row for row in bad}
    if not rows:
        return
    of_entity = sa.and_(quarantine.c.source == source, quarantine.c.entity == entity)
    known = set(connection.execute(sa.select(quarantine.c.fingerprint).where(of_entity)).scalars())
    if again := known & rows.keys():
        mine = quarantine.c.fingerprint.in_(again)
        connection.execute(sa.update(quarantine).where(mine).values(resolved_at=None, seen_at=now))
    fresh = [
        {
            "fingerprint": fingerprint,
            "load_id": load_id,
            "source": source,
            "entity": entity,
            "source_ref": row.source_ref,
            "row_key": row.row_key,
            "column_name": row.column,
            "rule": row.rule,
            "reason": row.reason,
            "payload": row.payload,
            "quarantined_at": now,
            "lost": row.lost,
            "seen_at": now,
        }
        for fingerprint, row in rows.items()
        if fingerprint not in known
    ]
    if fresh:
        insert_frame(connection, quarantine.name, pd.DataFrame(fresh))


def note_faults(connection: sa.Connection, broken: Sequence[str]) -> None:
    """Note which staged rows of a load break which rule, for ``faulty_rows`` and ``take_out``.

    Args:
        broken: one query a rule, for the numbers of the rows that break it.
    """
    numbered = " union all ".join(
        f"select _seq, {number} as rule from ({query}) as broken_{number}"
        for number, query in enumerate(broken)
    )
    connection.execute(sa.text("drop table if exists _faults"))
    connection.execute(sa.text(f"create temporary table _faults as {numbered}"))


def faulty_rows(connection: sa.Connection, load: str) -> Iterator[list[dict[str, Any]]]:
    """Staged rows that break a rule, once a rule, in their order; ``rule`` numbers it. A row stays in one chunk."""
    staged = connection.dialect.identifier_preparer.quote(staging_of(load))
    query = sa.text(
        "select f.rule, s.* from (select * from _faults where _seq in"
        "  (select distinct _seq from _faults where _seq > :last order by _seq limit :most)) as f"
        f" join {staged} as s on s._seq = f._seq order by s._seq, f.rule"
    )
    last = -1
    while rows := connection.execute(query, {"last": last, "most": CHUNK}).mappings().all():
        yield [dict(row) for row in rows]
        last = rows[-1]["_seq"]


def take_out(connection: sa.Connection, load: str, cells: Mapping[int, str], rows: Sequence[int]) -> None:
    """Empty the staged cells, and reject the staged rows, that break a rule. Ends the list of faults.

    Args:
        cells: column by number of the rule.
        rows: numbers of the rules that cost a row.
    """
    quote = connection.dialect.identifier_preparer.quote
    staged = quote(staging_of(load))
    for rule, column in cells.items():
        connection.execute(
            sa.text(
                f"update {staged} set {quote(column)} = null"
                f" where _seq in (select _seq from _faults where rule = {rule})"
            )
        )
    if rows:
        listed = ", ".join(map(str, rows))
        connection.execute(
            sa.text(
                f"update {staged} set _kind = 'bad'"
                f" where _seq in (select _seq from _faults where rule in ({listed}))"
            )
        )
    connection.execute(sa.text("drop table _faults"))


def resolve(
    connection: sa.Connection, source: str, entity: str, load: str, begun: datetime, now: datetime
) -> None:
    """Resolve what this load delivered, or deleted, without the fault: rows by key, files by name.

    Args:
        begun: start of the load; faults seen since then stay open.
    """
    name = connection.dialect.identifier_preparer.quote(staging_of(load))
    connection.execute(
        sa.text(
            "update quarantine set resolved_at = :now"
            " where source = :source and entity = :entity and resolved_at is null and seen_at < :begun and ("
            f"  row_key in (select _row_key from {name} where _row_key is not null)"
            " or (row_key is null and source_ref in"
            f"   (select split_part(_source_ref, ', row ', 1) from {name} where _kind = 'row')))"
        ),
        {"now": now, "begun": begun, "source": source, "entity": entity},
    )


def waiting(connection: sa.Connection, source: str, entity: str) -> list[str]:
    """Place and reason of every row of an entity that is still in quarantine."""
    rows = connection.execute(
        sa.select(quarantine.c.source_ref, quarantine.c.reason)
        .where(
            quarantine.c.source == source,
            quarantine.c.entity == entity,
            quarantine.c.resolved_at.is_(None),
            quarantine.c.rule != LEFT_OUT,
        )
        .order_by(quarantine.c.source_ref, quarantine.c.column_name)
    )
    return [f"{row.source_ref}: {row.reason}" for row in rows]
