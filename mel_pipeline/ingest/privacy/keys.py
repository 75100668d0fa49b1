"""Which key the data were pseudonymised with, and how to change it. The key itself is never stored here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.warehouse.migrating import ensure_tables, is_there
from mel_pipeline.warehouse.tables import pseudonym_key

if TYPE_CHECKING:
    from mel_pipeline.ingest.privacy.pseudonyms import Pseudonyms
    from mel_pipeline.warehouse import Warehouse


def require_same_key(warehouse: Warehouse, pseudonyms: Pseudonyms) -> None:
    """Record the key's id on first use; refuse another key later: the same person would count twice.

    Raises:
        SettingsError: the data were loaded with another key.
    """
    with warehouse.connect() as connection:
        known = (
            set(connection.execute(sa.select(pseudonym_key.c.key_id)).scalars())
            if is_there(connection, pseudonym_key)
            else set()
        )
    if pseudonyms.key_id in known:
        return
    if known:
        raise SettingsError(
            f"MEL_PSEUDONYM_KEY: the people in the warehouse were pseudonymised with the key {', '.join(sorted(known))},"
            f" but this key is {pseudonyms.key_id}. Restore the old key (look for secrets/pseudonym.key in a"
            " backup), or load everything again into an empty warehouse."
        )
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(sa.insert(pseudonym_key).values(key_id=pseudonyms.key_id, first_used_at=utc_now()))


def entities_about_people() -> list[tuple[str, str]]:
    """Source and entity of everything that holds pseudonyms or text about people."""
    return [
        (source, entity)
        for source in source_names()
        for entity, details in contract_of(source).entities.items()
        if any(column.person for column in details.columns.values())
    ]
