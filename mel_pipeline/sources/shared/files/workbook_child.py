"""A workbook on stdin, its non-empty sheets as CSV on stdout, one after the other. Run by workbook.py, never imported.

On success, stderr gets a JSON list of each sheet's name and where its CSV ends, in bytes.

Everything is checked before the XML is parsed: bytes of all parts, number and names of parts, how far out
the cells are. Exit code 3 means refused, with the sentence on stderr; 4 too little memory; others damaged.
"""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any, BinaryIO

MOST_PARTS, MOST_COLUMNS, MOST_ROWS = 1_000, 1_000, 500_000
MOST_HEADING_ROWS = 3
_REFUSED, _NO_MEMORY, _DAMAGED = 3, 4, 5
_EXACT = 1e15  # Excel keeps 15 digits: a longer id would read as a different one, so it is left as a float
_CHUNK, _OVERLAP = 1 << 20, 1 << 10
_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
# A formula without its result: the program that wrote the file never calculated it.
_UNCALCULATED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]*/>)\s*(?:<(?:\w+:)?v\s*/>\s*)?</(?:\w+:)?c>"
)


class RefusedError(Exception):
    """The workbook is not read, for the reason given."""


def main(expanded: int, memory: int, seconds: int) -> int:
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, expanded),
    ):
        with suppress(ValueError):  # macOS has no memory limit; the time limit still applies
            resource.setrlimit(kind, (most, most))
    warnings.simplefilter("ignore")
    try:
        file = sys.stdin.buffer
        with zipfile.ZipFile(file) as archive:
            check_parts(archive.infolist(), expanded)
            check_cells(archive)
        found = write_sheets(file, sys.stdout.buffer)
        sys.stderr.write(json.dumps(found))
    except RefusedError as reason:
        sys.stderr.write(str(reason))
        return _REFUSED
    except MemoryError:
        return _NO_MEMORY
    except Exception:  # anything an untrusted file can cause; its text may quote a cell
        return _DAMAGED
    return 0


def check_parts(parts: Iterable[zipfile.ZipInfo], expanded: int) -> None:
    """Check the archive by its table of contents."""
    parts = list(parts)
    names = [part.filename for part in parts]
    lower = {name.lower() for name in names}
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > expanded:
        raise RefusedError(
            f"The workbook unpacks to more than {expanded >> 20} MB or {MOST_PARTS:,} parts."
            " An export is smaller. Export it again as CSV."
        )
    if len(lower) != len(names) or any(
        name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/") for name in names
    ):
        raise RefusedError(
            "The workbook holds parts with the same name, or with a path that leads out of it."
            " No spreadsheet program writes that. Export it again."
        )
    if any(part.flag_bits & 1 for part in parts):
        raise RefusedError("The file is locked with a password. Save it without one, or export it as CSV.")
    if any(name.endswith("vbaproject.bin") for name in lower):
        raise RefusedError("The workbook holds macros. Save it as .xlsx without macros, or export it as CSV.")
    if "xl/workbook.bin" in lower:
        raise RefusedError(
            "The file is a binary Excel workbook (.xlsb). Save it as .xlsx, or export it as CSV."
        )
    if "[content_types].xml" not in lower or not any(name.startswith("xl/") for name in lower):
        raise RefusedError(
            "The file is an archive, not an Excel workbook. Unpack it and put the CSV or XLSX files"
            " it holds into the folder."
        )


def check_cells(archive: zipfile.ZipFile) -> None:
    """Check the bytes of every part: a cell at the far end makes a parser create millions of empty ones."""
    for part in archive.infolist():
        tail = b""
        with archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                text = tail + chunk
                for column, row in _CELL.findall(text):
                    if _number(column) > MOST_COLUMNS or int(row) > MOST_ROWS:
                        raise RefusedError(
                            f"A cell is beyond column {MOST_COLUMNS:,} or row {MOST_ROWS:,}; an export has"
                            " none there. Delete what is out there, or export it again as CSV."
                        )
                if _UNCALCULATED.search(text):
                    raise RefusedError(
                        "The workbook holds formulas that were never calculated. Open it, save it again,"
                        " or export it as CSV."
                    )
                tail = text[-_OVERLAP:]


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def write_sheets(file: BinaryIO, out: BinaryIO) -> list[tuple[str, int]]:
    """Every visible non-empty sheet, with where its rows end."""
    found = []
    for sheet in _sheets(file):
        if (rows := _rows_of(sheet)) is not None:
            write_rows(rows, out)
            found.append((str(sheet.title), out.tell()))
    if not found:
        raise RefusedError("The workbook is empty. Export it again.")
    return found


def write_rows(rows: Iterator[list[str]], out: BinaryIO) -> None:
    """Rows as CSV, each as wide as the widest of the first few: headings may take several rows."""
    text = io.TextIOWrapper(out, "utf-8", newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    first = list(islice(rows, MOST_HEADING_ROWS))
    width = max(len(row) for row in first)
    for number, row in enumerate(chain(first, rows), start=1):
        if len(row) > width:
            raise RefusedError(f"Row {number} has a value to the right of the last heading. Remove it.")
        writer.writerow(row + [""] * (width - len(row)))
    text.flush()
    text.detach()


def _sheets(file: BinaryIO) -> list[Any]:
    sys.modules["numpy"] = sys.modules["lxml"] = None  # type: ignore[assignment] # not needed, and large
    from openpyxl import DEFUSEDXML, load_workbook

    if not DEFUSEDXML:
        raise RefusedError(
            "The package defusedxml is missing; workbooks are not read without it. Install it."
        )
    file.seek(0)
    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    return [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]


def _rows_of(sheet: Any) -> Iterator[list[str]] | None:
    """The non-empty rows; None if there are none."""
    rows = _filled(sheet)
    first = next(rows, None)
    return None if first is None else chain([first], rows)


def _filled(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # the size a file claims cannot be trusted
    for cells in sheet.iter_rows():
        row = [text_of(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        if row:
            yield row


def text_of(cell: Any) -> str:  # noqa: PLR0911 - one return a kind of value
    """A cell as the CSV export would have it: ISO dates, plain numbers, true and false."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if abs(value) >= _EXACT:
            return repr(value)
        number = Decimal(str(value))
        return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
    if isinstance(value, datetime):
        moment = (value + timedelta(milliseconds=500)).replace(microsecond=0)  # Excel stores day fractions
        return moment.date().isoformat() if _is_date(cell, moment) else moment.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _is_date(cell: Any, moment: datetime) -> bool:
    from openpyxl.styles.numbers import is_datetime

    return moment.time() == time() and is_datetime(cell.number_format) == "date"


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
