"""Types that every source returns, and helpers to build their frames. No HTTP, no files, no source by name here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mel_pipeline.core.contracts import EntityContract, SourceContract, contract_of
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.periods import Quarter

if TYPE_CHECKING:
    import pandas as pd

EVERY = "*"  # entity: all that have no method of their own


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
    ``proposals`` are rows that the workbook proposes (``survey.proposing``); None: the source has none to make.
    """

    batches: Iterator[Batch]
    cursor: Callable[[], str | None] = lambda: None  # None: keep the stored one
    expected_count: Callable[[], int | None] = lambda: None  # live rows, by the source's own count
    complete: Callable[[], bool] = lambda: False
    schema: Callable[[], Mapping[str, str] | None] = lambda: None
    usage: Callable[[], Mapping[str, int | str]] = dict
    warnings: Callable[[], list[str]] = list
    proposals: Callable[[], list[dict[str, Any]] | None] = lambda: None


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


@dataclass(frozen=True)
class Load:
    """One load of an entity, as ``Source.pull`` takes it."""

    entity: str
    contract: EntityContract
    asked: Quarter | None = None  # ``quarter`` where the entity is loaded by quarter
    cursor: str | None = None
    checkpoint: str | None = None

    @property
    def quarter(self) -> Quarter:
        """The quarter, of an entity that is loaded by quarter: ``Client.pull`` refuses a load without one."""
        if self.asked is None:
            raise TypeError(f"{self.contract.title} is not loaded by quarter")
        return self.asked


class Client:
    """A source whose entities are loaded by a method each.

    A subclass names the source and says which method loads which entity; one for all of them stands under ``EVERY``.
    """

    source: str
    loads: ClassVar[Mapping[str, Callable[[Any, Load], Pull]]]

    def pull(
        self,
        entity: str,
        *,
        quarter: Quarter | None = None,
        cursor: str | None = None,
        checkpoint: str | None = None,
    ) -> Pull:
        """Read one entity; arguments as in ``Source.pull``.

        Raises:
            SettingsError: there is no such entity, or it is loaded by quarter and none is named.
        """
        known = self.known
        method = self.loads.get(entity) or self.loads.get(EVERY)
        if method is None or entity not in known.entities:
            raise SettingsError(
                f"Loading {known.title}: it has no '{entity}'. It has: {', '.join(known.entities)}."
            )
        contract = known.entities[entity]
        if contract.load == "quarter" and quarter is None:
            raise SettingsError(
                f"{known.title} {contract.title}: the load needs a quarter. Name one, such as 2024-Q4."
            )
        return method(self, Load(entity, contract, quarter, cursor, checkpoint))

    def account(self) -> str | None:
        """The service's own id of the account; None: the settings name it, or it cannot be told. May send a request.

        Raises:
            SourceError: the service does not answer now.
        """
        return None

    @property
    def known(self) -> SourceContract:
        """The contract of the source."""
        return contract_of(self.source)


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
