"""Fingerprint of an entity's last load: a load with the same rows for an unchanged table has nothing to write.

Compared with its rows in the table itself, so any change in between is noticed: another load, an erasure, a restored
backup, or a manual edit. Rows of other loads do not count, unless the load is a full export: then there are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.warehouse import raw
from mel_pipeline.warehouse.fingerprints import Fingerprint, rows_digest

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from mel_pipeline.core.contracts import SourceContract


def fingerprint_after(
    connection: sa.Connection,
    contract: SourceContract,
    entity: str,
    content: str,
    rows: pd.DataFrame,
    *,
    complete: bool,
) -> Fingerprint:
    """The fingerprint of a load that has just been published.

    Args:
        content: digest of its rows, which all passed every rule.
        rows: entries as they were staged, all of them good rows.
        complete: whether they were all the source has.
    """
    stored = _stored(connection, contract, entity, None if complete else rows)
    return Fingerprint(content, {"complete": complete, "stored": stored})


def counts_if_unchanged(
    connection: sa.Connection,
    contract: SourceContract,
    entity: str,
    rows: pd.DataFrame,
    last: Fingerprint,
) -> raw.Published | None:
    """Counts of a load with the same rows as the last one; None where they have changed in the table since.

    Args:
        rows: entries as they would be staged, all of them good rows.
    """
    if not last.found or not raw.is_made(connection, contract.table(entity)):
        return None
    alone = None if last.found["complete"] else rows
    if _stored(connection, contract, entity, alone) != last.found.get("stored"):
        return None
    keys = int(rows["_row_key"].nunique())
    return raw.Published(
        new=0, changed=0, unchanged=keys, repeated=len(rows) - keys, deleted=0, quarantined=0
    )


def _stored(
    connection: sa.Connection, contract: SourceContract, entity: str, rows: pd.DataFrame | None
) -> str:
    """Digest of the entity's rows in the table: those with the keys of ``rows``, or all."""
    from mel_pipeline.quality import rows_judged

    table, judged = contract.table(entity), rows_judged(contract.entities[entity], contract.name)
    if rows is None:
        return rows_digest(connection, table, judged)
    with raw.keys_at_hand(connection, rows["_row_key"]) as keys:
        return rows_digest(connection, table, f"{judged} and _row_key in ({keys})")
