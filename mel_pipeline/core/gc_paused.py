"""Less garbage collection where many objects are created and stay in use."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pauses cyclic garbage collection; reference counting goes on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def gc_rarely() -> Iterator[None]:
    """Collects cyclic garbage a hundredth as often: Dagster and its libraries hold a million objects that stay in use,
    and looking through them again and again takes a tenth of a run's processor time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
