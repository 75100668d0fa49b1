"""Rows of a workbook's preview as its page shows them. Values arrive in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Change, Row

LONGEST = 300  # characters of a value
PAGE_WIDTH, LONG_CELL = 112, 26  # characters that fit beside one another, and of a cell that wraps


@dataclass(frozen=True)
class Line:
    """A changed row: where it stands, what it is about, and each value before and after."""

    sheet: str
    place: str
    about: str
    cells: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """New or removed rows of a sheet, in its order: each its place and its values, in the order of the headings.

    ``besides``: by row, headings and values of columns that few rows fill in and for which the page has no room.
    ``is_wide``: it has too many columns even so; each row is then a list of its values.
    """

    sheet: str
    headings: list[str]
    rows: list[tuple[str, list[str]]]
    besides: list[list[tuple[str, str]]] = field(default_factory=list)

    @property
    def is_wide(self) -> bool:
        longest = [
            max((len(row[place]) for _, row in self.rows), default=0) for place in range(len(self.headings))
        ]
        needed = [
            min(max(long, len(name)), LONG_CELL) for long, name in zip(longest, self.headings, strict=True)
        ]
        return sum(needed) + 3 * len(needed) > PAGE_WIDTH


def capitalised(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"


def shortened(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and bool(date.fromisoformat(text))
    except ValueError:
        return False


def place_of(change: Change) -> str:
    return "".join(one for one in change.cell if one.isdigit()) or change.id or ""


def row_of(change: Change) -> Row:
    """The row as it is new, or as it was where it is gone."""
    return change.after if change.after is not None else change.before or {}
