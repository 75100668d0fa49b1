"""Published editions as they were published, by the ledger's digests. Reads only.

The texts stand by their digests beside the definitions of calculations; the ledger, whose entries are chained, names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import PublicationError
from mel_pipeline.publication import store
from mel_pipeline.publication.publishing import PUBLISHED

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.site.register import Register
    from mel_pipeline.warehouse import Warehouse

FROZEN = "frozen"


@dataclass(frozen=True)
class Kept:
    """Where the texts of a published edition are: digests of the edition and, by period, of its figures.

    ``register``: of what was stated about projects then; empty where an earlier version published it.
    """

    edition: str
    figures: dict[str, str]
    register: str = ""


def published_edition(warehouse: Warehouse, period: str, **live: Any) -> Edition | None:
    """The edition as it was published; None if it is not kept.

    Args:
        live: what it has learnt since (``edition_text.LIVE``).

    Raises:
        PublicationError: a text is missing, or was changed.
    """
    from mel_pipeline.reporting.edition_text import read_texts

    kept = kept_of(warehouse, period if "-Q" in period else f"{period}-Q4", period)
    if kept is None:
        return None
    with warehouse.connect() as connection:
        found = store.read_texts(connection, [kept.edition, *kept.figures.values()])
    for digest in (kept.edition, *kept.figures.values()):
        if store.digest_of(found.get(digest, "")) != digest:
            raise PublicationError(
                f"Reading the published edition {period}: a part of it is missing or was changed from outside. Restore the"
                " warehouse from a backup."
            )
    figures = {name: found[digest] for name, digest in kept.figures.items()}
    return read_texts(found[kept.edition], figures, **live)


def published_register(warehouse: Warehouse, period: str) -> Register | None:
    """Projects, outcomes and partnerships as they were stated when the edition was published; None if not kept.

    Raises:
        PublicationError: the text is missing, or was changed.
    """
    from mel_pipeline.reporting.edition_text import read_register

    kept = kept_of(warehouse, period if "-Q" in period else f"{period}-Q4", period)
    if kept is None or not kept.register:
        return None
    with warehouse.connect() as connection:
        text = store.read_texts(connection, [kept.register]).get(kept.register, "")
    if store.digest_of(text) != kept.register:
        raise PublicationError(
            f"Reading the projects of the published edition {period}: their text is missing or was changed from outside."
            " Restore the warehouse from a backup."
        )
    return read_register(text)


def kept_of(warehouse: Warehouse, quarter: str, period: str | None = None) -> Kept | None:
    """Where the edition of a quarter's last version is kept; of the year that it closes, if given."""
    entries = store.ledger(warehouse, quarter)
    last = next((entry for entry in reversed(entries) if entry.event == PUBLISHED), None)
    for entry in reversed(entries):
        if last is not None and entry.event == FROZEN and entry.version == last.version:
            editions: dict[str, dict[str, Any]] = entry.details["editions"]
            return Kept(**editions[period or quarter]) if (period or quarter) in editions else None
    return None
