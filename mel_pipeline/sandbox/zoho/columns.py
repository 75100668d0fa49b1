"""How a record is serialised: truncated in lists, complete by id, bare in bulk files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from mel_pipeline.sandbox.zoho.schema import RICH_TEXT, Field, stamp, zone_of


class Record(NamedTuple):
    """One record; moments are whole seconds since 1970, as in Zoho."""

    number: int
    created: int
    modified: int
    values: dict[str, Any]
    converted: bool
    zone: tzinfo | None  # of the user who changed it last, if known


Reader = Callable[[Record], Any]


def reader(field: Field, *, whole: bool) -> Reader:
    """A function that reads a field's value from a record; rich text complete or cut at 500 characters."""
    name = field.api_name
    match name:
        case "id":
            return lambda record: str(record.number)
        case "Created_Time":
            return lambda record: stamp(record.created)
        case "Modified_Time":
            return modified_text
        case "Converted__s":
            return lambda record: record.converted
    if field.formula is not None:
        formula = field.formula
        return lambda record: formula(formula_values(record))
    if field.is_rich_text and not whole:
        return lambda record: _cut(record.values.get(name))
    return lambda record: record.values.get(name)


def list_readers(fields: Mapping[str, Field], names: Iterable[str]) -> dict[str, Reader]:
    """For lists: always the id, then the requested fields; unknown fields, subforms and multi-lookups are omitted."""
    wanted = [fields[name] for name in dict.fromkeys(["id", *names]) if name in fields]
    return {field.api_name: reader(field, whole=False) for field in wanted if field.in_lists}


def whole_readers(fields: Mapping[str, Field], names: Iterable[str]) -> dict[str, Reader]:
    """For one record: every field, with subforms; rich text may be cut here as well, so it is."""
    wanted = [fields[name] for name in dict.fromkeys(["id", *names]) if name in fields]
    return {field.api_name: reader(field, whole=not field.is_rich_text) for field in wanted}


def full_text_readers(fields: Mapping[str, Field], names: Iterable[str]) -> dict[str, Reader]:
    """Rich text fields in full length, and the id; other fields are refused by the caller."""
    wanted = [fields[name] for name in dict.fromkeys(["id", *names])]
    return {field.api_name: reader(field, whole=True) for field in wanted}


def formula_values(record: Record) -> dict[str, Any]:
    """The values a formula can use."""
    system = {"id": str(record.number), "Created_Time": stamp(record.created)}
    return {**record.values, **system, "Modified_Time": modified_text(record)}


def modified_text(record: Record) -> str:
    return stamp(record.modified, record.zone or zone_of(record.number))


def _cut(value: Any) -> Any:
    return value[:RICH_TEXT] if isinstance(value, str) else value
