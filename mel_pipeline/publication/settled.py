"""Whether everything that follows from a quarter's figures has been done: recorded calculation, restatement ledger.

A run that is killed in between leaves figures that no later run would find changed; these notes are compared with
the figures themselves, so that the next run finishes what was begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.warehouse.fingerprints import Fingerprint, recall, remember, rows_digest

if TYPE_CHECKING:
    import sqlalchemy as sa

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


def noted_figures(warehouse: Warehouse, quarter: str) -> Fingerprint | None:
    """Digest of the figures whose calculation was recorded last, ``found`` says how far; None if there is none."""
    with warehouse.connect() as connection:
        return recall(connection, _subject(quarter))


def _subject(quarter: str) -> str:
    return f"figures {quarter}"
