"""Recall a published edition: an entry of the ledger that marks its version until another one is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.errors import PublicationError
from mel_pipeline.publication import store
from mel_pipeline.publication.publishing import PUBLISHED, RECALLED

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.publication.store import Entry
    from mel_pipeline.warehouse import Warehouse


def recall(warehouse: Warehouse, quarter: Quarter, role: str, reason: str, by: Person | None = None) -> Entry:
    """Mark the last published version of a quarter, and of the year that it closes, as recalled.

    Its figures stay as they were published; a new version takes the mark away.

    Args:
        role: of the person who decides, never a name.
        reason: printed on every page and in the e-mails, as it is written.
        by: who is signed in; kept in the ledger alone.

    Raises:
        PublicationError: nothing is published, the version is recalled already, or role or reason are missing.
    """
    from mel_pipeline.warehouse.migrating import ensure_tables

    if not role.strip() or not reason.strip():
        raise PublicationError(f"Recalling {quarter}: give the role that decides and the reason.")
    published = store.last_publication(warehouse, str(quarter))
    if published is None:
        raise PublicationError(f"Recalling {quarter}: it is not published, so there is nothing to recall.")
    if recall_of(warehouse, str(quarter)) is not None:
        raise PublicationError(
            f"Recalling {quarter}: version {published.version} is recalled already. Publish a restated version:"
            f" `mel publish {quarter}`."
        )
    entry = store.Entry(
        quarter=str(quarter),
        event=RECALLED,
        happened_at=utc_now(),
        figures=published.figures,
        version=published.version,
        role=role.strip(),
        note=_sentence(reason),
        details=store.signed(by),
    )
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        store.append(connection, entry)
    return entry


def recall_of(warehouse: Warehouse, quarter: str) -> Entry | None:
    """The recall of the last published version; None where it stands, or was replaced."""
    last = None
    for entry in store.ledger(warehouse, quarter):
        if entry.event == PUBLISHED:
            last = None
        elif entry.event == RECALLED:
            last = entry
    return last


def _sentence(text: str) -> str:
    plain = " ".join(text.split())
    return plain if plain.endswith((".", "!", "?", "…")) else f"{plain}."
