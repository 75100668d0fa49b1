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
    for unread, origin in connection.execute(sa.text(_in_question(raw, staged))).all():
        names = [name for name in columns if name in unread.split()]
        values = ", ".join(f"{quote(name)} = p.{quote(name)}" for name in names)
        for earlier in (_staged_before(staged), _stored(raw, staged)):
            connection.execute(
                sa.text(
                    f"update {staged} as s set {values}, {KEPT_FROM} = p._giver from ({earlier}) p where s._seq = p._of"
                ),
                {"unread": unread, "origin": origin},
            )


def _in_question(raw: str, staged: str) -> str:
    """By file, in the order read: what it does not speak of, if it holds a response that there is another version of."""
    return (
        f"select {UNREAD}, origin from (select {UNREAD}, origin, _seq, _row_key,"
        f" count(*) over (partition by _row_key) as _versions from {staged} where _kind = 'row') s"
        f" where {UNREAD} is not null"
        f" and (_versions > 1 or exists (select 1 from {raw} r where r._row_key = s._row_key))"
        " group by 1, 2 order by min(_seq)"
    )


_THESE = f"s._kind = 'row' and s.{UNREAD} = :unread and s.origin = :origin"


def _staged_before(staged: str) -> str:
    """The latest entry before each, of another file; it has been filled already."""
    return (
        "select * from (select t.*, s._seq as _of, coalesce(t.kept_from, t.origin) as _giver,"
        " row_number() over (partition by s._seq order by t._seq desc) as _place"
        f" from {staged} s join {staged} t on t._row_key = s._row_key and t._kind = 'row'"
        f" and t._seq < s._seq and t.origin <> s.origin where {_THESE}) q where _place = 1"
    )


def _stored(raw: str, staged: str) -> str:
    """The stored row of each, unless this load has an entry before it, or read the file again that it is from."""
    return (
        f"select r.*, s._seq as _of, coalesce(r.kept_from, r.origin) as _giver from {staged} s"
        f" join {raw} r on r._row_key = s._row_key and not r._is_deleted where {_THESE}"
        f" and not exists (select 1 from {staged} t where t._row_key = s._row_key and t._kind = 'row' and"
        " ((t._seq < s._seq and t.origin <> s.origin) or t.origin = coalesce(r.kept_from, r.origin)))"
    )
