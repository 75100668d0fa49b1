"""The time an account lives by. Everything of the simulator asks it; nothing asks the machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Runs on with real time from where it was set; a test moves it on at once."""

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("A clock is set to a moment with an offset.")
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._set_at = time.monotonic()
        self._skipped = 0.0

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._set_at + self._skipped)

    def seconds(self) -> float:
        """The present moment as seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self._skipped += seconds
