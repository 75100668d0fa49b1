"""Corrections as data: which rows, what to change, why, on whose word and when. Pure: frames in, frames out.

``MEL_HOME/corrections.yml`` is a list of::

    - source: zoho_crm
      entity: participations
      match: {id: "5843"}
      action: set                # or: leave_out
      set: {role: Speaker}
      reason: Registered as a participant, spoke on the panel.
      provider: Events team      # a role, never a person's name
      date: 2024-11-03

They are applied to every incoming row before it is checked, so the source need not change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.yaml_io import from_yaml

if TYPE_CHECKING:
    import pandas as pd


class Correction(BaseModel):
    """One line of the corrections file. ``match`` names columns of the raw table with their exact values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    entity: str
    match: dict[str, str] = Field(min_length=1)
    action: Literal["set", "leave_out"]
    set: dict[str, str | None] = {}
    reason: str = Field(min_length=3)
    provider: str = Field(min_length=2)
    date: date

    @model_validator(mode="after")
    def _set_goes_with_action(self) -> Correction:
        if (self.action == "set") != bool(self.set):
            raise ValueError(
                "`set` holds the new values: required for the action set, not allowed for others"
            )
        return self

    @property
    def digest(self) -> str:
        """Identifies the line, wherever it is in the file."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[
            :16
        ]

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


def read_corrections(path: Path) -> list[Correction]:
    """The corrections file; none where there is no file.

    Raises:
        ContractError: a line cannot be read, or names a table or column that does not exist.
    """
    if not path.exists():
        return []
    try:
        written = from_yaml(path.read_text(encoding="utf-8")) or []
        found = [Correction.model_validate(line) for line in written]
    except (yaml.YAMLError, ValidationError, TypeError, UnicodeDecodeError) as error:
        raise ContractError(
            f"Reading {path}: {error}. Nothing was corrected; correct the file and start again."
        ) from error
    for number, line in enumerate(found, start=1):
        _check_names(path, number, line)
    return found


def _check_names(path: Path, number: int, line: Correction) -> None:
    if line.source not in source_names() or line.entity not in contract_of(line.source).entities:
        raise ContractError(
            f"Reading {path}, correction {number}: there is no {line.source} {line.entity}. Name a source and an"
            " entity as `mel quality` lists them."
        )
    columns = contract_of(line.source).entities[line.entity].columns
    if unknown := sorted({*line.match, *line.set} - set(columns)):
        raise ContractError(
            f"Reading {path}, correction {number}: {line.source} {line.entity} has no column {', '.join(unknown)}."
            f" It has: {', '.join(columns)}."
        )


def for_entity(corrections: Iterable[Correction], source: str, entity: str) -> list[Correction]:
    return [line for line in corrections if (line.source, line.entity) == (source, entity)]


def correct(frame: pd.DataFrame, corrections: Sequence[Correction]) -> Corrected:
    """Apply corrections, in the order of the file; a later one sees what an earlier one has set.

    Args:
        frame: columns of a contract as text, with a plain index from 0.
    """
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
