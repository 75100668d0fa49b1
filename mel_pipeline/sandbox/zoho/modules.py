"""The state of one module: live and deleted records. No HTTP here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.columns import Record, reader
from mel_pipeline.sandbox.zoho.orders import Orders
from mel_pipeline.sandbox.zoho.schema import LEAD_FIELDS, SYSTEM_FIELDS, USER, USERS, Field, stamp

DAY, YEAR = 86_400, 365 * 86_400
RETENTION = {"recycle": 60 * DAY, "permanent": 120 * DAY}
_NAMES = ("Last_Name", "Account_Name", "Deal_Name", "Subject", "Name")
_TOUCHED = USERS | {"subform", "multiselectlookup", "date", "datetime"}
_SYSTEM_NAMES = {field.api_name for field in (*SYSTEM_FIELDS, *LEAD_FIELDS)}


class Deleted(NamedTuple):
    record: Record
    at: float
    kind: str  # recycle or permanent


class Module:
    """Records of one module. Each change creates a new record, so earlier reads stay unchanged."""

    def __init__(
        self,
        api_name: str,
        fields: Iterable[Field],
        *,
        module_name: str,
        plural_label: str,
        clock: Clock,
        lock: threading.RLock,
        next_id: Callable[[], int],
    ) -> None:
        self.api_name, self.module_name, self.plural_label = api_name, module_name, plural_label
        system = (*SYSTEM_FIELDS, *(LEAD_FIELDS if api_name == "Leads" else ()))
        self._set_fields({field.api_name: field for field in (*system, *fields)})
        self._clock, self._lock, self._next_id = clock, lock, next_id
        self._live: dict[int, Record] = {}
        self._deleted: dict[int, Deleted] = {}
        self._orders = Orders()
        self.unlisted: set[str] = set()  # ids of drafts or records that await approval: counted, in no list

    # Records

    def insert(
        self,
        values: Mapping[str, Any],
        id: str | None = None,
        created: datetime | None = None,
        modified: datetime | None = None,
    ) -> str:
        """Add a record and return its id. Times default to now and keep their own offset."""
        now = self._clock.seconds()
        changed = _seconds(modified) if modified else now
        made = _seconds(created) if created else min(now, changed)
        zone = modified.tzinfo if modified and modified.tzinfo is not UTC else None
        with self._lock:
            number = int(id) if id is not None else self._next_id()
            if number in self._live or number in self._deleted:
                raise ValueError(f"{self.api_name} {number}: this id already exists. Choose another.")
            self._put(Record(number, int(made), int(changed), self._prepared(values), False, zone))
        return str(number)

    def update(self, id: str, values: Mapping[str, Any]) -> None:
        with self._lock:
            old = self._live[int(id)]
            self._put(self._changed(old, values={**old.values, **self._prepared(values, new=False)}))

    def delete(self, id: str, permanent: bool = False, *, at: datetime | None = None) -> None:
        """Move a record to the recycle bin, or past it."""
        with self._lock:
            record = self._live.pop(int(id))
            moment = _seconds(at) if at else self._clock.seconds()
            self._deleted[record.number] = Deleted(record, moment, "permanent" if permanent else "recycle")
            self._orders.clear()

    def restore(self, id: str) -> None:
        """Take a record out of the recycle bin, which moves its Modified_Time.

        Raises:
            KeyError: not in the recycle bin: never deleted, permanently deleted, or deleted more than 60 days ago.
        """
        with self._lock:
            gone = self._deleted[int(id)]
            if gone.kind != "recycle" or self._clock.seconds() - gone.at > RETENTION["recycle"]:
                raise KeyError(f"{self.api_name} {id} is no longer in the recycle bin.")
            del self._deleted[int(id)]
            self._put(self._changed(gone.record))

    def convert(self, id: str) -> None:
        """Convert a lead: it stays, but lists omit it unless requested."""
        if self.api_name != "Leads":
            raise ValueError(f"Converting a record of {self.api_name}: only leads can be converted.")
        with self._lock:
            old = self._live[int(id)]
            values = {**old.values, "Converted_Date_Time": stamp(self._clock.seconds())}
            self._put(self._changed(old, values=values, converted=True))

    def fill(
        self, n: int, make: Callable[[int], Mapping[str, Any]] | None = None, *, spread: float = YEAR
    ) -> None:
        """Add ``n`` records at once, spread evenly over the past ``spread`` seconds, a year by default."""
        make = make or self._synthetic
        with self._lock:
            now, step = int(self._clock.seconds()), spread / max(n, 1)
            for i in range(n):
                moment = now - int((n - i) * step)
                number = self._next_id()
                self._live[number] = Record(number, moment, moment, self._prepared(make(i)), False, None)
            self._orders.clear()

    # Fields

    def add_field(self, field: Field) -> None:
        with self._lock:
            self._set_fields({**self.fields, field.api_name: field})

    def remove_field(self, name: str) -> None:
        with self._lock:
            self._set_fields({known: field for known, field in self.fields.items() if known != name})

    def retype_field(self, name: str, data_type: str) -> None:
        with self._lock:
            old = self.fields[name]
            changed = Field(name, data_type, old.label, old.json_type, old.visible, old.formula, old.length)
            self._set_fields({**self.fields, name: changed})

    # Reading

    @property
    def count(self) -> int:
        """Number of live records, including converted ones."""
        return len(self._live)

    def ids(self) -> list[str]:
        return [str(record.number) for record in self.view("id", "both")]

    def get(self, id: str) -> dict[str, Any]:
        """A complete record, as returned by id."""
        record = self._live[int(id)]
        return {name: reader(field, whole=True)(record) for name, field in self.fields.items()}

    def words(self, name: str) -> list[str]:
        """Pick list values in use."""
        values = (record.values.get(name) for record in self._live.values())
        used = {word for value in values for word in (value if isinstance(value, list) else [value]) if word}
        return sorted(map(str, used))

    def find(self, id: str) -> Record | None:
        return self._live.get(int(id)) if id.isdigit() else None

    def view(self, key: str, converted: str, since: float | None = None) -> list[Record]:
        """Records by ascending id, Created_Time or Modified_Time; with ``since`` only later ones."""
        with self._lock:
            found = self._orders.view(self._live, key, converted, since)
            if not self.unlisted:
                return found
            return [record for record in found if str(record.number) not in self.unlisted]

    def deletions(self, kind: str, since: float | None) -> list[Deleted]:
        """Deletions, latest first, within Zoho's retention."""
        now = self._clock.seconds()
        with self._lock:
            retained = [
                gone
                for gone in self._deleted.values()
                if kind in ("all", gone.kind)
                and now - gone.at <= RETENTION[gone.kind]
                and (since is None or gone.at > since)
            ]
        return sorted(retained, key=lambda gone: (gone.at, gone.record.number), reverse=True)

    def display_name(self, record: Record) -> str | None:
        name = next((name for name in _NAMES if record.values.get(name)), None)
        value = record.values.get(name) if name else next(iter(record.values.values()), None)
        return str(value.get("name")) if isinstance(value, dict) else str(value) if value else None

    # Inside

    def _set_fields(self, fields: dict[str, Field]) -> None:
        self.fields = fields
        self._touched = [field for field in fields.values() if field.data_type in _TOUCHED]
        self._made = [
            field for name, field in fields.items() if name not in _SYSTEM_NAMES and field.formula is None
        ]

    def _put(self, record: Record) -> None:
        self._live[record.number] = record
        self._orders.clear()

    def _changed(self, old: Record, **parts: Any) -> Record:
        return old._replace(modified=int(self._clock.seconds()), zone=None, **parts)

    def _prepared(self, values: Mapping[str, Any], new: bool = True) -> dict[str, Any]:
        """Values as stored: times as text, rows and links with their own ids."""
        stored = dict(values)
        for field in self._touched:
            name = field.api_name
            value = stored.get(name)
            if isinstance(value, date):
                stored[name] = value.isoformat()
            elif isinstance(value, list):
                stored[name] = [self._row(field, row) for row in value]
            elif new and value is None and field.data_type in USERS:
                stored[name] = USER
        return stored

    def _row(self, field: Field, row: Mapping[str, Any]) -> dict[str, Any]:
        """A subform row as it is; a link to a record as ``{"id": link, field: {"name", "id"}}``."""
        if field.data_type == "multiselectlookup" and set(row) <= {"id", "name"}:
            row = {field.api_name: dict(row)}
        return {"id": str(self._next_id()), **row}

    def _synthetic(self, i: int) -> dict[str, Any]:
        by_type = {
            "email": f"person{i}@sample.invalid",
            "picklist": ("One", "Two", "Three")[i % 3],
            "boolean": i % 2 == 0,
            "integer": i,
            "double": i + 0.5,
            "currency": i + 0.5,
            "date": f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}",
        }
        return {
            field.api_name: f"{field.api_name} {i:07}"
            if field.data_type == "text"
            else by_type.get(field.data_type)
            for field in self._made
        }


def _seconds(moment: datetime) -> float:
    if moment.tzinfo is None:
        raise ValueError("A time needs a UTC offset. Pass an aware datetime.")
    return moment.timestamp()
