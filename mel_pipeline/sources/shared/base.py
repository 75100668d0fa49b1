"""Types that every source returns, and helpers to build their frames. No HTTP, no files, no source by name here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.periods import Quarter

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rejected:
    """A row, file or period that could not be read. ``row_key`` is None for a whole file or period."""

    source_ref: str
    row_key: str | None
    column: str | None
    reason: str
    payload: str  # JSON of the row, contract columns only


@dataclass(frozen=True)
class Batch:
    """One page, file or period.

    ``frame`` holds the contract's columns as text (missing = null) plus ``_source_ref``.
    ``fetched`` counts the rows received, good or rejected. ``notes`` say how it was read (encoding,
    columns left out), for the load log.

    ``deleted`` maps the keys of rows deleted at the source to the time of deletion, where known.
    ``checkpoint`` says where a later pull can resume once this batch is stored; None: only from the start.
    """

    frame: pd.DataFrame
    rejected: list[Rejected] = field(default_factory=list)
    deleted: Mapping[str, datetime | None] = field(default_factory=dict)
    fetched: int = 0
    notes: list[str] = field(default_factory=list)
    checkpoint: str | None = None


@dataclass(frozen=True)
class Pull:
    """One load of one entity. ``batches`` is lazy; call the others after the last batch, ``schema`` before the first.

    ``complete``: every row of the source was delivered, so a stored row that did not arrive was deleted.
    ``schema`` maps the source's own fields to their types, where it exposes them; it shows drift.
    ``usage`` is what the load cost, for its log ("API credits": 12).
    ``warnings`` are sentences for the MEL lead: a token about to expire, a metric that was retired.
    """

    batches: Iterator[Batch]
    cursor: Callable[[], str | None] = lambda: None  # None: keep the stored one
    expected_count: Callable[[], int | None] = lambda: None  # live rows, by the source's own count
    complete: Callable[[], bool] = lambda: False
    schema: Callable[[], Mapping[str, str] | None] = lambda: None
    usage: Callable[[], Mapping[str, int | str]] = dict
    warnings: Callable[[], list[str]] = list


class Source(Protocol):
    """What a client's ``open(settings)`` returns."""

    def pull(
        self, entity: str, *, quarter: Quarter | None, cursor: str | None, checkpoint: str | None = None
    ) -> Pull:
        """Read one entity.

        Args:
            quarter: the requested period, where the contract says ``load: quarter``; else ignored.
            cursor: what the last successful load stored.
            checkpoint: of the last stored batch of an interrupted load; its rows are kept.

        Raises:
            SourceError: while ``batches`` is read.
        """
        ...


def text_of(value: object) -> str | None:  # noqa: PLR0911 - one return a kind of value
    """A JSON value as the warehouse stores it: text, with null for everything empty.

    A lookup becomes its bare id, a list is joined with ``;``, booleans become ``true`` and ``false``,
    numbers have no exponent.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return text_of(value["id"]) if "id" in value else _json(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        number = Decimal(str(value))
        return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
    if isinstance(value, list):
        return ";".join(part for item in value if (part := text_of(item))) or None
    return _json(value)


def _json(value: object) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str) if value else None


def frame_of(rows: Sequence[Mapping[str, str | None]], contract: EntityContract) -> pd.DataFrame:
    """Rows as a text frame with the contract's columns and ``_source_ref``, in that order."""
    import pandas as pd

    columns = [*contract.columns, "_source_ref"]
    return pd.DataFrame({name: [row.get(name) for row in rows] for name in columns}, dtype="str")


def payload_of(row: Mapping[str, object], contract: EntityContract) -> str:
    """A row as JSON for the quarantine: contract columns only, so nothing personal slips in."""
    present = {name: row.get(name) for name in contract.columns if row.get(name) is not None}
    return json.dumps(present, ensure_ascii=False, sort_keys=True, default=str)


def key_of(row: Mapping[str, object], contract: EntityContract) -> str | None:
    """The row's key, or None when a part of it is missing."""
    parts = [row.get(name) for name in contract.row_key]
    return None if any(part is None for part in parts) else "|".join(map(str, parts))


def simple_pull(batches: Iterable[Batch], *, complete: bool = False) -> Pull:
    """A pull without a cursor."""
    return Pull(iter(batches), complete=lambda: complete)
