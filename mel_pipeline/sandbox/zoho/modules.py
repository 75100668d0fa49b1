"""Records of a module over time: inserted, changed, deleted, restored, converted. No HTTP here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.schema import LIST_CUT, NEVER_LISTED, SYSTEM, Field

Record = dict[str, Any]
IN_BIN, PERMANENT = timedelta(days=60), timedelta(days=120)  # how long a deletion is told


@dataclass(frozen=True)
class Deletion:
    record: Record
    at: datetime
    permanent: bool

    def told(self) -> Record:
        """As the list of deletions writes it: of a permanent one, nobody knows name and doer."""
        doer = None if self.permanent else {"name": "Sample user", "id": "546000000000000001"}
        name = next((v for k, v in self.record.items() if k.endswith("Name") and isinstance(v, str)), "")
        return {
            "id": self.record["id"],
            "type": "permanent" if self.permanent else "recycle",
            "display_name": None if self.permanent else name,
            "deleted_by": doer,
            "created_by": doer,
            "deleted_time": self.at.isoformat(timespec="seconds"),
        }


class Module:
    """One module. Records are replaced when they change, never altered: a snapshot stays what it was."""

    def __init__(
        self,
        api_name: str,
        fields: Iterable[Field],
        clock: Clock,
        number: int,
        module_name: str | None = None,
        plural_label: str | None = None,
    ) -> None:
        self.api_name = api_name
        self.module_name = module_name or (f"CustomModule{number}" if "_" in api_name else api_name)
        self.plural_label = plural_label or api_name.replace("_", " ")
        self.fields: dict[str, Field] = {**SYSTEM, **{field.api_name: field for field in fields}}
        self.deletions: dict[str, Deletion] = {}
        self.version = 0  # moves with every change
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._next = 546_000_000_000_000_000 + number * 10_000_000_000
        self._cached: dict[object, tuple[int, Any]] = {}

    @property
    def count(self) -> int:
        """Records alive, converted leads as well."""
        return len(self._records)

    def ids(self) -> list[str]:
        return [str(number) for number in self._numbers()]

    def get(self, record_id: str) -> Record:
        return self._records[record_id]

    def insert(
        self,
        values: Mapping[str, Any],
        id: str | None = None,
        created: datetime | None = None,
        modified: datetime | None = None,
    ) -> str:
        now = self._clock.now()
        record_id = id or str(self._next)
        self._next = max(self._next, int(record_id) + 1)
        moments = {
            "Created_Time": _stamp(created or now),
            "Modified_Time": _stamp(modified or created or now),
        }
        self._records[record_id] = {"id": record_id, **self._defaults(), **moments, **values}
        self._moved()
        return record_id

    def fill(self, n: int, make: Callable[[int], Mapping[str, Any]] | None = None) -> None:
        """Many records of this moment at once."""
        now = _stamp(self._clock.now())
        usual = {**self._defaults(), "Created_Time": now, "Modified_Time": now}
        for number in range(n):
            record_id = str(self._next)
            self._next += 1
            self._records[record_id] = {"id": record_id, **usual, **(make(number) if make else {})}
        self._moved()

    def update(self, record_id: str, values: Mapping[str, Any]) -> None:
        now = {"Modified_Time": _stamp(self._clock.now())}
        self._records[record_id] = {**self._records[record_id], **now, **values}
        self._moved()

    def delete(self, record_id: str, permanent: bool = False, at: datetime | None = None) -> None:
        record = self._records.pop(record_id)
        self.deletions[record_id] = Deletion(record, at or self._clock.now(), permanent)
        self._moved()

    def restore(self, record_id: str) -> None:
        """Out of the recycle bin; Modified_Time moves."""
        deletion = self.deletions.pop(record_id)
        if deletion.permanent:
            raise ValueError("a permanent deletion cannot be undone")
        self._records[record_id] = deletion.record
        self.update(record_id, {})

    def convert(self, record_id: str) -> None:
        self.update(record_id, {"Converted__s": True})

    def add_field(self, field: Field) -> None:
        self.fields[field.api_name] = field

    def remove_field(self, name: str) -> None:
        del self.fields[name]

    def retype_field(self, name: str, data_type: str) -> None:
        self.fields[name] = Field(**{**vars(self.fields[name]), "data_type": data_type})

    def listed(
        self, sort_by: str, *, backwards: bool, since: datetime | None, converted: str
    ) -> Sequence[Record]:
        """Records in order. ``converted``: ``true`` those alone, ``false`` the others, ``both``."""
        key = (sort_by, backwards, since, converted)
        rows: Sequence[Record] = self._kept(key, lambda: self._in_order(*key))
        return rows

    def after(self, number: int) -> Iterable[Record]:
        """Records with a larger id, in the order of ids."""
        numbers = self._numbers()
        return (self._records[str(n)] for n in numbers[bisect_right(numbers, number) :])

    def deleted(self, kind: str, since: datetime | None) -> list[Record]:
        """What the list of deletions still tells, latest first."""
        now = self._clock.now()
        told = [
            deletion
            for deletion in self.deletions.values()
            if now - deletion.at <= (PERMANENT if deletion.permanent else IN_BIN)
            and kind in ("all", "permanent" if deletion.permanent else "recycle")
            and (since is None or deletion.at > since)
        ]
        return [deletion.told() for deletion in sorted(told, key=lambda one: one.at, reverse=True)]

    def in_list(self, record: Record, names: Sequence[str]) -> Record:
        """The part of a record that lists give: known fields, no subforms or multi-selects of records."""
        shown: Record = {"id": record["id"]}
        for name in names:
            field = self.fields.get(name)
            if field is None or field.data_type in NEVER_LISTED:
                continue
            value = field.formula(record) if field.formula else record.get(name)
            shown[name] = value[:LIST_CUT] if field.is_rich_text and isinstance(value, str) else value
        return shown

    def whole(self, record: Record, names: Sequence[str]) -> Record:
        """A record as its own page gives it."""
        shown = {
            **self.in_list(record, names),
            **{name: record.get(name) for name in names if name in self.fields},
        }
        for name in names:
            field = self.fields.get(name)
            if field is None:
                continue
            if field.formula:
                shown[name] = field.formula(record)
            items = enumerate(record.get(name) or [])
            if field.data_type == "subform":
                shown[name] = [{"id": f"{record['id']}{n:03}", **row} for n, row in items]
            elif field.data_type in NEVER_LISTED:
                shown[name] = [
                    {"id": f"{record['id']}{n:03}", "has_more": None, name: link} for n, link in items
                ]
        return shown

    def picks(self, name: str) -> list[str]:
        """Words of a pick list, as far as records use them."""
        kind = self.fields[name].data_type
        if kind not in ("picklist", "multiselectpicklist"):
            return []
        values = (record.get(name) for record in self._records.values())
        words = {word for value in values for word in (value if isinstance(value, list) else [value]) if word}
        return sorted(words)[:50]

    def _defaults(self) -> Record:
        return {"Converted__s": False} if "Converted__s" in self.fields else {}

    def _moved(self) -> None:
        self.version += 1

    def _numbers(self) -> list[int]:
        numbers: list[int] = self._kept("numbers", lambda: sorted(map(int, self._records)))
        return numbers

    def _in_order(
        self, sort_by: str, backwards: bool, since: datetime | None, converted: str
    ) -> Sequence[Record]:
        records = [self._records[str(number)] for number in self._numbers()]
        if converted != "both":
            records = [r for r in records if bool(r.get("Converted__s")) is (converted == "true")]
        if since is not None:
            records = [r for r in records if datetime.fromisoformat(r["Modified_Time"]) > since]
        if sort_by != "id":
            records.sort(key=lambda record: datetime.fromisoformat(record[sort_by]))
        return records[::-1] if backwards else records

    def _kept(self, key: object, make: Callable[[], Any]) -> Any:
        """Worked out once for a state of the module."""
        version, value = self._cached.get(key, (-1, None))
        if version != self.version:
            self._cached = {k: kept for k, kept in self._cached.items() if kept[0] == self.version}
            value = make()
            self._cached[key] = (self.version, value)
        return value


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
