"""A transaction that is run again when the server went away under it, a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mel_pipeline.warehouse.engine import LostError

Result = TypeVar("Result")
TRIES = 3  # opening the connection waits for the server each time, up to MEL_LOCK_WAIT_SECONDS


def steadily(step: Callable[[], Result], happened: Callable[[], Result | None]) -> Result:
    """What ``step`` returns.

    Args:
        step: one transaction, whole.
        happened: whether it was committed though the answer was lost, and if so its result; else None.

    Raises:
        LostError: the server went away each time.
    """
    for left in reversed(range(TRIES)):
        try:
            return step()
        except LostError:
            done = happened()
            if done is not None:
                return done
            if not left:
                raise
    raise AssertionError("unreachable: the last try raises")
