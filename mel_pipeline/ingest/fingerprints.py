"""What the last load of an entity left: one that brings the same rows to the same table has nothing to write.

Held against the table itself, so it does not matter who changed that in between: another load, an erasure, a
backup put back, or somebody by hand.
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
class Left:
    """``content``: digest of rows that all kept to every rule; empty where nothing is known of the last load.

    ``complete``: whether they were all the source has. ``table``: digest of the table's rows afterwards.
    """

    content: str = ""
    complete: bool = False
    table: str = ""


def recall(connection: sa.Connection, subject: str) -> Left:
    last = outcomes.recall(connection, subject)
    known = last.found if last and isinstance(last.found, dict) else {}
    return Left(last.made_of if last else "", **known)


def remember(connection: sa.Connection, subject: str, left: Left) -> None:
    known = {name: value for name, value in asdict(left).items() if name != "content"}
    outcomes.remember(connection, subject, outcomes.Outcome(left.content, known))


def left_by(
    connection: sa.Connection, contract: SourceContract, entity: str, content: str, *, complete: bool
) -> Left:
    """What a load leaves that has just been published."""
    return Left(content, complete, _table(connection, contract, entity))


def counts_of_the_same(
    connection: sa.Connection, contract: SourceContract, entity: str, rows: pd.DataFrame, left: Left
) -> raw.Published | None:
    """Counts of a load that brought what the last one did; None where the table is no longer as that left it.

    Args:
        rows: entries as they would be staged, all of them good rows.
    """
    table = contract.table(entity)
    if not left.table or not raw.is_made(connection, table):
        return None
    if _table(connection, contract, entity) != left.table:
        return None
    keys = int(rows["_row_key"].nunique())
    return raw.Published(new=0, changed=0, unchanged=keys, repeated=len(rows) - keys, deleted=0, put_aside=0)


def _table(connection: sa.Connection, contract: SourceContract, entity: str) -> str:
    from mel_pipeline.quality import rows_judged

    rules = contract.entities[entity]
    return rows_digest(connection, contract.table(entity), rows_judged(rules, contract.name))
