"""Erase a person from every table and refuse them in later loads. Published aggregates stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.core.errors import MelError
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.warehouse import parquet_mirror
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import erasure

if TYPE_CHECKING:
    from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms
    from mel_pipeline.warehouse import Warehouse

# They hold aggregates, texts of definitions, or the erasure itself.
KEPT = (
    "erasure",
    "published_figures",
    "protected_numbers",
    "publication_ledger",
    "kept_file",
    "calculation",
    "indicator_values",
    "disclosure_people",
    "released_figures",
)


@dataclass(frozen=True)
class Erased:
    """What was removed: rows that were the person, and places where the person was only named."""

    person: str
    rows: int
    mentions: int

    @property
    def sentence(self) -> str:
        if not self.rows and not self.mentions:
            return "No data about this person was found. Later loads will refuse the person."
        return (
            f"{self.rows:,} rows removed and {self.mentions:,} mentions emptied, in raw tables, their histories,"
            " the quarantine and derived tables. Published figures stay. Later loads will refuse the person."
        )


def erase(warehouse: Warehouse, pseudonyms: Pseudonyms, source: str, identifier: str, reason: str) -> Erased:
    """Remove a person.

    Args:
        source: where the person is known, such as ``zoho_crm``; for an answer to a survey its source.
        identifier: the source's own id of the person; of an answer ``tool|response id``.
        reason: such as "request of 3 November", without a name.

    Raises:
        MelError: the source holds no people.
    """
    if source not in {name for name, _ in entities_about_people()}:
        held = ", ".join(sorted({name for name, _ in entities_about_people()}))
        raise MelError(f"Erasing a person of {source}: it has no data about people. Sources that do: {held}.")
    contract = contract_of(source)
    is_answer = not any(contract.people(entity) for entity in contract.entities)
    person = identifier if is_answer else pseudonyms.of(source, identifier)
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        rows = sum(_remove_rows(connection, table, person) for table in _row_tables(connection, contract))
        mentions = 0 if is_answer else _empty_mentions(connection, person)
        rows += _remove_quarantined(connection, person)
        known = sa.select(sa.func.count()).select_from(erasure).where(erasure.c.person == person)
        if not connection.execute(known).scalar_one():
            connection.execute(
                sa.insert(erasure).values(
                    person=person,
                    source=source,
                    erased_at=utc_now(),
                    rows_removed=rows + mentions,
                    reason=reason,
                )
            )
        if remaining := _still_there(connection, person):
            raise MelError(
                f"Erasing a person: the tables {', '.join(remaining)} still name the person. Nothing was changed."
            )
        parquet_mirror.forget(connection)  # copies for Spark
    warehouse.fold()
    return Erased(person, rows, mentions)


def erased_people(warehouse: Warehouse) -> frozenset[str]:
    """Pseudonyms of people, and keys of answers, to refuse."""
    if not warehouse.has_table(erasure.name):
        return frozenset()
    return frozenset(row["person"] for row in warehouse.records("select person from erasure"))


def _row_tables(connection: sa.Connection, contract: SourceContract) -> list[str]:
    """Tables of the source in which a row may be the person: raw, history and half-loaded ones."""
    there = set(sa.inspect(connection).get_table_names())
    names = []
    for entity in contract.entities:
        table = contract.table(entity)
        names += [table, f"{table}_history", f"{contract.asset(entity)}_staged"]
    return [name for name in dict.fromkeys(names) if name in there]


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


def _empty_mentions(connection: sa.Connection, person: str) -> int:
    """Empty the pseudonym in every other column of every table."""
    emptied = 0
    for table, column in _text_columns(connection):
        place = sa.table(table, sa.column(column))
        found = sa.select(sa.func.count()).select_from(place).where(place.c[column] == person)
        if count := int(connection.execute(found).scalar_one()):
            connection.execute(sa.update(place).where(place.c[column] == person).values({column: None}))
            emptied += count
    return emptied


def _remove_quarantined(connection: sa.Connection, person: str) -> int:
    place = sa.table("quarantine", sa.column("payload"), sa.column("row_key"))
    mine = sa.or_(place.c.row_key == person, place.c.payload.contains(person, autoescape=True))
    count = int(connection.execute(sa.select(sa.func.count()).select_from(place).where(mine)).scalar_one())
    if count:
        connection.execute(sa.delete(place).where(mine))
    used = sa.table("correction_use", sa.column("row_key"))
    connection.execute(sa.delete(used).where(used.c.row_key == person))
    return count


def _still_there(connection: sa.Connection, person: str) -> list[str]:
    """Tables that still name the person, even inside a longer text."""
    found = set()
    for table, column in _text_columns(connection):
        place = sa.table(table, sa.column(column))
        mine = place.c[column].contains(person, autoescape=True)
        if connection.execute(sa.select(sa.func.count()).select_from(place).where(mine)).scalar_one():
            found.add(table)
    return sorted(found)


def _text_columns(connection: sa.Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        sa.text(
            "select c.table_name, c.column_name from information_schema.columns c"
            " join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema"
            " where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'"
            " and lower(c.data_type) in ('text', 'varchar', 'character varying')"
        )
    )
    return [(str(table), str(column)) for table, column in rows if table not in KEPT]
