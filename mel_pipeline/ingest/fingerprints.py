"""Fingerprint of an entity's last load: a load with the same rows for an unchanged table has nothing to write.

Compared with the table itself, so any change in between is noticed: another load, an erasure, a restored backup, or
a manual edit.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mel_pipeline.warehouse import check_outcomes as outcomes
from mel_pipeline.warehouse import raw
from mel_pipeline.warehouse.fingerprints import rows_digest

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from mel_pipeline.core.contracts import SourceContract


@dataclass(frozen=True)
class LoadFingerprint:
    """``content``: digest of rows that all passed every rule; empty where nothing is known of the last load.

    ``complete``: whether they were all the source has. ``table``: digest of the table's rows afterwards.
    """

    content: str = ""
    complete: bool = False
    table: str = ""


def recall(connection: sa.Connection, subject: str) -> LoadFingerprint:
    last = outcomes.recall(connection, subject)
    known = last.found if last and isinstance(last.found, dict) else {}
    return LoadFingerprint(last.made_of if last else "", **known)


def remember(connection: sa.Connection, subject: str, last: LoadFingerprint) -> None:
    known = {name: value for name, value in asdict(last).items() if name != "content"}
    outcomes.remember(connection, subject, outcomes.Outcome(last.content, known))


def fingerprint_after(
    connection: sa.Connection, contract: SourceContract, entity: str, content: str, *, complete: bool
) -> LoadFingerprint:
    """The fingerprint of a load that has just been published."""
    return LoadFingerprint(content, complete, _table(connection, contract, entity))


def counts_if_unchanged(
    connection: sa.Connection,
    contract: SourceContract,
    entity: str,
    rows: pd.DataFrame,
    last: LoadFingerprint,
) -> raw.Published | None:
    """Counts of a load with the same rows as the last one; None where the table has changed since.

    Args:
        rows: entries as they would be staged, all of them good rows.
    """
    table = contract.table(entity)
    if not last.table or not raw.is_made(connection, table):
        return None
    if _table(connection, contract, entity) != last.table:
        return None
    keys = int(rows["_row_key"].nunique())
    return raw.Published(
        new=0, changed=0, unchanged=keys, repeated=len(rows) - keys, deleted=0, quarantined=0
    )


def _table(connection: sa.Connection, contract: SourceContract, entity: str) -> str:
    from mel_pipeline.quality import rows_judged

    rules = contract.entities[entity]
    return rows_digest(connection, contract.table(entity), rows_judged(rules, contract.name))
