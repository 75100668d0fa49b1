"""What every source gives: batches of rows as exported. No HTTP, no database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mel_pipeline.periods import Quarter

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rejected:
    """A row, or a whole file when ``row_key`` is None, that could not even be read."""

    source_ref: str
    row_key: str | None
    column: str | None
    reason: str
    payload: str | None = None


@dataclass(frozen=True)
class Batch:
    """Rows of one page or file. ``frame`` has the contract's columns as text, and ``_source_ref``."""

    frame: pd.DataFrame
    rejected: list[Rejected] = field(default_factory=list)
    deleted_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pull:
    """One load of one entity. ``cursor`` and ``expected_count`` are known once the batches are read."""

    batches: Iterator[Batch]
    cursor: Callable[[], str | None] = lambda: None
    expected_count: Callable[[], int | None] = lambda: None


class Source(Protocol):
    """A connection to one source."""

    def pull(self, entity: str, *, quarter: Quarter | None, cursor: str | None) -> Pull:
        """Read one entity: what changed since the cursor, or what belongs to the quarter."""
        ...


def as_frame(rows: Sequence[Mapping[str, str | None]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as text columns; a column a row does not have stays empty."""
    import pandas as pd

    names = [*columns, "_source_ref"]
    return pd.DataFrame([[row.get(name) for name in names] for row in rows], columns=names, dtype="str")


def as_text(value: object) -> str | None:
    """One exported value as text: a lookup is its id, a list is joined by semicolons, nothing is None."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return as_text(value.get("id")) if "id" in value else json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, list):
        return ";".join(as_text(item) or "" for item in value)
    return str(value)
