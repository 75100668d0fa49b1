"""The parts of an attendance list: labels above, and one or more tables of people. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.attendance_lists import words
from mel_pipeline.sources.shared.files import FileRefusedError, Row


@dataclass(frozen=True)
class Table:
    """A table of people. ``leads``: they lead the event, by the title of their section."""

    header: list[str]
    columns: dict[str, int]
    leads: bool
    rows: list[Row] = field(default_factory=list)

    def cell(self, row: Row, column: str) -> str:
        """A cell, empty where the table has no such column or the row is shorter."""
        place = self.columns.get(column, len(row.cells))
        return row.cells[place] if place < len(row.cells) else ""

    @cached_property
    def is_signed(self) -> bool:
        """Whether somebody signed: on a sheet that was typed up without signatures their absence says nothing."""
        return any(self.cell(row, "signature") for row in self.rows)


@dataclass(frozen=True)
class Sheet:
    """A list by its parts. ``above``: label → values, in order. ``host``: address of who held the meeting."""

    tool: str
    tables: list[Table]
    above: dict[str, list[str]]
    host: str
    is_ragged: bool

    def first(self, label: str) -> str | None:
        return next(iter(self.above.get(label, ())), None)


def sheet_of(rows: Sequence[Row]) -> Sheet:
    """The parts of a list.

    Raises:
        FileRefusedError: no row is the header of a table of people, or none has people below it.
    """
    headers = [place for place, row in enumerate(rows) if words.is_header(row.cells)]
    if not headers:
        raise FileRefusedError(_unknown(rows))
    above, host = _labels(rows[: headers[0]])
    tables = []
    for place, end in zip(headers, [*headers[1:], len(rows)], strict=True):
        header = rows[place].cells
        below = list(rows[place + 1 : end])
        if end < len(rows):
            below = _without_titles(below)
        tables.append(
            Table(header, words.columns_of(header), _leads(rows[place - 1] if place else None), below)
        )
    tool = words.tool_of([cell for place in headers for cell in rows[place].cells])
    if not any(table.rows for table in tables):
        raise EmptyListError("The list has a header and nobody below it. Export it again, or remove it.")
    return Sheet(tool, tables, above, host, len({len(row.cells) for row in rows}) > 1)


class EmptyListError(FileRefusedError):
    """A list with a header and nobody on it."""


def _without_titles(rows: list[Row]) -> list[Row]:
    """Without the title of the next section, a row of one cell."""
    while rows and sum(map(bool, rows[-1].cells)) == 1:
        rows = rows[:-1]
    return rows


def _leads(title: Row | None) -> bool:
    return title is not None and normalize_text(title.cells[0]) in words.known("sections")


def _labels(rows: Sequence[Row]) -> tuple[dict[str, list[str]], str]:
    """Labels above the tables with their values beside or below them, or behind a colon."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    host = ""
    for number, row in enumerate(rows):
        under = rows[number + 1].cells if number + 1 < len(rows) else []
        across = sum(words.label_of(cell) is not None for cell in row.cells) > 1
        for place, cell in enumerate(row.cells):
            label, value = words.label_of(cell), ""
            if label is None and ":" in cell:
                head, _, tail = cell.partition(":")
                label, value = words.label_of(head), tail.strip()
            elif label is not None:
                beside = next((one for one in row.cells[place + 1 :] if one), "")
                below = under[place] if place < len(under) else ""
                value = below if across else beside
            if label and value and words.label_of(value) is None:
                found[label].append(value)
                if normalize_text(cell) in ("user email", "host email"):
                    host = normalize_text(value)
    return dict(found), host


def _unknown(rows: Sequence[Row]) -> str:
    """Why a file is no list; cells of it are not shown, as they may be names."""
    widest = max((sum(map(bool, row.cells)) for row in rows), default=0)
    return (
        f"No row of the file is the header of a list of people: a column such as “Name” or “E-mail”, and others beside"
        f" it. Its widest row has {widest} cells. Put the names of the columns into one row above the people; the README"
        " of this source lists the names that are known."
    )
