"""Erase a person from every table and refuse them in later loads. Published aggregates stay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.core.errors import MelError
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.ingest.privacy.traces import (
    in_payload,
    is_answer,
    key_of,
    mention_of,
    naming,
    tables_of,
    text_columns,
)
from mel_pipeline.warehouse import parquet_mirror, raw, state
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import erasure, load_checkpoint

if TYPE_CHECKING:
    from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms
    from mel_pipeline.warehouse import Warehouse


QUARANTINE = "quarantine"
GONE = "erased"  # in place of the person within a longer text
NOT_PURGED = (
    " Deleted rows still stand in free space of the database, as it is in use or the disk is full: the next night or"
    " `mel privacy retain` removes them."
)


@dataclass(frozen=True)
class Erased:
    """What was removed: rows that were the person, and places where the person was only named."""

    person: str
    rows: int
    mentions: int
    is_purged: bool = True

    @property
    def sentence(self) -> str:
        if not self.rows and not self.mentions:
            return "No data about this person was found. Later loads will refuse the person."
        return (
            f"{self.rows:,} rows removed and {self.mentions:,} mentions emptied, in raw tables, their histories,"
            " the quarantine and derived tables. Published figures stay. Later loads will refuse the person."
            + ("" if self.is_purged else NOT_PURGED)
        )


def erase(warehouse: Warehouse, pseudonyms: Pseudonyms, source: str, identifier: str, reason: str) -> Erased:
    """Remove a person, first from every table in one transaction, then from the bytes of the database.

    If it is interrupted in between, erasing anybody (or the same person again), `mel privacy retain` and each night
    finish it.

    Args:
        source: where the person is known, such as ``zoho_crm``; for an answer to a survey its source.
        identifier: the source's own id of the person; of an answer ``tool|response id``.
        reason: such as "request of 3 November", without a name.

    Raises:
        MelError: the source holds no people.
    """
    return _erase(warehouse, source, key_of(pseudonyms, source, identifier), reason, identifier)


def erase_pseudonym(warehouse: Warehouse, source: str, person: str, reason: str) -> Erased:
    """Remove a person known by pseudonym, or an answer by its key, as after restoring a backup. Errors as ``erase``."""
    return _erase(warehouse, source, person, reason)


def _erase(
    warehouse: Warehouse, source: str, person: str, reason: str, identifier: str | None = None
) -> Erased:
    contract = contract_of(source)
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        there = tables_of(connection, contract)
        removed = {table: count for table in there if (count := _remove_rows(connection, table, person))}
        rows, mentions = sum(removed.values()), 0
        for table, column in text_columns(connection):
            found = _sweep(connection, table, column, person, is_row=is_answer(source))
            rows, mentions = rows + found.rows, mentions + found.mentions
        rows += _remove_quarantined(connection, person)
        _forget_checkpoint(connection, contract, {person, identifier or person})
        _note(connection, person, source, reason, removed, rows + mentions)
        if remaining := _still_there(connection, person):
            raise MelError(
                f"Erasing a person: the tables {', '.join(remaining)} still name the person. Nothing was changed."
            )
        parquet_mirror.forget(connection)  # copies for Spark
    return Erased(person, rows, mentions, purge(warehouse))


def purge(warehouse: Warehouse) -> bool:
    """Remove erased rows from the bytes of the database: deleted rows stay in its free space for a while.

    Returns:
        False if it has to be done later, because the warehouse is in use or the disk is full.
    """
    if not warehouse.has_table(erasure.name):
        return True
    due = "select count(*) as n from erasure where purged_at is null"
    if not warehouse.records(due)[0]["n"]:
        return True
    with warehouse.connect() as connection:
        tables = sorted({table for table, _ in text_columns(connection)})
    if not warehouse.rewrite(tables):
        return False
    with warehouse.transaction() as connection:
        connection.execute(
            sa.update(erasure).where(erasure.c.purged_at.is_(None)).values(purged_at=utc_now())
        )
    return True


def erased_people(warehouse: Warehouse) -> frozenset[str]:
    """Pseudonyms of people, and keys of answers, to refuse."""
    if not warehouse.has_table(erasure.name):
        return frozenset()
    return frozenset(row["person"] for row in warehouse.records("select person from erasure"))


def _remove_rows(connection: sa.Connection, table: str, person: str) -> int:
    """The person's own rows, and rows that require the person (a required reference)."""
    removed = 0
    for column in _required_references(table):
        removed += _delete(connection, table, column, person)
    return removed + _delete(connection, table, "_row_key", person)


