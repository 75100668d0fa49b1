"""Fields of a module, and Zoho's time format. No records and no HTTP here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

RICH_TEXT = 500  # characters of a rich text field returned in lists
NOT_IN_LISTS = frozenset({"subform", "multiselectlookup", "multiuserlookup"})
USERS = frozenset({"ownerlookup", "userlookup"})
STANDARD_MODULES = frozenset(
    {"Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Events", "Calls", "Solutions",
     "Products", "Vendors", "Price_Books", "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Notes",
     "Attachments", "Emails"}
)  # fmt: skip
STANDARD_FIELDS = frozenset(
    {"First_Name", "Last_Name", "Full_Name", "Email", "Phone", "Owner", "Created_By", "Modified_By", "Account_Name",
     "Contact_Name", "Deal_Name", "Stage", "Pipeline", "Amount", "Currency", "Exchange_Rate", "Closing_Date",
     "Description", "Company", "Lead_Status", "Lead_Source", "Tag", "Website", "Industry"}
)  # fmt: skip
_JSON_TYPES = {
    "integer": "integer", "bigint": "string", "double": "double", "currency": "double", "percent": "double",
    "decimal": "double", "boolean": "boolean", "lookup": "jsonobject", "ownerlookup": "jsonobject",
    "userlookup": "jsonobject", "multiselectpicklist": "jsonarray", "multiselectlookup": "jsonarray",
    "multiuserlookup": "jsonarray", "subform": "jsonarray", "fileupload": "jsonarray",
}  # fmt: skip

MADRID = ZoneInfo("Europe/Madrid")
INDIA = ZoneInfo("Asia/Kolkata")
SAMOA = ZoneInfo("Pacific/Pago_Pago")
# Users write from several places, so the offsets within one module differ.
_ZONES = (INDIA, MADRID, MADRID, SAMOA, MADRID, MADRID, MADRID)

USER = {"name": "Sample user", "id": "546000000000000001", "email": "user@sample.invalid"}


@dataclass(frozen=True)
class Field:
    """One field of a module.

    ``json_type=None``: missing from the metadata. ``visible=False``: hidden from the default view, but
    still holding data. ``formula`` calculates the value from the record on reading, so a changed
    value never updates Modified_Time.
    """

    api_name: str
    data_type: str = "text"
    label: str | None = None
    json_type: str | None = "auto"
    visible: bool = True
    formula: Callable[[Mapping[str, Any]], Any] | None = None
    length: int | None = None
    unused: bool = False  # in no layout: listed only with `type=all`

    @property
    def is_rich_text(self) -> bool:
        return self.data_type == "textarea" and (self.length or 0) > RICH_TEXT

    @property
    def in_lists(self) -> bool:
        return self.data_type not in NOT_IN_LISTS

    @property
    def api_json_type(self) -> str | None:
        return _JSON_TYPES.get(self.data_type, "string") if self.json_type == "auto" else self.json_type


SYSTEM_FIELDS = (
    Field("id", "bigint", "Record Id"),
    Field("Created_Time", "datetime", "Created Time"),
    Field("Modified_Time", "datetime", "Modified Time"),
)
LEAD_FIELDS = (
    Field("Converted__s", "boolean", "Is Converted"),
    Field("Converted_Date_Time", "datetime", "Converted Time"),
)


def stamp(seconds: float, zone: tzinfo = MADRID) -> str:
    """A time as Zoho formats it: whole seconds, with the offset of the organisation or of a user."""
    return datetime.fromtimestamp(int(seconds), zone).isoformat()


def zone_of(number: int) -> tzinfo:
    """The zone of the user who wrote a record."""
    return _ZONES[number // 1_000 % len(_ZONES)]
