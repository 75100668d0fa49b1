"""Interpret the headings and cells of a CRM export. Pure: no folder, no clock.

Zoho uses the labels of fields as headings. The record's own id is under "Record Id", a lookup under
its label (the name) and, in newer exports, under its label with ".id"; ids may begin with "zcrm_".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.sources.shared.base import Batch, Rejected, frame_of, key_of, payload_of, text_of
from mel_pipeline.sources.shared.dates import Order, read_moment
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping, FieldMapping

_SYSTEM = frozenset({"id", "Created_Time", "Modified_Time"})  # in every module
_FULL_NAMES = ("Full Name", "Name")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_BOOLEANS = {"true": "true", "false": "false", "1": "true", "0": "false"}  # a checkbox, as Zoho writes it
Row = dict[str, str | None]
NameIndex = dict[str, str | None]  # normalised name -> id; None where several records share it


def normalize_heading(text: str) -> str:
    """A heading without case, accents, spaces and punctuation: ``Account Name.id`` is ``Account_Name.ID``."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isalnum())


def bare_id(text: str) -> str | None:
    return text.strip().removeprefix("zcrm_") or None


@dataclass(frozen=True)
class ColumnMap:
    """The positions of the contract's columns in a file.

    ``by_name`` are lookups of which the file has only the name. ``missing_required`` and
    ``missing_optional`` are the headings not found; ``fit`` is the share of the module's own headings
    that were found.
    """

    places: dict[str, int]
    by_name: frozenset[str]
    missing_required: list[str]
    missing_optional: list[str]
    fit: float


def find_columns(header: Sequence[str], contract: EntityContract, mapping: EntityMapping) -> ColumnMap:
    """Locate every mapped column by its heading or API name.

    Raises:
        FileRefusedError: a needed heading appears twice.
    """
    positions: dict[str, list[int]] = {}
    for index, heading in enumerate(header):
        positions.setdefault(normalize_heading(heading), []).append(index)
    places: dict[str, int] = {}
    by_name: set[str] = set()
    missing: dict[str, str] = {}
    for name, mapped in mapping.fields.items():
        ids, plain = _headings(name, mapped, contract, mapping)
        found = next((key for key in [*ids, *plain] if key in positions), None)
        if found is None:
            missing[name] = "Record Id" if mapped.field == "id" else mapped.heading
            continue
        if len(positions[found]) > 1:
            raise FileRefusedError(
                f"The heading '{header[positions[found][0]]}' appears twice. Rename one of the two fields in Zoho,"
                " or leave one out of the export."
            )
        places[name] = positions[found][0]
        if contract.columns[name].references and found not in ids:
            by_name.add(name)
    needed = {name for name, rule in contract.columns.items() if rule.required} | set(contract.row_key)
    own = [name for name, mapped in mapping.fields.items() if mapped.field not in _SYSTEM]
    return ColumnMap(
        places,
        frozenset(by_name),
        [heading for name, heading in missing.items() if name in needed],
        [heading for name, heading in missing.items() if name not in needed],
        sum(name in places for name in own) / max(len(own), 1),
    )


def _headings(
    name: str, mapped: FieldMapping, contract: EntityContract, mapping: EntityMapping
) -> tuple[list[str], list[str]]:
    """Headings that give an id, and headings that give the value itself, best first."""
    label, api = normalize_heading(mapped.heading), normalize_heading(mapped.field)
    if name in contract.row_key and mapped.field == "id":
        module = normalize_heading(mapping.module)
        return [
            normalize_heading(mapped.label or "Record Id"),
            "recordid",
            "id",
            f"{module}id",
            f"{module.removesuffix('s')}id",
        ], []
    return [f"{label}id", f"{api}id"], [label, api]


def name_columns(header: Sequence[str], mapping: EntityMapping) -> list[int]:
    """The columns that together form the name by which lookups refer to a record; empty when there are none.

    They may be names of people: read to find an id, never stored.
    """
    positions = {normalize_heading(heading): index for index, heading in reversed(list(enumerate(header)))}
    named = mapping.fields.get("name")
    single = f"{mapping.module.removesuffix('s')} Name"
    wanted = ([named.heading, named.field] if named else []) + [single, *_FULL_NAMES]
    for heading in wanted:
        if normalize_heading(heading) in positions:
            return [positions[normalize_heading(heading)]]
    return [positions[key] for key in ("firstname", "lastname") if key in positions]


def index_names(
    rows: Iterable[Sequence[str]], id_place: int, name_places: Sequence[int], names: NameIndex
) -> None:
    """Add records to an index of ids by name."""
    for cells in rows:
        key = normalize_heading(" ".join(cells[place] for place in name_places))
        identity = bare_id(cells[id_place])
        if key and identity:
            names[key] = identity if names.get(key, identity) == identity else None


