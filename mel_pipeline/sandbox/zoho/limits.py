"""Zoho's limits: credits per 24 hours, concurrent calls, calls per window."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from mel_pipeline.sandbox.zoho.clock import Clock

DAY = 86_400


class Credits:
    """Credits of the last 24 hours: a rolling window, no reset at midnight."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self.limit = limit
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    @property
    def used(self) -> int:
        oldest = self._clock.seconds() - DAY
        while self._spent and self._spent[0][0] <= oldest:
            self._sum -= self._spent.popleft()[1]
        return self._sum

    @property
    def remaining_header(self) -> int | None:
        """Value of ``X-API-CREDITS-REMAINING``; Zoho sends the header only above 50 % use."""
        used = self.used
        return max(self.limit - used, 0) if 2 * used > self.limit else None

    def suffice(self, credits: int) -> bool:
        return self.used + credits <= self.limit

    def spend(self, credits: int) -> None:
        self._spent.append((self._clock.seconds(), credits))
        self._sum += credits


class Window:
    """``calls`` per ``seconds``; the next call is refused and, with ``lock``, all others for that long."""

    def __init__(self, clock: Clock, calls: int, seconds: float, lock: float = 0.0) -> None:
        self.calls, self.seconds, self.lock = calls, seconds, lock
        self._clock = clock
        self._made: deque[float] = deque()
        self._locked_until = 0.0

    def admits(self) -> bool:
        """Count a call; False if it exceeds the limit."""
        now = self._clock.seconds()
        while self._made and self._made[0] <= now - self.seconds:
            self._made.popleft()
        if now < self._locked_until:
            return False
        if len(self._made) >= self.calls:
            self._locked_until = now + self.lock
            return False
        self._made.append(now)
        return True

    def reset(self) -> None:
        """Forget all calls and lift the lock."""
        self._made.clear()
        self._locked_until = 0.0


class Traffic:
    """Concurrent calls by service; heavy ones are also counted separately."""

    def __init__(self) -> None:
        self.in_flight: Counter[str] = Counter()
        self.heavy = 0
        self.highest = 0

    @contextmanager
    def flight(self, service: str, *, heavy: bool = False) -> Iterator[tuple[int, int]]:
        """Count a call while it runs.

        Returns:
            How many calls of its service, and how many heavy ones, are running, including it.
        """
        self.in_flight[service] += 1
        self.heavy += heavy
        self.highest = max(self.highest, sum(self.in_flight.values()))
        try:
            yield self.in_flight[service], self.heavy * heavy
        finally:
            self.in_flight[service] -= 1
            self.heavy -= heavy
