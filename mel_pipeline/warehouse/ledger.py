"""The ledger of loads (table ``load_ledger``): one row each, loaded or failed. SQL only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from mel_pipeline.warehouse.tables import load_ledger

COUNTS = ("fetched", "new", "changed", "unchanged", "repeated", "quarantined", "deleted")
KNOWN = (*COUNTS, "expected", "stored", "corrected")


@dataclass(frozen=True)
class Entry:
    """Which load it is. Moments are UTC without zone."""

    load_id: str
    source: str
    entity: str
    quarter: str | None
    started_at: datetime


def note_loaded(
    connection: sa.Connection, entry: Entry, counts: Mapping[str, int | None], now: datetime, message: str
) -> None:
    """A load that succeeded; ``counts`` are those in ``KNOWN``."""
    row = asdict(entry) | {name: counts[name] for name in KNOWN}
    connection.execute(
        sa.insert(load_ledger).values(**row, finished_at=now, status="loaded", message=message)
    )


def note_failed(connection: sa.Connection, entry: Entry, now: datetime, message: str) -> None:
    """A load that brought nothing."""
    row = asdict(entry) | dict.fromkeys(COUNTS, 0)
    connection.execute(
        sa.insert(load_ledger).values(**row, finished_at=now, status="failed", message=message)
    )
