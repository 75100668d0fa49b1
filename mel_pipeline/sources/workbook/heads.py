"""Which sheet of the form a tab is, and which columns it has: by hidden keys, else by names and headings. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.workbook.cells import RawCell, clean_text
from mel_pipeline.sources.workbook.form_style import LISTS, MARK, README
from mel_pipeline.sources.workbook.raw import RawSheet
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.sources.workbook.sheets import ID, PROPOSAL, Sheet, sheets
from mel_pipeline.sources.workbook.texts import columns_by_heading, sheets_by_title

_HEAD_ROWS = 12  # within which the headings are looked for
_NUMBER = re.compile(r"[A-Z]-\d+")
_KEY = re.compile(rf"{MARK}:(\w+)(?::([0-9a-f]+))?")


@dataclass(frozen=True)
class Recognised:
    """``name``: the sheet it is, None for one that states nothing; ``version``: the one it was downloaded as.

    ``problem``: why it was not read, though it is one of the form's or unknown.
    """

    name: str | None = None
    head: Head | None = None
    version: str | None = None
    problem: str = ""


@dataclass(frozen=True)
class Head:
    """Where a sheet's headings are. ``columns``: number of the column → its key; ``last``: the last row of the head."""

    last: int
    columns: Mapping[int, str]
    unknown: Mapping[int, str]


def recognise(sheet: RawSheet) -> Recognised:
    """Which sheet it is, and its head."""
    version = None
    if (key := _key_of(sheet)) is not None:
        row, name, version = key
        if name in (README, LISTS.lower()):
            return Recognised(version=version)
        if name in sheets():
            return Recognised(name, _head_by_keys(sheet, sheets()[name], row), version)
    if not sheet.cells:
        return Recognised(version=version)
    titled = sheets_by_title().get(normalize_text(sheet.name))
    heads = {one: _head_by_headings(sheet, sheets()[one]) for one in ([titled] if titled else sheets())}
    best = max(heads, key=lambda one: len(heads[one].columns))
    alike = [one for one in heads if len(heads[one].columns) == len(heads[best].columns)]
    if len(heads[best].columns) >= 2 and len(alike) == 1 and _is_likely(heads[best], sheets()[best]):
        return Recognised(best, heads[best], version)
    if titled:
        return Recognised(titled, None, version, Said("no_headings"))
    return Recognised(version=version, problem=Said("sheet_unknown", name=sheet.name))


def _key_of(sheet: RawSheet) -> tuple[int, str, str | None] | None:
    """Row, sheet and version of its hidden key."""
    for row, column in sorted(sheet.cells):
        if row > _HEAD_ROWS:
            return None
        if match := _KEY.fullmatch(clean_text(sheet.cells[row, column].text)):
            return row, match[1], match[2]
    return None


def _is_likely(head: Head, sheet: Sheet) -> bool:
    """Whether the headings are those of the sheet: most columns that need a value are there."""
    needed = [column.key for column in sheet.columns if column.required]
    return 2 * len(set(needed) & set(head.columns.values())) > len(needed)


def _head_by_keys(sheet: RawSheet, known: Sheet, row: int) -> Head:
    """By the hidden row of keys; a column without one by its heading in the row below."""
    columns: dict[int, str] = {}
    unknown: dict[int, str] = {}
    headings = columns_by_heading(known.name)
    for column in sorted({column for number, column in sheet.cells if number in (row, row + 1)}):
        written = clean_text(sheet.cells.get((row, column), RawCell("s", "")).text)
        heading = clean_text(sheet.cells.get((row + 1, column), RawCell("s", "")).text)
        if _KEY.fullmatch(written):
            columns[column] = ID
        elif written in (*known.keys, *known.shown_keys, PROPOSAL):
            columns[column] = written
        elif key := headings.get(normalize_text(heading)):
            columns[column] = key
        else:
            unknown[column] = heading or written
    return Head(_last_row(sheet, known, row, columns, has_keys=True), columns, unknown)


def _last_row(
    sheet: RawSheet, known: Sheet, row: int, columns: Mapping[int, str], *, has_keys: bool = False
) -> int:
    """The last row of the head: the row below keys has headings, unless it was deleted and a row of data stands there."""
    headings = columns_by_heading(known.name)
    below = {
        column: clean_text(sheet.cells[row + 1, column].text)
        for column in columns
        if (row + 1, column) in sheet.cells
    }
    if any(headings.get(normalize_text(text)) == columns[column] for column, text in below.items()):
        return row + 1
    number = next((below.get(column, "") for column, key in columns.items() if key == ID), "")
    return row + 1 if has_keys and below and not _NUMBER.fullmatch(number) else row


def _head_by_headings(sheet: RawSheet, known: Sheet) -> Head:
    """By the row that has most headings of the sheet."""
    headings = columns_by_heading(known.name)
    best = Head(0, {}, {})
    for row in range(1, _HEAD_ROWS + 1):
        columns, unknown = {}, {}
        for number, column in sorted(sheet.cells):
            if number == row:
                text = clean_text(sheet.cells[number, column].text)
                if key := headings.get(normalize_text(text)):
                    columns[column] = key
                elif text:
                    unknown[column] = text
        if len(columns) > len(best.columns):
            best = Head(row, columns, unknown)
    return replace(best, last=_last_row(sheet, known, best.last, best.columns))
