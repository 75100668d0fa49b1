"""What every source gives, and the frame it gives it in. No HTTP, no files, no source by name here."""

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
    """Something that could not even be read. ``row_key`` is None when a whole file or period is meant."""

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
    columns left out), for the log of the load.

    ``deleted`` holds keys of rows that are gone at the source, with the moment where it is known.
    ``checkpoint`` says where a later pull can go on once this batch is stored; None: only at the start.
    """

    frame: pd.DataFrame
    rejected: list[Rejected] = field(default_factory=list)
    deleted: Mapping[str, datetime | None] = field(default_factory=dict)
    fetched: int = 0
    notes: list[str] = field(default_factory=list)
    checkpoint: str | None = None


@dataclass(frozen=True)
class Pull:
    """One load of one entity. ``batches`` is lazy; ask the others after the last, ``schema`` before the first.

    ``complete`` tells that every row the source has was given: what is stored and did not come is gone.
    ``schema`` gives the source's own fields with their types, where it can tell them: drift is seen there.
    ``usage`` tells what the load cost, for its log ("API credits": 12).
    ``warnings`` are sentences for the MEL lead: a token about to expire, a metric that was retired.
    """

    batches: Iterator[Batch]
    cursor: Callable[[], str | None] = lambda: None  # None: keep the one that is stored
    expected_count: Callable[[], int | None] = lambda: None  # rows alive at the source, by its own count
    complete: Callable[[], bool] = lambda: False
    schema: Callable[[], Mapping[str, str] | None] = lambda: None
    usage: Callable[[], Mapping[str, int | str]] = dict
    warnings: Callable[[], list[str]] = list


class Source(Protocol):
    """What ``open(settings)`` of a source's client returns."""

    def pull(
        self, entity: str, *, quarter: Quarter | None, cursor: str | None, checkpoint: str | None = None
    ) -> Pull:
        """Read one entity.

        Args:
            quarter: the period asked for, where the contract says ``load: quarter``; else ignored.
            cursor: what the last successful load stored.
            checkpoint: of the last stored batch of a load that was cut short; its rows are kept.

        Raises:
            SourceError: while ``batches`` is read.
        """
        ...


def text_of(value: object) -> str | None:  # noqa: PLR0911 - one return a kind of value
    """A JSON value as the warehouse keeps it: text, with null for everything empty.

    A lookup becomes its bare id, a list is joined by ``;``, booleans read ``true`` and ``false``,
    numbers are written out plainly.
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
    kept = {name: row.get(name) for name in contract.columns if row.get(name) is not None}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, default=str)


def key_of(row: Mapping[str, object], contract: EntityContract) -> str | None:
    """The row's key, or None when a part of it is missing."""
    parts = [row.get(name) for name in contract.row_key]
    return None if any(part is None for part in parts) else "|".join(map(str, parts))


def simple_pull(batches: Iterable[Batch], *, complete: bool = False) -> Pull:
    """A pull that keeps no cursor."""
    return Pull(iter(batches), complete=lambda: complete)
