"""Fetch the next items while earlier ones are processed. No service by name here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def prefetch(items: Iterator[T], depth: int) -> Iterator[T]:
    """The same items in the same order, fetched by a thread that stays up to ``depth`` items ahead.

    An error while fetching an item is raised here, after the items before it. If the reader stops
    early, so does the thread.
    """
    return _Prefetcher(items, depth).read()


class _Prefetcher(Generic[T]):
    def __init__(self, items: Iterator[T], depth: int) -> None:
        self._items = items
        self._ready: queue.Queue[T | _End] = queue.Queue(depth)
        self._stopped = threading.Event()

    def read(self) -> Iterator[T]:
        threading.Thread(target=self._fetch, name="prefetch", daemon=True).start()
        try:
            while not isinstance(item := self._ready.get(), _End):
                yield item
            if item.error is not None:
                raise item.error
        finally:
            self._stopped.set()

    def _fetch(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:
            end = _End(error)
        self._put(end)

    def _put(self, item: T | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False
