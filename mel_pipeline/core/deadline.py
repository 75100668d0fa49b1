"""One deadline for a whole answer of a server, from its first byte to its last, and a limit on its size.

A read timeout restarts with every byte. A server that drips headers, repeats ``100 Continue``, drips
the extensions of a chunk or the body of an error never meets it; each read from the socket meets this one.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mel_pipeline.core.errors import TransientSourceError

_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Deadline:
    """When an answer has to be complete, in seconds of the monotonic clock.

    Args:
        seconds: for one attempt.
        until: for all of them.
        most_bytes: of one attempt, as they arrive; unlimited by default.
    """

    def __init__(
        self, what: str, seconds: float, until: float = float("inf"), most_bytes: float = float("inf")
    ) -> None:
        self.what, self._seconds, self._last, self._most = what, seconds, until, most_bytes
        self.restart()

    def restart(self) -> None:
        """A new attempt begins."""
        self._until = min(time.monotonic() + self._seconds, self._last)
        self._room = self._most

    def left(self) -> float:
        """Seconds left.

        Raises:
            TransientSourceError: none. It is no ``OSError``, which urllib3 would try again.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TransientSourceError(
                f"{self.what}: the answer arrived too slowly, so the request was stopped. Run the load again later."
            )
        return left

    def arrived(self, size: int) -> None:
        """Count bytes.

        Raises:
            TransientSourceError: there are too many.
        """
        self._room -= size
        if self._room < 0:
            raise TransientSourceError(f"{self.what}: the answer has no end, so the request was stopped.")


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Answers read in this block have to meet the deadline."""
    token = _CURRENT.set(deadline)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current() -> Deadline | None:
    """The deadline of the answer being read."""
    return _CURRENT.get()


def limited(file: io.BufferedReader, sock: socket.socket, deadline: Deadline) -> io.BufferedReader:
    """The file of a socket, each read of which meets the deadline; ``file`` is no longer usable."""
    return io.BufferedReader(_Reader(file.detach(), sock, deadline))


class _Reader(io.RawIOBase):
    """Bytes of a socket; each read waits no longer than the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline
        self._pause = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left()
        self._sock.settimeout(left if self._pause is None else min(self._pause, left))
        try:
            size = self._raw.readinto(buffer)
        except TimeoutError:
            self._deadline.left()
            raise
        self._deadline.arrived(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
