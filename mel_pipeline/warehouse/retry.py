"""Retry a transaction when the server closed the connection, a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mel_pipeline.warehouse.engine import LostError

Result = TypeVar("Result")
TRIES = 3  # opening the connection waits for the server each time, up to MEL_LOCK_WAIT_SECONDS


def retry_transaction(fn: Callable[[], Result], already_committed: Callable[[], Result | None]) -> Result:
    """Run ``fn`` and return its result.

    Args:
        fn: one whole transaction.
        already_committed: its result if it was committed although the reply was lost; else None.

    Raises:
        LostError: the connection was lost on every try.
    """
    for left in reversed(range(TRIES)):
        try:
            return fn()
        except LostError:
            done = already_committed()
            if done is not None:
                return done
            if not left:
                raise
    raise AssertionError("unreachable: the last try raises")
