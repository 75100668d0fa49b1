"""Where a person stands in the tables: in rows of their own, in columns that name them, within texts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.core.errors import MelError
from mel_pipeline.ingest.privacy.keys import entities_about_people

if TYPE_CHECKING:
    from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms

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


def key_of(pseudonyms: Pseudonyms, source: str, identifier: str) -> str:
    """How a person is named in the tables: the pseudonym; of a survey answer its key.

    Raises:
        MelError: the source holds no people.
    """
    holding = sorted({name for name, _ in entities_about_people()})
    if source not in holding:
        raise MelError(
            f"Looking for a person of {source}: it has no data about people. Sources that do: {', '.join(holding)}."
        )
    return identifier if is_answer(source) else pseudonyms.of(source, identifier)


def is_answer(source: str) -> bool:
    """Whether the source knows answers and not who gave them."""
    contract = contract_of(source)
    return not any(contract.people(entity) for entity in contract.entities)


def tables_of(connection: sa.Connection, contract: SourceContract) -> list[str]:
    """Tables of the source in which a row may be the person: raw, history and half-loaded ones."""
    there = set(sa.inspect(connection).get_table_names())
    names = []
    for entity in contract.entities:
        table = contract.table(entity)
        names += [table, f"{table}_history", f"{contract.asset(entity)}_staged"]
    return [name for name in dict.fromkeys(names) if name in there]


def mention_of(person: str) -> re.Pattern[str]:
    """Finds the person in a text, and not a longer key that begins or ends the same (``tool|1`` in ``tool|10``)."""
    return re.compile(rf"(?<![\w|-]){re.escape(person)}(?![\w|-])")


def in_payload(payload: str | None, person: str) -> bool:
    """Whether a quarantined row, as JSON, names the person, or is the answer with that key."""
    if not payload:
        return False
    values = json.loads(payload)
    if not isinstance(values, dict):
        return mention_of(person).search(payload) is not None
    if f"{values.get('tool')}|{values.get('response_id')}" == person:
        return True
    return any(isinstance(value, str) and mention_of(person).search(value) for value in values.values())


def text_columns(connection: sa.Connection) -> list[tuple[str, str]]:
    """Table and column of every text that may name a person."""
    rows = connection.execute(
        sa.text(
            "select c.table_name, c.column_name from information_schema.columns c"
            " join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema"
            " where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'"
            " and c.table_catalog = current_database() and t.table_catalog = current_database()"
            " and lower(c.data_type) in ('text', 'varchar', 'character varying')"
        )
    )
    return [(str(table), str(column)) for table, column in rows if table not in KEPT]


def naming(connection: sa.Connection, table: str, column: str, person: str) -> list[str]:
    """Distinct texts of a column that name the person."""
    place = sa.table(table, sa.column(column))
    likely = sa.select(place.c[column]).distinct().where(place.c[column].contains(person, autoescape=True))
    return [text for text in connection.execute(likely).scalars() if mention_of(person).search(text)]
