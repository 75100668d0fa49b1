"""One deadline for a whole answer, from its first byte to its last. No service by name here.

A read timeout restarts with every byte. A server that drips headers, repeats ``100 Continue``, drips
the extensions of a chunk or the body of an error never meets it; each read from the socket meets this one.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from mel_pipeline.core.errors import TransientSourceError

_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Deadline:
    """When an answer has to be complete, in seconds of the monotonic clock.

    ``seconds`` is for one attempt, ``until`` for all of them.
    """

    def __init__(self, what: str, seconds: float, until: float) -> None:
        self.what, self._seconds, self._last = what, seconds, until
        self.restart()

    def restart(self) -> None:
        """A new attempt begins."""
        self._until = min(time.monotonic() + self._seconds, self._last)

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
            return self._raw.readinto(buffer)
        except TimeoutError:
            self._deadline.left()
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        if (deadline := current()) is not None:
            self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, deadline))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """Connections whose answers meet the deadline of the block they are read in."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
