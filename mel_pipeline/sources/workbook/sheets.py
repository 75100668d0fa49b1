"""The sheets of the workbook and their columns, from ``contract.yml`` and ``sheets.yml``. There is no other list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mel_pipeline.core.contracts import EntityContract, load_contract
from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.yaml_io import from_yaml

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "fr", "es", "ca")  # of texts in the contract's columns
LONGEST = 300  # characters of a text that is given no other length
ID = "id"
PROPOSAL = "proposal"  # key of the column that marks proposed rows; the form has it, the contract has not

Kind = Literal["text", "number", "integer", "date", "choice", "indicator", "period", "span"]
_IN_LANGUAGE = re.compile(rf"(.+)_({'|'.join(LANGUAGES)})")
_NUMBERED = re.compile(r"(.+)_(\d)")


class FormColumn(BaseModel):
    """A column of a sheet.

    ``stem`` names its texts: ``reason`` of ``reason_fr``, ``match_column`` of ``match_column_2``. ``allowed`` are the
    codes of a choice; ``choices`` names a list that the caller of the form gives, ``free`` allows other values as well.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    stem: str
    kind: Kind
    required: bool = False
    allowed: tuple[str, ...] = ()
    choices: str | None = None
    free: bool = False
    said: str | None = None  # a value of a text that has a word in each language
    percent: bool = False  # 45 % in a cell is 45
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    most: int = LONGEST
    width: int = 16
    language: str | None = None
    number: int | None = None


class Sheet(BaseModel):
    """A sheet: ``prefix`` of its row numbers, ``key`` tells rows apart where their number is missing.

    ``waits_for``: a proposed row counts once it has a value in a column of each of these groups.
    ``waits_unmarked``: so does a row without the mark of a proposal.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    prefix: str
    key: tuple[str, ...]
    waits_for: tuple[tuple[str, ...], ...] = ()
    waits_unmarked: bool = False
    wanted: tuple[str, ...] = ()  # further columns that a proposed row needs
    most_by: dict[str, int] = {}  # column → most rows with the same value in it
    shown: tuple[FormColumn, ...] = ()  # written for the eye and never read; the sheet has a file of its own
    joins_cells: bool = False  # two people may fill in different cells of a row at the same time
    columns: tuple[FormColumn, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the columns, without the row's number."""
        return tuple(column.key for column in self.columns)

    @property
    def shown_keys(self) -> tuple[str, ...]:
        """Keys of the columns that are not read."""
        return tuple(column.key for column in self.shown)

    def waits(self, row: Mapping[str, str | None]) -> bool:
        """Whether something is missing without which a proposed row does not count."""
        return any(not any(row.get(key) for key in group) for group in self.waits_for)

    def column(self, key: str) -> FormColumn:
        return next(column for column in self.columns if column.key == key)


class _Beside(BaseModel):
    """What ``sheets.yml`` says about a column."""

    model_config = ConfigDict(extra="forbid")

    is_: Literal["indicator", "period", "span", "percent"] | None = Field(None, alias="is")
    choices: str | None = None
    free: bool = False
    said: str | None = None
    width: int = 16
    most: int = LONGEST


class _BesideSheet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(pattern="^[A-Z]$")
    key: list[str]
    waits_for: list[list[str]] = []
    waits_unmarked: bool = False
    wanted: list[str] = []
    most_by: dict[str, int] = {}
    shown: dict[str, int] = {}  # key → width
    joins_cells: bool = False
    columns: dict[str, _Beside] = {}


@lru_cache(maxsize=1)
def sheets() -> Mapping[str, Sheet]:
    """Every sheet, in the order of the form.

    Raises:
        ContractError: the two files do not fit each other.
    """
    contract = load_contract(FOLDER / "contract.yml")
    beside = from_yaml((FOLDER / "sheets.yml").read_text(encoding="utf-8"))
    found = {
        name: _sheet(name, entity, _BesideSheet.model_validate(beside.pop(name)))
        for name, entity in contract.entities.items()
    }
    if beside:
        raise ContractError(f"Reading sheets.yml: {', '.join(beside)} is no entity of contract.yml.")
    return found


def _sheet(name: str, entity: EntityContract, beside: _BesideSheet) -> Sheet:
    columns = []
    used = set()
    for key, column in entity.columns.items():
        if key == ID:
            continue
        stem, language, number = _parts(key, entity.columns)
        used.add(stem)
        more = beside.columns.get(stem, _Beside.model_validate({}))
        kind: Any = more.is_ if more.is_ not in (None, "percent") else column.type
        columns.append(
            FormColumn(
                key=key,
                stem=stem,
                kind="choice" if column.allowed else kind,
                required=column.required,
                allowed=tuple(column.allowed or ()),
                choices=more.choices,
                free=more.free,
                said=more.said,
                percent=more.is_ == "percent",
                minimum=column.minimum,
                maximum=column.maximum,
                pattern=column.pattern,
                most=more.most,
                width=more.width,
                language=language,
                number=number,
            )
        )
    if unknown := sorted(set(beside.columns) - used | (set(beside.key) - set(entity.columns))):
        raise ContractError(f"Reading sheets.yml, {name}: contract.yml has no column {', '.join(unknown)}.")
    return Sheet(
        name=name,
        prefix=beside.prefix,
        key=tuple(beside.key),
        waits_for=tuple(tuple(group) for group in beside.waits_for),
        wanted=tuple(beside.wanted),
        waits_unmarked=beside.waits_unmarked,
        most_by=beside.most_by,
        shown=tuple(
            FormColumn(key=key, stem=key, kind="text", width=width) for key, width in beside.shown.items()
        ),
        joins_cells=beside.joins_cells,
        columns=tuple(columns),
    )


def _parts(key: str, columns: Mapping[str, object]) -> tuple[str, str | None, int | None]:
    """Stem, language and number of a column's key."""
    found = _IN_LANGUAGE.fullmatch(key)
    if found and all(f"{found[1]}_{language}" in columns for language in LANGUAGES):
        return found[1], found[2], None
    numbered = _NUMBERED.fullmatch(key)
    return (numbered[1], None, int(numbered[2])) if numbered else (key, None, None)


def letters_of(place: int) -> str:
    """Letters of a column, from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
