"""What a form on a page may be sent back with: a token that counts once, for a while."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Values kept by a random token until it is used, for ``seconds`` at most.

    Args:
        most: how many are kept; the oldest goes first.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def issue(self, value: T) -> str:
        token = secrets.token_urlsafe(32)
        self._kept[token] = (self._clock() + self._seconds, value)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return token

    def take(self, token: str) -> T | None:
        """The value of a token, which is used up; None where it is unknown, used or too old."""
        until, value = self._kept.pop(token, (0.0, None))
        return value if until > self._clock() else None
