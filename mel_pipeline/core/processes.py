"""Processes of our own that work beside this one, and end with it.

Spawned, never forked: DuckDB, matplotlib and Dagster hold threads and locks that a fork would copy half.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from mel_pipeline.core.errors import ServingError

_POOLS: list[ProcessPoolExecutor] = []  # open in this process


def cores() -> int:
    """Processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def may_start_more() -> bool:
    """Whether ``workers`` would be of use: not in a worker, and not beside workers that are at work already."""
    return multiprocessing.parent_process() is None and not _POOLS


@contextmanager
def workers(
    number: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool that ends with the block: what has begun is waited for, what has not is dropped.

    Ctrl-C interrupts a task (see ``interruptible``); between tasks the workers leave it to this process. A worker whose
    parent was killed ends by itself.

    Raises:
        ServingError: the system refuses the semaphores that they share.
    """
    try:
        pool = ProcessPoolExecutor(
            number,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(initializer, arguments),
        )
    except OSError as error:
        raise ServingError(
            f"Starting {number} processes: their semaphores could not be made in /dev/shm ({error.strerror or error}). As root"
            " run `chmod 1777 /dev/shm` (in a container or chroot mount a tmpfs there), or set MEL_PROCESSES=1: one process"
            " then does everything."
        ) from error
    _POOLS.append(pool)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        _POOLS.remove(pool)


@contextmanager
def interruptible() -> Iterator[None]:
    """In a worker: Ctrl-C ends the task inside, whose caller gets a KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
