"""What time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """UTC without zone, as the ledgers store it."""
    return datetime.now(UTC).replace(tzinfo=None)
