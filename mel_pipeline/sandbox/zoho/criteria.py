"""Conditions on records, as COQL and bulk jobs state them: evaluation and validation."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.columns import Reader, Record, reader
from mel_pipeline.sandbox.zoho.schema import USERS, Field

EQUAL = ("=", "!=", "in", "is null", "is not null")
COMPARED = (*EQUAL, ">", ">=", "<", "<=")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "in": lambda value, listed: value in listed,
}
_NUMBERS = frozenset({"integer", "bigint", "double", "currency", "percent", "decimal"})
_POSITIONS = {"id": "number", "Created_Time": "created", "Modified_Time": "modified"}


@dataclass(frozen=True)
class Comparison:
    column: str
    operator: str
    value: Any = None  # text, or a list of texts for `in`


@dataclass(frozen=True)
class Group:
    operator: str  # and, or
    parts: tuple[Condition, ...]


Condition = Comparison | Group
Predicate = Callable[[Record], bool]


def predicate(condition: Condition, fields: Mapping[str, Field]) -> Predicate:
    """Compile a condition into a predicate. Times are compared as instants; nothing compares with null.

    Raises:
        RefusedError: INVALID_QUERY, an unsupported column or value.
    """
    if isinstance(condition, Group):
        parts = [predicate(part, fields) for part in condition.parts]
        if condition.operator == "and":
            return lambda record: all(part(record) for part in parts)
        return lambda record: any(part(record) for part in parts)
    return _comparison(condition, _column(condition, fields))


def span(condition: Condition, key: str) -> tuple[float, float]:
    """Bounds of id, Created_Time or Modified_Time for the records matching the condition."""
    if isinstance(condition, Group):
        spans = [span(part, key) for part in condition.parts]
        lowest, highest = (max, min) if condition.operator == "and" else (min, max)
        return lowest(low for low, _ in spans), highest(high for _, high in spans)
    if condition.column != key or condition.value is None or condition.operator == "!=":
        return -inf, inf
    literal = _seconds if key != "id" else int
    given = condition.value if isinstance(condition.value, list) else [condition.value]
    values = [literal(value) for value in given]
    low = min(values) if condition.operator in ("=", "in", ">", ">=") else -inf
    high = max(values) if condition.operator in ("=", "in", "<", "<=") else inf
    return low, high


def columns_of(condition: Condition) -> list[str]:
    """The columns it names, one for each comparison."""
    if isinstance(condition, Comparison):
        return [condition.column]
    return [column for part in condition.parts for column in columns_of(part)]


def _column(condition: Comparison, fields: Mapping[str, Field]) -> Field:
    field = fields.get(condition.column)
    if field is None or not field.in_lists or field.is_rich_text:
        details = {"column_name": condition.column, "operator": condition.operator}
        raise RefusedError("INVALID_QUERY", details, message="unsupported column in criteria")
    allowed = COMPARED if field.data_type in _NUMBERS | {"date", "datetime"} else EQUAL
    if condition.operator not in allowed:
        raise invalid_query(field.api_name, "invalid operator found", operator=condition.operator)
    return field


def _comparison(condition: Comparison, field: Field) -> Predicate:
    get, literal = _comparable(field)
    if condition.operator == "is null":
        return lambda record: get(record) in (None, "", [])
    if condition.operator == "is not null":
        return lambda record: get(record) not in (None, "", [])
    try:
        given = condition.value
        wanted: Any = {literal(v) for v in given} if isinstance(given, list) else literal(given)
    except ValueError:
        raise invalid_query(field.api_name, "invalid value", value=str(condition.value)) from None
    compare = _COMPARE[condition.operator]
    if field.data_type == "multiselectpicklist":
        matches, negated = _COMPARE["in" if condition.operator == "in" else "="], condition.operator == "!="
        return lambda record: any(matches(value, wanted) for value in get(record) or []) != negated
    return lambda record: (value := get(record)) is not None and compare(value, wanted)


def _comparable(field: Field) -> tuple[Reader, Callable[[str], Any]]:
    """Functions that read a field's value for comparison and convert a literal to it."""
    name = field.api_name
    if name in _POSITIONS:
        return operator.attrgetter(_POSITIONS[name]), int if name == "id" else _seconds
    read = reader(field, whole=True)
    if field.data_type == "datetime":
        return lambda record: _seconds(value) if (value := read(record)) else None, _seconds
    if field.data_type in _NUMBERS:
        return lambda record: float(value) if (value := read(record)) is not None else None, float
    if field.data_type == "boolean":
        return lambda record: bool(read(record)), _truth
    if field.data_type in USERS | {"lookup"}:
        return lambda record: value.get("id") if (value := read(record)) else None, str
    return read, str


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a UTC offset")
    return moment.timestamp()


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text.lower() == "true"


def invalid_query(column: str, reason: str, **details: str) -> RefusedError:
    body = {"column_name": column, "reason": reason, **details}
    return RefusedError("INVALID_QUERY", body, message="Invalid query formed")
