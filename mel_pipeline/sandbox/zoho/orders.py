"""Sorted records, cached until something changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from operator import attrgetter

from mel_pipeline.sandbox.zoho.columns import Record

KEYS = {"id": "number", "Created_Time": "created", "Modified_Time": "modified"}
_MOST = 16  # cached orders; each If-Modified-Since adds one
_modified = attrgetter("modified")


class Orders:
    def __init__(self) -> None:
        self._known: dict[tuple[str, str, float | None], list[Record]] = {}

    def clear(self) -> None:
        self._known.clear()

    def view(self, live: Mapping[int, Record], key: str, converted: str, since: float | None) -> list[Record]:
        """Records in ascending order, ties by id. Do not modify the result."""
        cache_key = (key, converted, since)
        found = self._known.pop(cache_key, None)
        if found is None:
            found = self._made(live, key, converted, since)
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
        self._known[cache_key] = found
        return found

    def _made(
        self, live: Mapping[int, Record], key: str, converted: str, since: float | None
    ) -> list[Record]:
        if since is not None:
            latest = self.view(live, "Modified_Time", converted, None)
            later = latest[bisect_right(latest, since, key=_modified) :]
            return later if key == "Modified_Time" else ordered(later, key)
        if converted != "both":
            wanted = converted == "true"
            return [record for record in self.view(live, key, "both", None) if record.converted == wanted]
        return ordered(live.values() if key == "id" else self.view(live, "id", "both", None), key)


def ordered(records: Iterable[Record], key: str) -> list[Record]:
    by_id = sorted(records, key=attrgetter("number"))
    return by_id if key == "id" else sorted(by_id, key=attrgetter(KEYS[key]))
