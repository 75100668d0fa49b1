"""The account's clock. The simulator uses it everywhere instead of the machine's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Runs in real time from its start; a test can advance it."""

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("Starting a clock: the start has no UTC offset. Pass an aware datetime.")
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._set_at = time.monotonic()
        self._skipped = 0.0

    def now(self) -> datetime:
        """The current time, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._set_at + self._skipped)

    def seconds(self) -> float:
        """The current time as seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._skipped += seconds
