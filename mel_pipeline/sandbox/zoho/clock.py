"""The account's own clock: token lives, page tokens, credits and deletions all go by it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Runs on with real time from ``start`` (now by default), and jumps when told to."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._begun = time.monotonic()
        self._moved = 0.0

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._begun + self._moved)

    def advance(self, seconds: float) -> None:
        self._moved += seconds
