"""What a field is, and how Zoho's metadata describe it. No records here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NEVER_LISTED = frozenset({"subform", "multiselectlookup", "multiuserlookup"})
LIST_CUT = 500  # characters of rich text that lists give
_JSON_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "double": "double",
    "currency": "double",
    "lookup": "jsonobject",
    "multiselectpicklist": "jsonarray",
    **dict.fromkeys(NEVER_LISTED, "jsonarray"),
}


@dataclass(frozen=True)
class Field:
    """One field of a module.

    ``json_type`` None: the metadata lack it. ``visible`` False: hidden from the default view, and it
    holds data all the same. ``formula``: worked out when asked for; its change moves no Modified_Time.
    """

    api_name: str
    data_type: str = "text"
    label: str | None = None
    json_type: str | None = "auto"
    visible: bool = True
    formula: Callable[[Mapping[str, Any]], Any] | None = None
    length: int | None = None

    @property
    def is_rich_text(self) -> bool:
        return self.data_type == "textarea" and (self.length or 0) > LIST_CUT

    def described(self, picks: list[str]) -> dict[str, Any]:
        """The field as `settings/fields` gives it."""
        kind = _JSON_TYPES.get(self.data_type, "string") if self.json_type == "auto" else self.json_type
        about: dict[str, Any] = {
            "api_name": self.api_name,
            "field_label": self.label or self.api_name.replace("_", " "),
            "data_type": self.data_type,
            "view_type": {"view": self.visible, "edit": self.visible, "create": self.visible, "quick_create": False},
            "custom_field": self.api_name not in SYSTEM,
            "length": self.length or 255,
            "pick_list_values": [{"display_value": word, "actual_value": word} for word in picks],
        }  # fmt: skip
        return about | ({"json_type": kind} if kind is not None else {})


SYSTEM = {
    "id": Field("id", "bigint", "Record Id"),
    "Created_Time": Field("Created_Time", "datetime"),
    "Modified_Time": Field("Modified_Time", "datetime"),
}
