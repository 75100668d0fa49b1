"""Whether everything that follows from a quarter's figures has been done: recorded calculation, restatement ledger.

A run that is killed in between leaves figures that no later run would find changed; these notes are compared with
the figures themselves, so that the next run finishes what was begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.warehouse.fingerprints import (
    Fingerprint,
    recall,
    recall_all,
    remember,
    rows_digest,
    rows_digests,
)
from mel_pipeline.warehouse.tables import fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.warehouse import Warehouse

FIGURES = "indicator_values"
NOTED, SETTLED = {"state": "noted"}, {"state": "settled"}


def figures_digest(connection: sa.Connection, quarter: str) -> str:
    """Digest of the figures of a quarter."""
    return rows_digest(connection, FIGURES, f"quarter = '{quarter}'")


def note_figures(connection: sa.Connection, quarter: str) -> None:
    """Their calculation is recorded; settled figures that are the same stay settled."""
    digest = figures_digest(connection, quarter)
    known = recall(connection, _subject(quarter))
    if known is None or known.made_of != digest:
        remember(connection, _subject(quarter), Fingerprint(digest, NOTED))


def settle(warehouse: Warehouse, quarter: str) -> None:
    """The ledger of published figures is up to date with the recorded figures."""
    with warehouse.transaction() as connection:
        known = recall(connection, _subject(quarter))
        if known is not None and known.found != SETTLED:
            remember(connection, _subject(quarter), Fingerprint(known.made_of, SETTLED))


def figures_digests(warehouse: Warehouse, quarters: Sequence[Quarter]) -> dict[str, str]:
    """``figures_digest`` of each quarter, by its name; empty while the table of figures is not there."""
    if not warehouse.has_table(FIGURES):
        return dict.fromkeys(map(str, quarters), "")
    conditions = {f"quarter = '{quarter}'": str(quarter) for quarter in quarters}
    with warehouse.connect() as connection:
        found = rows_digests(connection, FIGURES, list(conditions))
    return {conditions[condition]: digest for condition, digest in found.items()}


def noted_figures(warehouse: Warehouse) -> dict[str, Fingerprint]:
    """By quarter, the digest of the figures whose calculation was recorded last; ``found`` says how far."""
    with warehouse.connect() as connection:
        found = recall_all(connection, fingerprint.c.subject.startswith(_subject("")))
    return {subject.removeprefix(_subject("")): last for subject, last in found.items()}


def _subject(quarter: str) -> str:
    return f"figures {quarter}"
