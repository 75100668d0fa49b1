"""Keep what an earlier export said where a later one has no such question. SQL only.

A row names the columns that its export does not speak of in ``not_in_export``. They are taken from the entry of
the same key that the load staged before, or else from the stored row, unless that got them from the same file: it
was read again, and by today's codebooks it does not say them. ``kept_from`` is the origin that they come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from mel_pipeline.warehouse.raw import ensure_table, staging_of

UNREAD, KEPT_FROM = "not_in_export", "kept_from"


def keep_unread(connection: sa.Connection, table: str, load: str, columns: Sequence[str]) -> None:
    """Fill the staged rows of a load, before they are published.

    Args:
        columns: of the contract; nothing is done unless it has ``not_in_export``.
    """
    if UNREAD not in columns:
        return
    quote = connection.dialect.identifier_preparer.quote
    raw, staged = quote(table), quote(staging_of(load))
    ensure_table(connection, table, columns)
    found = connection.execute(
        sa.text(f"select {UNREAD}, min(_seq) from {staged} where _kind = 'row' group by 1 order by 2")
    ).all()
    stored = connection.execute(sa.text(f"select 1 from {raw} limit 1")).first() is not None
    for unread in [row[0] for row in found if row[0]]:
        names = [name for name in columns if name in unread.split()]
        values = ", ".join(f"{quote(name)} = p.{quote(name)}" for name in names)
        change = f"update {staged} as s set {values}, {KEPT_FROM} = p._giver from"
        if len(found) > 1:
            connection.execute(sa.text(f"{change} ({_staged_before(staged)}) p where s._seq = p._of"), {"unread": unread})
        if stored:
            connection.execute(sa.text(f"{change} ({_stored(raw, staged)}) p where s._seq = p._of"), {"unread": unread})


def _staged_before(staged: str) -> str:
    """The latest entry before each, of an export that speaks of other columns; it has been filled already."""
    return (
        "select * from (select t.*, s._seq as _of, coalesce(t.kept_from, t.origin) as _giver,"
        " row_number() over (partition by s._seq order by t._seq desc) as _place"
        f" from {staged} s join {staged} t on t._row_key = s._row_key and t._kind = 'row' and t._seq < s._seq"
        f" and t.{UNREAD} is distinct from s.{UNREAD}"
        f" where s._kind = 'row' and s.{UNREAD} = :unread) q where _place = 1"
    )


def _stored(raw: str, staged: str) -> str:
    """The stored row of each that no other entry of this load goes before."""
    return (
        f"select r.*, s._seq as _of, coalesce(r.kept_from, r.origin) as _giver from {staged} s"
        f" join {raw} r on r._row_key = s._row_key and not r._is_deleted"
        f" where s._kind = 'row' and s.{UNREAD} = :unread and coalesce(r.kept_from, r.origin) is distinct from s.origin"
        f" and not exists (select 1 from {staged} t where t._row_key = s._row_key and t._kind = 'row' and t._seq < s._seq"
        f" and t.{UNREAD} is distinct from s.{UNREAD})"
    )