def _required_references(table: str) -> list[str]:
    base = table.removesuffix("_history").removesuffix("_staged")
    return [
        name
        for source, entity in entities_about_people()
        if contract_of(source).table(entity) == base
        for name, column in contract_of(source).entities[entity].columns.items()
        if column.person == "key" and column.required
    ]


def _delete(connection: sa.Connection, table: str, column: str, person: str) -> int:
    place = sa.table(table, sa.column(column))
    found = sa.select(sa.func.count()).select_from(place).where(place.c[column] == person)
    count = int(connection.execute(found).scalar_one())
    if count:
        connection.execute(sa.delete(place).where(place.c[column] == person))
    return count


@dataclass(frozen=True)
class _Swept:
    rows: int = 0
    mentions: int = 0


def _sweep(connection: sa.Connection, table: str, column: str, person: str, *, is_row: bool) -> _Swept:
    """Remove the person from a column of any table: the cell is emptied, within a longer text the name is replaced.

    Args:
        is_row: a row with the key is the person's answer (a fact, say), and goes as a whole.
    """
    place = sa.table(table, sa.column(column))
    cell = place.c[column]
    whole = int(
        connection.execute(sa.select(sa.func.count()).select_from(place).where(cell == person)).scalar_one()
    )
    if whole and is_row:
        connection.execute(sa.delete(place).where(cell == person))
    elif whole:
        connection.execute(sa.update(place).where(cell == person).values({column: None}))
    within = [] if table == QUARANTINE else naming(connection, table, column, person)
    for text in within:
        cleaned = mention_of(person).sub(GONE, text)
        connection.execute(sa.update(place).where(cell == text).values({column: cleaned}))
    return _Swept(whole, len(within)) if is_row else _Swept(0, whole + len(within))


def _remove_quarantined(connection: sa.Connection, person: str) -> int:
    """Rows of the quarantine that are the person or name them, also where an answer's key is in two columns."""
    place = sa.table(QUARANTINE, sa.column("fingerprint"), sa.column("row_key"), sa.column("payload"))
    last = person.rpartition("|")[2]
    likely = sa.or_(place.c.row_key == person, place.c.payload.contains(last, autoescape=True))
    rows = connection.execute(sa.select(place).where(likely)).all()
    mine = [row.fingerprint for row in rows if row.row_key == person or in_payload(row.payload, person)]
    if mine:
        connection.execute(sa.delete(place).where(place.c.fingerprint.in_(mine)))
    used = sa.table("correction_use", sa.column("row_key"))
    connection.execute(sa.delete(used).where(used.c.row_key == person))
    return len(mine)


def _forget_checkpoint(connection: sa.Connection, contract: SourceContract, names: set[str]) -> None:
    """An interrupted load that has stopped at the person starts over: its checkpoint may hold the source's own id."""
    for row in connection.execute(
        sa.select(load_checkpoint).where(load_checkpoint.c.source == contract.name)
    ).all():
        if any(mention_of(name).search(row.checkpoint) for name in names):
            raw.discard(connection, contract.asset(row.entity))
            state.drop_checkpoint(connection, contract.name, row.entity)


def _note(
    connection: sa.Connection, person: str, source: str, reason: str, removed: dict[str, int], count: int
) -> None:
    """Record the erasure; of one who was erased before, what has been removed since as well."""
    before = connection.execute(sa.select(erasure).where(erasure.c.person == person)).one_or_none()
    if before is None:
        values = {"person": person, "source": source, "erased_at": utc_now(), "reason": reason}
        connection.execute(
            sa.insert(erasure).values(**values, rows_removed=count, removed=json.dumps(removed))
        )
    elif count:
        known: dict[str, int] = json.loads(before.removed or "{}")
        together = {name: known.get(name, 0) + removed.get(name, 0) for name in {*known, *removed}}
        connection.execute(
            sa.update(erasure)
            .where(erasure.c.person == person)
            .values(
                rows_removed=before.rows_removed + count,
                removed=json.dumps(together, sort_keys=True),
                erased_at=utc_now(),
                purged_at=None,
            )
        )


def _still_there(connection: sa.Connection, person: str) -> list[str]:
    """Tables that still name the person, even inside a longer text."""
    return sorted(
        {table for table, column in text_columns(connection) if naming(connection, table, column, person)}
    )
