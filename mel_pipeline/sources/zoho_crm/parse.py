"""Turn Zoho CRM records into rows. Pure: no HTTP, no clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import cast

import pandas as pd

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.gc_paused import gc_paused
from mel_pipeline.sources.shared.base import Batch, Rejected, payload_of, text_of
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping, FieldMapping

FIELDS_A_CALL = 50  # Zoho refuses more with LIMIT_EXCEEDED
CUT_AT = 500  # characters; lists cut rich text there
_ALWAYS = ("id", "Modified_Time")
NEVER_LISTED = frozenset({"subform", "multiselectlookup", "multiuserlookup"})
UNTRACKED = frozenset({"formula", "rollup_summary"})  # they change without moving Modified_Time


def field_slices(wanted: Sequence[str]) -> list[list[str]]:
    """The fields to request, at most 50 per call; each slice has id and Modified_Time, to join by."""
    others = [name for name in dict.fromkeys(wanted) if name not in _ALWAYS]
    room = FIELDS_A_CALL - len(_ALWAYS)
    return [[*_ALWAYS, *others[start : start + room]] for start in range(0, max(len(others), 1), room)]


def instant(text: object) -> datetime | None:
    """A Zoho datetime as an instant; None when it is empty, unreadable or carries no offset."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def changed_since(record: Mapping[str, object], since: datetime | None) -> bool:
    """Whether a record belongs to this pull. One with an unreadable time stays in, for the quality checks."""
    if since is None:
        return True
    moment = instant(record.get("Modified_Time"))
    return moment is None or moment >= since


def numeric_id(record: Mapping[str, object]) -> int:
    """An id as a number, to see whether the scan advances; 0 when it is not one."""
    text = str(record.get("id", ""))
    return int(text) if text.isdecimal() and len(text) < 30 else 0


def parse_records(
    records: Sequence[Mapping[str, object]],
    contract: EntityContract,
    mapping: EntityMapping,
    places: Sequence[str],
) -> Batch:
    """Records as rows of the contract's columns; a column without a field stays empty.

    Args:
        places: where each record was found, for tracing it.

    Raises:
        ContractError: a field is missing from every record: renamed, removed, or hidden from the token.
    """
    gone = [api for api in mapping.api_names if records and not any(api in record for record in records)]
    if gone:
        raise ContractError(
            f"Zoho CRM {mapping.module} {places[0]}: the fields {', '.join(gone)} are not in the response."
            " They were renamed, removed, or the token's user may not see them."
            " Restore them in Zoho, or correct mapping.yml (`mel zoho map` lists the fields there are)."
        )
    return parse_columns(_columns(records, mapping.api_names), contract, mapping, places)


def parse_columns(
    columns: Mapping[str, Sequence[object]],
    contract: EntityContract,
    mapping: EntityMapping,
    places: Sequence[str],
) -> Batch:
    """The same for data in columns, by API name of the field."""
    nothing: list[str | None] = [None] * len(places)
    texts: dict[str, list[str | None]] = {}
    for name in contract.columns:
        mapped = mapping.fields.get(name)
        texts[name] = nothing if mapped is None else _map_values(_texts(columns[mapped.field]), mapped)
    texts["_source_ref"] = list(places)
    return _batch(texts, contract, len(places))


def _columns(records: Sequence[Mapping[str, object]], names: Sequence[str]) -> Mapping[str, Sequence[object]]:
    """The fields of records as columns."""
    try:
        cut = itemgetter(*names, "id")  # two names at least, so it yields tuples
        with gc_paused():  # one live tuple per record: the collector's scans took most of the time
            return dict(zip([*names, "id"], zip(*map(cut, records), strict=True), strict=True))
    except (KeyError, ValueError):  # some records lack a field, or there are none
        return {name: [record.get(name) for record in records] for name in names}


def _texts(values: Sequence[object]) -> list[str | None]:
    """Values as text, a column at a time: nearly all are text already, and a large load spends its time here."""
    if set(map(type, values)) == {str}:
        texts = cast("Sequence[str]", values)
        if not any(map(str.isspace, texts)):
            return list(texts) if all(texts) else [text or None for text in texts]
    return [as_text(value) for value in values]


def as_text(value: object) -> str | None:
    """A field's value as text. A multi-select lookup becomes the ids it points at; a subform stays JSON."""
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return text_of(value)
    linked = [_linked_id(item) for item in value]
    if all(linked):
        return ";".join(map(str, linked))
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _linked_id(item: Mapping[str, object]) -> str | None:
    """The record a link points at: ``{"id": <of the link>, "Members": {"name", "id"}}``; None for a subform row."""
    inner = [
        value["id"]
        for value in item.values()
        if isinstance(value, dict) and set(value) <= {"name", "id", "email"}
    ]
    others = [name for name, value in item.items() if not isinstance(value, dict) and name[:1] != "$"]
    return str(inner[0]) if len(inner) == 1 and set(others) <= {"id", "has_more"} else None


def _map_values(texts: list[str | None], mapped: FieldMapping) -> list[str | None]:
    if not mapped.values:
        return texts
    words = mapped.values
    return [text and ";".join(words.get(part, part) for part in text.split(";")) for text in texts]


def _batch(texts: dict[str, list[str | None]], contract: EntityContract, count: int) -> Batch:
    frame = pd.DataFrame(texts, dtype="str")
    if not any(None in texts[key] for key in contract.row_key):
        return Batch(frame, fetched=count)
    keyless = [n for n in range(count) if any(texts[key][n] is None for key in contract.row_key)]
    reason = f"The record has no {' and '.join(contract.row_key)}."
    rejected = [
        Rejected(str(texts["_source_ref"][n]), None, None, reason, payload_of(_row(texts, n), contract))
        for n in keyless
    ]
    return Batch(frame.drop(index=keyless).reset_index(drop=True), rejected, fetched=count)


def _row(texts: Mapping[str, Sequence[str | None]], number: int) -> dict[str, str | None]:
    return {name: values[number] for name, values in texts.items()}


def join_slices(
    slices: Sequence[Mapping[str, Mapping[str, object]]],
) -> tuple[list[dict[str, object]], list[str]]:
    """Join slices of fields by id.

    Returns:
        Whole records, and the ids of records changed, added or deleted between two slices: half of such
        a record would be old and half new, so it has to be fetched again.
    """
    whole: list[dict[str, object]] = []
    torn: list[str] = []
    for identity in dict.fromkeys(identity for part in slices for identity in part):
        parts = [part[identity] for part in slices if identity in part]
        if len(parts) == len(slices) and len({str(part.get("Modified_Time")) for part in parts}) == 1:
            whole.append({name: value for part in parts for name, value in part.items()})
        else:
            torn.append(identity)
    return whole, torn


def is_converted(record: Mapping[str, object]) -> bool:
    """A lead that was converted; Zoho does not count it."""
    return record.get("Converted__s") is True or record.get("$converted") is True


def was_cut(record: Mapping[str, object], names: Sequence[str]) -> bool:
    """Whether a list cut one of these texts."""
    return any(len(str(record.get(name) or "")) >= CUT_AT for name in names)
