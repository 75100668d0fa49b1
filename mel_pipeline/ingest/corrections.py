"""Corrections as data: which rows, what to change, why, on whose word and when. Pure: frames in, frames out.

They stand in the workbook, sheet Corrections, and are applied to every incoming row before it is checked, so the source
need not change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.sources.workbook.model import Row, Version


class Correction(BaseModel):
    """One correction. ``match`` names columns of the raw table with their exact values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    entity: str
    match: dict[str, str] = Field(min_length=1)
    action: Literal["set", "leave_out"]
    set: dict[str, str | None] = {}
    reason: str = Field(min_length=3)
    provider: str = Field(min_length=2)
    date: date
    row: str = Field("", exclude=True, description="Number of its row; what it says is the same without.")

    @model_validator(mode="after")
    def _set_goes_with_action(self) -> Correction:
        if (self.action == "set") != bool(self.set):
            raise ValueError(
                "`set` holds the new values: required for the action set, not allowed for others"
            )
        return self

    @property
    def digest(self) -> str:
        """Identifies what it says, whatever its row."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[
            :16
        ]

    @property
    def place(self) -> str:
        """Where it stands in the workbook and which table it is about, without a value of any row."""
        return f"Corrections, {self.row or 'a row without a number'} ({self.source} {self.entity})"

    @property
    def sentence(self) -> str:
        where = ", ".join(f"{name} {value}" for name, value in self.match.items())
        done = "left out" if self.action == "leave_out" else f"corrected ({', '.join(self.set)})"
        return (
            f"{self.source} {self.entity} where {where}: {done}. {self.reason} ({self.provider}, {self.date})"
        )


@dataclass(frozen=True)
class Corrected:
    """Rows with their corrections. ``left_out``: position of the row → the correction; ``used``: (digest, row)."""

    frame: pd.DataFrame
    left_out: dict[int, Correction]
    used: list[tuple[str, int]]


def corrections_of(version: Version) -> list[Correction]:
    """The corrections that a version of the workbook states, in its order.

    Raises:
        ContractError: a row cannot be read, or names a table or column that does not exist.
    """
    if problem := version.problems.get("corrections"):
        raise ContractError(f"{problem} Nothing was corrected.")
    return [correction_of(row) for row in version.rows.get("corrections", ())]


def correction_of(row: Row) -> Correction:
    """A row of the workbook as a correction.

    Raises:
        ContractError: as ``corrections_of``.
    """
    place = f"Reading the workbook, Corrections, {row.get('id') or 'a new row'}"
    try:
        line = Correction.model_validate(
            {
                **{name: row.get(name) for name in ("source", "entity", "action", "reason", "provider")},
                "date": row.get("stated_on"),
                "row": row.get("id") or "",
                "match": _pairs(row, "match"),
                "set": _pairs(row, "set"),
            }
        )
    except ValidationError as error:
        wrong = "; ".join(
            f"{' '.join(map(str, item['loc'])) or 'the row'}: {item['msg']}"
            for item in error.errors(include_input=False)
        )
        raise ContractError(f"{place}: {wrong}. Nothing was corrected; correct the row.") from None
    _check_names(place, line)
    return line


def _pairs(row: Row, stem: str) -> dict[str, str | None]:
    return {
        str(column): row.get(f"{stem}_value_{number}")
        for number in (1, 2, 3)
        if (column := row.get(f"{stem}_column_{number}"))
    }


def _check_names(place: str, line: Correction) -> None:
    if line.source not in source_names() or line.entity not in contract_of(line.source).entities:
        raise ContractError(
            f"{place}: there is no {line.source} {line.entity}. Name a source and an entity as `mel quality` lists them."
        )
    columns = contract_of(line.source).entities[line.entity].columns
    if unknown := sorted({*line.match, *line.set} - set(columns)):
        raise ContractError(
            f"{place}: {line.source} {line.entity} has no column {', '.join(unknown)}. It has: {', '.join(columns)}."
        )


def for_entity(corrections: Iterable[Correction], source: str, entity: str) -> list[Correction]:
    return [line for line in corrections if (line.source, line.entity) == (source, entity)]


def correct(frame: pd.DataFrame, corrections: Sequence[Correction]) -> Corrected:
    """Apply corrections, in the order of the workbook; a later one sees what an earlier one has set.

    Args:
        frame: columns of a contract as text, with a plain index from 0.
    """
    if not corrections:
        return Corrected(frame, {}, [])
    frame = frame.copy()
    left_out: dict[int, Correction] = {}
    used: list[tuple[str, int]] = []
    for line in corrections:
        hit = matching(frame, line)
        positions = [int(position) for position in frame.index[hit]]
        used += [(line.digest, position) for position in positions]
        if line.action == "leave_out":
            left_out |= dict.fromkeys(positions, line)
        else:
            for column, value in line.set.items():
                frame.loc[hit, column] = value
    return Corrected(frame, left_out, used)


def matching(frame: pd.DataFrame, line: Correction) -> pd.Series[bool]:
    """Which rows a correction matches."""
    hit = frame[next(iter(line.match))].notna()
    for column, value in line.match.items():
        hit &= frame[column].astype("str") == value
    return hit
