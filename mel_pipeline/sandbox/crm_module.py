"""One CRM module as the API holds it: fields, records in API form, deleted records. No HTTP, no rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Field:
    """One field of a module as the metadata describes it."""

    api_name: str
    data_type: str  # text, picklist, multiselectpicklist, lookup, date, datetime, boolean, currency, double
    label: str
    visible: bool = True

    def description(self) -> dict[str, object]:
        json_types = {"lookup": "jsonobject", "multiselectpicklist": "jsonarray", "boolean": "boolean"}
        number = self.data_type in ("currency", "double")
        return {
            "api_name": self.api_name,
            "field_label": self.label,
            "data_type": self.data_type,
            "json_type": "double" if number else json_types.get(self.data_type, "string"),
            "custom_field": self.api_name not in ("id", "Created_Time", "Modified_Time"),
            "view_type": {"view": self.visible, "edit": True, "create": True, "quick_create": False},
        }


@dataclass(frozen=True)
class Record:
    """One record; ``values`` are ready for JSON (lookups as objects, multi-selects as lists)."""

    id: str
    created: datetime
    modified: datetime
    values: Mapping[str, object]


@dataclass(frozen=True)
class Deleted:
    """One deleted record; permanently deleted ones lose who and what."""

    id: str
    display_name: str
    deleted_at: datetime
    kind: str  # recycle | permanent

    def body(self) -> dict[str, object]:
        known = self.kind == "recycle"
        user = {"name": "Sample user", "id": "546000000000000001"} if known else None
        return {
            "id": self.id,
            "display_name": self.display_name if known else None,
            "type": self.kind,
            "deleted_by": user,
            "created_by": user,
            "deleted_time": self.deleted_at.isoformat(timespec="seconds"),
        }


@dataclass
class CrmModule:
    """Records of one module, with the orders and renderings a server needs again and again."""

    api_name: str
    module_name: str
    label: str
    fields: Mapping[str, Field]
    records: list[Record]
    deleted: list[Deleted] = field(default_factory=list)
    _orders: dict[tuple[str, bool], list[int]] = field(default_factory=dict, repr=False)
    _rendered: dict[tuple[str, ...], dict[int, str]] = field(default_factory=dict, repr=False)

    def description(self) -> dict[str, object]:
        custom = self.module_name != self.api_name
        return {
            "api_name": self.api_name,
            "module_name": self.module_name,
            "plural_label": self.label,
            "generated_type": "custom" if custom else "default",
            "api_supported": True,
            "visible": True,
        }

    def order(self, sort_by: str, descending: bool, since: float | None) -> list[int]:
        """Positions of the records modified after ``since`` in the order asked for."""
        key = (sort_by, descending)
        if key not in self._orders:
            keys = {
                "id": lambda n: (0.0, self.records[n].id),
                "Created_Time": lambda n: (self.records[n].created.timestamp(), self.records[n].id),
                "Modified_Time": lambda n: (self.records[n].modified.timestamp(), self.records[n].id),
            }
            self._orders[key] = sorted(range(len(self.records)), key=keys[sort_by], reverse=descending)
        found = self._orders[key]
        return found if since is None else [n for n in found if self.records[n].modified.timestamp() > since]

    def rendered(self, position: int, fields: tuple[str, ...]) -> str:
        """JSON of one record with these fields; a field the module lacks is left out, as Zoho does."""
        cache = self._rendered.setdefault(fields, {})
        if len(self._rendered) > 32:  # a client that asks for ever new field lists must not fill the memory
            self._rendered.clear()
        text = cache.get(position)
        if text is None:
            record = self.records[position]
            values = {name: record.values.get(name) for name in fields if name in self.fields}
            text = cache[position] = json.dumps(
                {**values, "id": record.id}, ensure_ascii=False, separators=(",", ":")
            )
        return text
