"""Keep a DuckDB file open until an idle timeout: opening it costs more than most queries.

It is closed at once when another process waits for it, so other processes wait no longer than before.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HAND_OVER_SECONDS = 0.3  # a waiting process looks every quarter of a second
LOOK_SECONDS = 0.1


class IdleClose:
    """Counts the uses of a file and closes it once it has been idle for a time.

    Args:
        seconds: how long after the last use.
        give_back: closes what is open and not in use.
        is_wanted: whether another process waits for the file.
    """

    def __init__(self, seconds: float, give_back: Callable[[], None], is_wanted: Callable[[], bool]) -> None:
        self.seconds, self.give_back, self.is_wanted = seconds, give_back, is_wanted
        self._lock = threading.Lock()
        self._uses = 0
        self._until = 0.0
        self._is_watched = False

    @contextmanager
    def use(self) -> Iterator[None]:
        """Keep the file open for the block and for the idle time after it."""
        with self._lock:
            self._uses += 1
        try:
            yield
        finally:
            with self._lock:
                self._uses -= 1
                self._until = time.monotonic() + self.seconds
                is_last = self._uses == 0
                is_ending = not threading.main_thread().is_alive()
                starts = not (self._is_watched or is_ending)
                self._is_watched = self._is_watched or starts
            if starts:
                # Python waits for it at exit; a daemon would be stopped inside DuckDB, which aborts the process.
                threading.Thread(target=self._watch, name="warehouse-file", daemon=False).start()
            if is_last and is_ending:
                self.give_back()
            elif is_last and self.is_wanted():
                self.give_back()
                time.sleep(HAND_OVER_SECONDS)

    def _watch(self) -> None:
        main = threading.main_thread()
        while True:
            main.join(LOOK_SECONDS)  # a sleep that is over when the process wants to end
            with self._lock:
                is_ending = not main.is_alive()
                is_over = not self._uses and (time.monotonic() >= self._until or self.is_wanted())
                if is_ending or is_over:
                    self._is_watched = False
                    if not self._uses:
                        self.give_back()  # under the lock, so that no use begins in between
                    return
