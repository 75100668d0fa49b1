"""Raw tables outside a load: empty ones, the catalogue's, and recent changes of a source's fields."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import SourceContract, contract_of, source_names

if TYPE_CHECKING:
    from mel_pipeline.transform.catalogue import Catalogue
    from mel_pipeline.warehouse import Warehouse

DRIFT_SHOWN = timedelta(days=30)


def ensure_empty(contract: SourceContract, entity: str, warehouse: Warehouse) -> None:
    """Create an empty raw table and history where nothing was ever loaded, so that whatever follows can read them."""
    from mel_pipeline.warehouse import raw

    table, columns = contract.table(entity), list(contract.entities[entity].columns)
    with warehouse.transaction() as connection:
        raw.ensure_table(connection, table, columns)
        raw.ensure_history(connection, table, columns)


def ensure_all(catalogue: Catalogue, warehouse: Warehouse) -> None:
    """Every raw table, with the columns that this version's models read: an older one has written fewer."""
    from mel_pipeline.ingest import city_names
    from mel_pipeline.transform.catalogue import catalogue_frames
    from mel_pipeline.warehouse import raw

    with warehouse.transaction() as connection:
        for name, frame in catalogue_frames(catalogue).items():
            table, columns = f"raw_catalogue__{name}", list(frame.columns)
            raw.ensure_table(connection, table, columns)
            raw.ensure_history(connection, table, columns)
    for source in source_names():
        contract = contract_of(source)
        for entity in contract.entities:
            ensure_empty(contract, entity, warehouse)
    city_names.ensure_empty(warehouse)


def recent_drift(warehouse: Warehouse, source: str, entity: str, now: datetime | None = None) -> list[str]:
    """Changes of the source's own fields in the last 30 days, one sentence each."""
    from mel_pipeline.warehouse import schemas

    with warehouse.connect() as connection:
        found = schemas.drift_since(connection, source, entity, (now or utc_now()) - DRIFT_SHOWN)
    return [change.sentence for change in found]


def load_catalogue_tables(catalogue: Catalogue, warehouse: Warehouse) -> dict[str, int]:
    """Load the catalogue's tables in one transaction; unchanged ones are not written.

    Returns:
        Rows by table.
    """
    from mel_pipeline.transform.catalogue import catalogue_frames
    from mel_pipeline.warehouse import raw

    now = utc_now()
    load_id = f"catalogue-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    frames = {f"raw_catalogue__{name}": frame for name, frame in catalogue_frames(catalogue).items()}
    with warehouse.transaction() as connection:
        for table, frame in frames.items():
            raw.replace_rows(connection, table, frame, load_id, now)
    return {table: len(frame) for table, frame in frames.items()}
