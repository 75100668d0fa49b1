"""Fingerprint of an entity's last load: a load with the same rows for an unchanged table has nothing to write.

Compared with the table itself, so any change in between is noticed: another load, an erasure, a restored backup, or
a manual edit.
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
    connection: sa.Connection, contract: SourceContract, entity: str, content: str, *, complete: bool
) -> Fingerprint:
    """The fingerprint of a load that has just been published.

    Args:
        content: digest of its rows, which all passed every rule.
        complete: whether they were all the source has.
    """
    return Fingerprint(content, {"complete": complete, "table": _table(connection, contract, entity)})


def counts_if_unchanged(
    connection: sa.Connection,
    contract: SourceContract,
    entity: str,
    rows: pd.DataFrame,
    last: Fingerprint,
) -> raw.Published | None:
    """Counts of a load with the same rows as the last one; None where the table has changed since.

    Args:
        rows: entries as they would be staged, all of them good rows.
    """
    table = contract.table(entity)
    if not last.found or not raw.is_made(connection, table):
        return None
    if _table(connection, contract, entity) != last.found["table"]:
        return None
    keys = int(rows["_row_key"].nunique())
    return raw.Published(
        new=0, changed=0, unchanged=keys, repeated=len(rows) - keys, deleted=0, quarantined=0
    )


def _table(connection: sa.Connection, contract: SourceContract, entity: str) -> str:
    from mel_pipeline.quality import rows_judged

    rules = contract.entities[entity]
    return rows_digest(connection, contract.table(entity), rows_judged(rules, contract.name))
