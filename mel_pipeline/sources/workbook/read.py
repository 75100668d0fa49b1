"""Read a form that came back, whatever was done to it: rows, and every cell that cannot be read, by sheet and cell.

Sheets are found by their hidden key, else by their name or their headings in any language; columns by key, else by
heading, in any order. Nothing is left out in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from mel_pipeline.core.errors import ContractError
from mel_pipeline.sources.workbook.cells import CellError, RawCell, clean_text, read_cell
from mel_pipeline.sources.workbook.heads import Head, recognise
from mel_pipeline.sources.workbook.model import Given, Refused, Upload
from mel_pipeline.sources.workbook.raw import AGAIN, RawSheet, content_of, raw_sheets
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.sources.workbook.sheets import ID, LANGUAGES, PROPOSAL, Sheet, letters_of, sheets
from mel_pipeline.sources.workbook.texts import texts_in

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class _Found:
    rows: dict[str, list[Given]] = field(default_factory=dict)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)  # tab → version it comes from
    waiting: dict[str, int] = field(default_factory=dict)  # tab → proposed rows not taken up


def read(file: Path | bytes | BinaryIO) -> Upload:
    """Read a form.

    Raises:
        ContractError: the file as a whole cannot be read; the message says what to do.
    """
    content = content_of(file)
    digest = hashlib.sha256(content).hexdigest()
    return upload_of(raw_sheets(content), content, digest)


def upload_of(raw: Sequence[RawSheet], content: bytes = b"", digest: str = "") -> Upload:
    """What the sheets of a file state. Pure.

    Raises:
        ContractError: the sheets come from different versions.
    """
    found = _Found()
    claimed: dict[str, list[tuple[RawSheet, Head]]] = {}
    for sheet in raw:
        one = recognise(sheet)
        if one.version:
            found.versions[sheet.name] = one.version
        if one.name and one.head:
            claimed.setdefault(one.name, []).append((sheet, one.head))
        elif one.name:
            found.refused.append(Refused(sheet.name, "A1", "", one.problem, one.name))
        elif one.problem:
            found.warnings.append(one.problem)
    for name, those in claimed.items():
        if len(those) > 1:
            why = Said("sheet_twice", tabs=[f"'{sheet.name}'" for sheet, _ in those])
            found.refused.append(Refused(those[1][0].name, "A1", "", why, name))
        else:
            _read_sheet(sheets()[name], *those[0], found)
    if found.waiting:
        listed = [f"{tab} ({count})" for tab, count in found.waiting.items()]
        found.warnings.append(Said("waiting", rows=listed))
    own_file = [name for name in found.rows if sheets()[name].shown]  # with people's words: not kept
    versions = set(found.versions.values())
    if len(versions) > 1:
        tabs = sorted(f"{tab}: {version}" for tab, version in found.versions.items())
        raise ContractError(Said("different_downloads", tabs=tabs, again=AGAIN))
    return Upload(
        base_id=versions.pop() if versions else None,
        rows=found.rows,
        columns=found.columns,
        refused=found.refused,
        warnings=found.warnings,
        absent=[]
        if own_file
        else [name for name, one in sheets().items() if name not in found.rows and not one.shown],
        titles=found.titles,
        language=_language(found.titles),
        content=b"" if own_file else content,
        digest=digest,
    )


def _language(titles: Mapping[str, str]) -> str:
    """The language that most tabs are named in; English where none is."""
    fitting = {
        one: sum(texts_in(one).title(name) == title for name, title in titles.items()) for one in LANGUAGES
    }
    return max(fitting, key=lambda one: fitting[one])


def _read_sheet(known: Sheet, sheet: RawSheet, head: Head, found: _Found) -> None:
    keys = list(head.columns.values())
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        places = [letters_of(column - 1) for column, key in head.columns.items() if key == twice]
        why = Said("columns_twice", first=places[0], second=places[1])
        found.refused.append(Refused(sheet.name, f"{places[1]}{head.last}", "", why, known.name))
        return
    if missing := [
        Name(known.name, one.key) for one in known.columns if one.required and one.key not in keys
    ]:
        found.warnings.append(Said("column_absent", sheet=sheet.name, columns=missing))
    letters = {key: letters_of(column - 1) for column, key in head.columns.items()}
    merged = _merged_cells(sheet, head)
    filled = {
        column for row, column in sheet.cells if row > head.last and not sheet.cells[row, column].is_empty
    }
    for column in sorted(filled - set(head.columns)):
        heading = head.unknown.get(column, "")
        name = f"'{heading}' " if heading else ""
        found.warnings.append(
            Said("column_unknown", sheet=sheet.name, letters=letters_of(column - 1), name=name)
        )
    rows: list[Given] = []
    waiting = 0
    for number in sorted({row for row, _ in sheet.cells if row > head.last} | {row for row, _ in merged}):
        given, wrong, waits = _read_row(known, sheet, head, number, letters, merged)
        if given is None:
            continue
        if waits and not wrong:
            waiting += 1
        elif wrong:
            found.refused += wrong
        else:
            rows.append(given)
    if waiting:
        found.waiting[sheet.name] = waiting
    found.rows[known.name] = rows
    found.columns[known.name] = frozenset(keys) - {ID, PROPOSAL, *known.shown_keys}
    found.titles[known.name] = sheet.name


def _read_row(
    known: Sheet,
    sheet: RawSheet,
    head: Head,
    number: int,
    letters: Mapping[str, str],
    merged: set[tuple[int, int]],
) -> tuple[Given | None, list[Refused], bool]:
    """A row, its refused cells, and whether it is a proposal not taken up; None where nothing stands in it but its number."""
    row: dict[str, str | None] = {}
    wrong: list[tuple[str, str, Said]] = []
    is_empty, is_marked = True, known.waits_unmarked
    for column, key in head.columns.items():
        cell = sheet.cells.get((number, column), RawCell("s", ""))
        if key == ID:
            row[ID] = clean_text(cell.text).upper() or None
            continue
        if key == PROPOSAL:
            is_marked = is_marked or not cell.is_empty
            continue
        if key in known.shown_keys:
            continue
        shown = cell.text
        if (number, column) in merged:
            cell = RawCell("m", cell.text)
        is_empty = is_empty and cell.is_empty
        try:
            row[key] = read_cell(known.column(key), cell)
        except CellError as error:
            row[key] = None
            wrong.append((key, shown, error.why))
    if is_empty:
        return None, [], False
    given = Given(row, number, letters)
    refused = {key for key, _, _ in wrong}
    waits = is_marked and not row.get(ID) and known.waits(row)
    for one in known.columns:
        is_missing = one.key in row and row[one.key] is None and one.key not in refused
        if one.required and is_missing and not waits:
            wrong.append((one.key, "", Said("missing")))
    return (
        given,
        [Refused(sheet.name, given.cell(key), text, why, known.name, given, key) for key, text, why in wrong],
        waits,
    )


def _merged_cells(sheet: RawSheet, head: Head) -> set[tuple[int, int]]:
    """Cells below the headings that are merged with others and hold, together, something."""
    found: set[tuple[int, int]] = set()
    for first_row, first_column, last_row, last_column in sheet.merged:
        if last_row <= head.last:
            continue
        places = list(_area(max(first_row, head.last + 1), first_column, last_row, last_column))
        if any(place in sheet.cells for place in [(first_row, first_column), *places]):
            found |= {place for place in places if place[1] in head.columns}
    return found


def _area(first_row: int, first_column: int, last_row: int, last_column: int) -> Iterator[tuple[int, int]]:
    for row in range(first_row, min(last_row, first_row + 5_000) + 1):
        for column in range(first_column, min(last_column, first_column + 200) + 1):
            yield row, column
