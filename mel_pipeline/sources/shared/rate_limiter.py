"""Keep to a service's limit of calls per time window. No service by name here."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from mel_pipeline.core.errors import TransientSourceError


class RateLimiter:
    """Allows at most ``calls`` in any ``seconds``; the next one waits. Safe to share between threads."""

    def __init__(
        self,
        calls: int,
        seconds: float,
        *,
        longest_wait: float,
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls, self._seconds, self._longest = calls, seconds, longest_wait
        self._sleep, self._clock = sleep, clock
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self, what: str) -> None:
        """Wait until one more call is allowed.

        Raises:
            TransientSourceError: the wait would exceed ``longest_wait``.
        """
        with self._lock:
            while self._recent and self._recent[0] <= self._clock() - self._seconds:
                self._recent.popleft()
            if len(self._recent) >= self._calls:
                pause = self._recent[0] + self._seconds - self._clock()
                if pause > self._longest:
                    raise TransientSourceError(
                        f"{what}: the limit of {self._calls} calls in {self._seconds / 60:.0f} minutes is used up."
                        f" Run the load again in {pause / 60:.0f} minutes."
                    )
                self._sleep(pause)
                self._recent.popleft()
            self._recent.append(self._clock())
