"""Open a report of several sections, whose rows differ in width, as rows of cells. What a section means is not known here."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.files.folder import DropFile
from mel_pipeline.sources.shared.files.opening import ARCHIVE, OLD_OFFICE, open_tables
from mel_pipeline.sources.shared.files.table import (
    DELIMITERS,
    FileRefusedError,
    OtherEncodingError,
    numbered_records,
    text_in,
)

MOST_ROWS = 100_000  # a list of people; the largest webinar has a tenth of it
MOST_CELLS = 5_000_000


@dataclass(frozen=True)
class Row:
    """A row that is not blank. ``number``: as an editor or a spreadsheet numbers it."""

    number: int
    cells: list[str]


@contextmanager
def open_sections(
    file: DropFile, known: Callable[[Sequence[str]], int], fallback: str | None = None
) -> Iterator[dict[str, list[Row]]]:
    """The rows of a dropped file: of each sheet of a workbook by name, else of its text.

    Args:
        known: how many cells of a row are known headers; the delimiter with which a row has most of them is chosen.
        fallback: encoding of text files that are not in UTF-8 or UTF-16, if configured.

    Raises:
        FileRefusedError: it cannot be read, or is no table.
        TransientSourceError: it changed while it was being read.
    """
    with file.open() as opened:
        start = opened.read(4)
        if start in (ARCHIVE, OLD_OFFICE) or start == b"%PDF":
            with open_tables(file, fallback) as tables:
                yield {name: _of_table(table.header, table.rows()) for name, table in tables.items()}
            return
        yield {file.name: _rows_of(opened, known, fallback)}
        if not file.is_unchanged:
            raise TransientSourceError(
                f"{file.name}: the file changed while it was being read. Nothing was stored."
                " Run the load again when it is complete."
            )


def _of_table(header: Sequence[str], rows: Iterator[list[str]]) -> list[Row]:
    found = [Row(1, list(header))]
    found += [Row(number, _stripped(cells)) for number, cells in enumerate(rows, start=2)]
    return _small([row for row in found if any(row.cells)])


def _rows_of(file: BinaryIO, known: Callable[[Sequence[str]], int], fallback: str | None) -> list[Row]:
    try:
        return _best(file, known, None)
    except OtherEncodingError:
        if fallback is None:
            raise
        return _best(file, known, fallback)


def _best(file: BinaryIO, known: Callable[[Sequence[str]], int], encoding: str | None) -> list[Row]:
    """The rows by the delimiter that finds most headers in one row. Errors as ``open_sections``."""
    best: list[Row] = []
    most = -1
    fault = ""
    for delimiter in DELIMITERS:
        try:
            rows = _read(file, encoding, delimiter)
        except csv.Error:
            fault = (
                "A quotation mark is opened and not closed in its place: the file was cut off or changed by hand."
                " Export it again."
            )
            continue
        found = max((known(row.cells) for row in rows), default=0)
        if found > most:
            best, most = rows, found
    if fault and most <= 0:
        raise FileRefusedError(fault)
    return best


def _read(file: BinaryIO, encoding: str | None, delimiter: str) -> list[Row]:
    rows: list[Row] = []
    cells = 0
    for record, above in numbered_records(text_in(file, encoding), delimiter):
        stripped = _stripped(record)
        cells += len(stripped)
        if any(stripped):
            rows.append(Row(above + 1, stripped))
        if len(rows) > MOST_ROWS or cells > MOST_CELLS:
            _small(rows, cells)
    return rows


def _small(rows: list[Row], cells: int = 0) -> list[Row]:
    if len(rows) > MOST_ROWS or cells > MOST_CELLS:
        raise FileRefusedError(
            f"The file has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells, so it is no list of people."
            " Export one event per file."
        )
    return rows


def _stripped(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells]