@dataclass
class RowReader:
    """Turn rows of one export into batches. ``names`` has the ids by name for each lookup without an id."""

    contract: EntityContract
    mapping: EntityMapping
    columns: ColumnMap
    order: Order
    zone: ZoneInfo
    names: dict[str, NameIndex | None] = field(
        default_factory=dict
    )  # by column; None: no export to look into
    ambiguous_times: int = 0  # in the hour in which clocks are changed

    def batch(self, file_name: str, first: int, rows: Sequence[Sequence[str]]) -> Batch:
        """Rows of a file as a batch; a row with an unresolvable lookup is quarantined.

        Args:
            first: the number of the first row in the file; the header is row 1.
        """
        accepted: list[Row] = []
        rejected: list[Rejected] = []
        for number, cells in enumerate(rows, start=first):
            place = f"{file_name}, row {number}"
            row, fault = self._row(cells)
            if fault:
                key = key_of(row, self.contract)
                rejected.append(Rejected(place, key, *fault, payload_of(row, self.contract)))
            else:
                accepted.append({**row, "_source_ref": place})
        return Batch(frame_of(accepted, self.contract), rejected, fetched=len(rows))

    def _row(self, cells: Sequence[str]) -> tuple[Row, tuple[str | None, str] | None]:
        """A row, and the column and reason if it is quarantined."""
        row: Row = {}
        fault: tuple[str | None, str] | None = None
        for name, index in self.columns.places.items():
            text = cells[index].strip()
            if name in self.columns.by_name:
                row[name], reason = self._resolve_lookup(name, text)
                fault = fault or ((name, reason) if reason else None)
            else:
                row[name] = self._value(name, text)
        if key_of(row, self.contract) is None:
            fault = (None, f"The record has no {' and '.join(self.contract.row_key)}.")
        return row, fault

    def _resolve_lookup(self, column: str, name: str) -> tuple[str | None, str | None]:
        """The id behind a lookup's name, or why there is none. The reason does not repeat the name."""
        if not name:
            return None, None
        index, other = self.names.get(column), self.contract.columns[column].references
        remedy = "Export the lookup with its id, or"
        if index is None:
            return (
                None,
                f"{column} is a name, but the folder has no export of {other}. {remedy} export {other} too.",
            )
        if normalize_heading(name) not in index:
            return None, f"{column} is a name that no record of {other} has. {remedy} export {other} again."
        if (identity := index[normalize_heading(name)]) is None:
            return (
                None,
                f"{column} is a name that several records of {other} have. {remedy} rename one in Zoho.",
            )
        return identity, None

    def _value(self, name: str, text: str) -> str | None:  # noqa: PLR0911 - one return a kind of value
        """A cell as the API would send it. An unreadable one stays as it is, for the contract checks."""
        mapped, rule = self.mapping.fields[name], self.contract.columns[name]
        if not text:
            return None
        if mapped.values:
            text = ";".join(mapped.values.get(part.strip(), part.strip()) for part in text.split(";"))
        if name in self.contract.row_key or rule.references or text.startswith("zcrm_"):
            return bare_id(text)
        if rule.type == "datetime":
            return self._moment(text)
        if rule.type == "date":
            return self._day(text)
        if rule.type == "boolean":
            return _BOOLEANS.get(text.lower(), text)
        if rule.type in ("number", "integer") and _PLAIN_NUMBER.fullmatch(text):
            return text_of(Decimal(text))
        return text

    def _moment(self, text: str) -> str:
        moment = read_time(text, self.order)
        if moment is None:
            return text
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone, fold=0)  # the first of two readings when clocks go back
            self.ambiguous_times += moment.utcoffset() != moment.replace(fold=1).utcoffset()
        return moment.isoformat()

    def _day(self, text: str) -> str:
        moment = read_time(text, self.order)
        is_day = moment is not None and (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        return moment.date().isoformat() if moment is not None and is_day else text


def read_time(text: str, order: Order) -> datetime | None:
    """A date or time, with its offset if it has one; None when it cannot be read."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(read_moment(text, order))
    except ValueError:
        return None


def times_in(
    rows: Iterable[Sequence[str]], contract: EntityContract, places: dict[str, int]
) -> Iterator[str]:
    """Every date and time of a file, to determine its order of day and month."""
    indexes = [
        places[name]
        for name, rule in contract.columns.items()
        if rule.type in ("date", "datetime") and name in places
    ]
    for cells in rows:
        for index in indexes:
            yield cells[index]
