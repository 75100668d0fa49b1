"""What is held about one person, for the person (right of access, article 15 of the GDPR)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import MelError
from mel_pipeline.ingest.privacy.register import Activity, activities
from mel_pipeline.ingest.privacy.traces import in_payload, key_of, text_columns

if TYPE_CHECKING:
    from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms
    from mel_pipeline.warehouse import Warehouse


def export(warehouse: Warehouse, pseudonyms: Pseudonyms, source: str, identifier: str) -> dict[str, Any]:
    """Every stored row that is the person or names the person, and why it is held.

    Args:
        source: where the person is known; for an answer to a survey its source.
        identifier: the source's own id of the person; of an answer ``tool|response id``.

    Returns:
        JSON: ``person`` (the pseudonym), ``purposes`` from the contracts, ``rows`` by table.

    Raises:
        MelError: the source holds no people, or nothing is held about this one.
    """
    person = key_of(pseudonyms, source, identifier)
    with warehouse.connect() as connection:
        rows = _rows(connection, person)
    if not rows:
        raise MelError(
            f"Exporting a person of {source}: nothing is held under this id. Check the id as {source} shows it;"
            " for a survey answer write TOOL|ID. Someone who was erased is not held any more."
        )
    purposes = [_purpose(item) for item in activities() if item.source == source]
    return {"person": person, "source": contract_of(source).title, "purposes": purposes, "rows": rows}


def _rows(connection: sa.Connection, person: str) -> dict[str, list[dict[str, Any]]]:
    columns: dict[str, list[str]] = {}
    for table, column in text_columns(connection):
        columns.setdefault(table, []).append(column)
    found: dict[str, list[dict[str, Any]]] = {}
    for table, listed in sorted(columns.items()):
        place = sa.table(table, *map(sa.column, listed))
        if table == "quarantine":
            likely = sa.or_(
                place.c.row_key == person,
                place.c.payload.contains(person.rpartition("|")[2], autoescape=True),
            )
        else:
            likely = sa.or_(*(place.c[column] == person for column in listed))
        query = sa.select(sa.text("*")).select_from(place).where(likely)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        if table == "quarantine":
            rows = [row for row in rows if row["row_key"] == person or in_payload(row["payload"], person)]
        if rows:
            found[table] = [json.loads(json.dumps(row, default=str)) for row in rows]
    return found


def _purpose(item: Activity) -> dict[str, str]:
    return {
        "what": item.what,
        "why": item.why,
        "ground": item.ground,
        "kept": item.kept,
        "recipients": item.recipients,
    }
