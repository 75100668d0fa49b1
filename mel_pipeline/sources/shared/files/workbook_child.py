"""A workbook on stdin, its non-empty sheets as CSV on stdout, one after the other. Run by workbook.py, never imported.

On success, stderr gets a JSON list of each sheet's name and where its CSV ends, in bytes.

Bytes are checked before the XML is parsed: size, number and names of the parts, how far out the cells are. The parser
checks rows and cells again, as it reads them: another encoding or a character reference hides them from a look at bytes.
Exit code 3 means refused, with the sentence on stderr; 4 too little memory; others damaged.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import re
import resource
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import Any, BinaryIO

MOST_PARTS = 1_000
MOST_HEADING_ROWS = 3
MOST_TITLES, IN_TITLE = 20, 2  # rows above the headings, and cells in each
MOST_PACKED = 100  # times smaller than its content; spreadsheet programs reach 30
MOST_REPEATED = 10  # text of all cells, compared with the content: cells may share one long text
FREE = 20 << 20  # bytes for which neither matters
LEAST_SECONDS, MB_A_SECOND = 20, 1  # of processor time: a small file must not cost as much as a large one
_REFUSED, _NO_MEMORY, _DAMAGED, _TOO_LONG = 3, 4, 5, 6
_EXACT = 1e15  # Excel keeps 15 digits: a longer id would read as a different one, so it is left as a float
_CHUNK, _OVERLAP, _LONGEST_TAG = 1 << 20, 1 << 14, 16  # a formula has up to 8,192 characters
# The reference of a cell or the number of a row: a parser fills everything up to it with empty cells or rows.
_PLACE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]*)([0-9]+)\s*["']""")
_CELL, _ROW = re.compile(rb"<(?:\w+:)?c[\s/>]"), re.compile(rb"<(?:\w+:)?row[\s/>]")
# A formula without its result: the program that wrote the file never calculated it. A result that is an empty text
# has its type (`t="str"`) on the cell.
_UNCALCULATED = re.compile(
    rb"""<(?:\w+:)?c\b(?![^<>]*\bt\s*=\s*["']str["'])[^<>]*>\s*<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"""
    rb"""\s*(?:<(?:\w+:)?v\b[^<>]*(?:/>|>\s*</(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"""
)


class RefusedError(Exception):
    """The workbook is not read, for the reason given."""


def main(limits: dict[str, int]) -> int:
    return run(limits, convert)


Convert = Callable[[BinaryIO, BinaryIO, "dict[str, int]"], "list[tuple[str, int]]"]


def run(limits: dict[str, int], read: Convert) -> int:
    """Within the limits, write the sheets of the workbook on stdin to stdout; returns the exit code."""
    bound(resource.RLIMIT_AS, limits["memory"])
    bound(resource.RLIMIT_CPU, limits["seconds"])
    bound(resource.RLIMIT_FSIZE, limits["expanded"])
    warnings.simplefilter("ignore")
    try:
        found = read(sys.stdin.buffer, sys.stdout.buffer, limits)
        sys.stderr.write(json.dumps(found))
    except RefusedError as reason:
        sys.stderr.write(str(reason))
        return _REFUSED
    except MemoryError:
        return _NO_MEMORY
    except OSError as error:
        return _TOO_LONG if error.errno == errno.EFBIG else _DAMAGED
    except Exception:  # anything an untrusted file can cause; its text may quote a cell
        return _DAMAGED
    return 0


def convert(file: BinaryIO, out: BinaryIO, limits: dict[str, int]) -> list[tuple[str, int]]:
    """Every visible non-empty sheet of an .xlsx, with where its rows end.

    Raises:
        RefusedError: it exceeds the limits, or no spreadsheet program writes it.
    """
    with zipfile.ZipFile(file) as archive:
        bound_by(check_parts(archive.infolist(), limits["expanded"]), limits)
        check_cells(archive, limits)
    return write_sheets(file, out, limits)


def bound_by(size: int, limits: dict[str, int]) -> None:
    """Allow time and output in proportion to the bytes that a workbook unpacks to."""
    bound(resource.RLIMIT_CPU, min(limits["seconds"], LEAST_SECONDS + size // (MB_A_SECOND << 20)))
    bound(resource.RLIMIT_FSIZE, min(limits["expanded"], FREE + MOST_REPEATED * size))


def bound(kind: int, most: int) -> None:
    """Limit this process; a limit that is set can only be lowered."""
    with suppress(ValueError):  # macOS has no memory limit; the time limit still applies
        resource.setrlimit(kind, (most, most + 1))  # one second between SIGXCPU, which says why, and SIGKILL


def check_parts(parts: Iterable[zipfile.ZipInfo], expanded: int) -> int:
    """Check the archive by its table of contents; returns the bytes it unpacks to."""
    parts = list(parts)
    size = sum(part.file_size for part in parts)
    names = [part.filename for part in parts]
    lower = {name.lower() for name in names}
    if len(parts) > MOST_PARTS or size > expanded:
        raise RefusedError(
            f"The workbook unpacks to more than {expanded >> 20} MB or {MOST_PARTS:,} parts."
            " An export is smaller. Export it again as CSV."
        )
    if size > FREE + MOST_PACKED * sum(part.compress_size for part in parts):
        raise RefusedError(
            f"The workbook unpacks to {size >> 20} MB, more than {MOST_PACKED} times its size. No spreadsheet program"
            " writes that. Export it again as CSV."
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
    return size


def check_cells(archive: zipfile.ZipFile, limits: dict[str, int], *, formulas: bool = True) -> None:
    """Check the bytes of every part: a cell at the far end makes a parser create millions of empty ones.

    Args:
        formulas: refuse a workbook that holds one without a result.
    """
    most_columns, most_rows = limits["columns"], limits["rows"]
    counter = _Counter(limits)
    for part in archive.infolist():
        tail = b""
        with archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                counter.count(chunk)
                text = tail + chunk
                for column, row in _PLACE.findall(text):
                    if len(row) > 9 or int(row) > most_rows or _number(column) > most_columns:
                        raise _far_out(limits)
                if formulas and _UNCALCULATED.search(text):
                    raise RefusedError(
                        "The workbook holds formulas that were never calculated. Open it, save it again,"
                        " or export it as CSV."
                    )
                tail = text[-_OVERLAP:]


def _far_out(limits: dict[str, int]) -> RefusedError:
    return RefusedError(
        f"A cell is beyond column {limits['columns']:,} or row {limits['rows']:,}; an export has"
        " none there. Delete what is out there, or export it again as CSV."
    )


class _Counter:
    """Counts rows and cells by their tags, which a reference may not give away."""

    def __init__(self, limits: dict[str, int]) -> None:
        self._limits = limits
        self._cut = b""  # a tag that a chunk may have cut
        self._cells = self._rows = self._in_row = 0

    def count(self, chunk: bytes) -> None:
        text = self._cut + chunk
        last = text.rfind(b"<")
        self._cut = text[last:] if last >= len(text) - _LONGEST_TAG and last >= 0 else b""
        first, *others = _ROW.split(text[: len(text) - len(self._cut)])
        counts = [len(_CELL.findall(part)) for part in (first, *others)]
        counts[0] += self._in_row
        self.add(len(others), sum(counts) - self._in_row, max(counts))
        self._in_row = counts[-1]

    def add(self, rows: int, cells: int, widest: int) -> None:
        self._rows += rows
        self._cells += cells
        if widest > self._limits["columns"]:
            raise RefusedError(
                f"A row has more than {self._limits['columns']:,} cells, empty ones included; an export has fewer."
                " Delete what is empty, or export it again as CSV."
            )
        if self._rows > self._limits["rows"] or self._cells > self._limits["cells"]:
            raise RefusedError(
                f"The workbook has more than {self._limits['rows']:,} rows or {self._limits['cells']:,} cells,"
                " empty ones included. Delete what is empty, or export it again as CSV."
            )


def _number(column: bytes) -> int:
    number = 0
    for letter in column.upper()[:4]:  # XFD is the last one
        number = number * 26 + letter - 64
    return number


def write_sheets(file: BinaryIO, out: BinaryIO, limits: dict[str, int]) -> list[tuple[str, int]]:
    """Every visible non-empty sheet, with where its rows end."""
    found = []
    for sheet in _sheets(file, limits):
        if (rows := _rows_of(sheet)) is not None:
            write_rows(rows, out)
            found.append((str(sheet.title), out.tell()))
    if not found:
        raise RefusedError("The workbook is empty. Export it again.")
    return found


def write_rows(rows: Iterator[list[str]], out: BinaryIO) -> None:
    """Rows as CSV without blank ones, each as wide as the widest of the first few.

    Headings may take several rows, below a title.
    """
    text = io.TextIOWrapper(out, "utf-8", newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    titles, first = _titles(rows)
    filled = filter(None, rows)
    first += islice(filled, max(0, MOST_HEADING_ROWS - len(first)))
    width = max(len(row) for row in [*titles, *first[:MOST_HEADING_ROWS]])
    for number, row in enumerate(chain(titles, first, filled), start=1):
        if len(row) > width:
            raise RefusedError(f"Row {number} has a value to the right of the last heading. Remove it.")
        writer.writerow(row + [""] * (width - len(row)))
    text.flush()
    text.detach()


def _titles(rows: Iterator[list[str]]) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of a title, blank ones included, and those read after them: the first that holds more than a title.

    A title begins with a row of a single cell; two are the headings of a narrow table.
    """
    first = list(islice(rows, 1))
    if sum(map(bool, first[0])) > 1:
        return [], first
    for row in islice(rows, MOST_TITLES):
        first.append(row)
        if sum(map(bool, row)) > IN_TITLE:
            return first[:-1], first[-1:]
    return [], [row for row in first if row]


def _sheets(file: BinaryIO, limits: dict[str, int]) -> list[Any]:
    sys.modules["numpy"] = sys.modules["lxml"] = None  # type: ignore[assignment] # not needed, and large
    from openpyxl import DEFUSEDXML, load_workbook

    if not DEFUSEDXML:
        raise RefusedError(
            "The package defusedxml is missing; workbooks are not read without it. Install it."
        )
    bound_parser(limits)
    file.seek(0)
    workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    return [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]


def bound_parser(limits: dict[str, int]) -> None:
    """Count what openpyxl parses, before it fills gaps. Empty cells go: millions pack into a few kilobytes."""
    from openpyxl.worksheet import _reader

    parse_row = _reader.WorkSheetParser.parse_row
    counter = _Counter(limits)  # of all sheets: two may be the same part

    def parse_filled(parser: Any, row: Any) -> Any:
        counter.add(1, len(row), len(row))
        if all(
            cell.get("r") for cell in row
        ):  # without a reference, a cell's place depends on those before it
            row[:] = [cell for cell in row if len(cell)]
        number, cells = parse_row(parser, row)
        if number > limits["rows"] or any(cell["column"] > limits["columns"] for cell in cells):
            raise _far_out(limits)
        return number, cells

    _reader.WorkSheetParser.parse_row = parse_filled


def _rows_of(sheet: Any) -> Iterator[list[str]] | None:
    """The rows from the first that is not empty; None if all are."""
    rows = _trimmed(sheet)
    first = next(filter(None, rows), None)
    return None if first is None else chain([first], rows)


def _trimmed(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # the size a file claims cannot be trusted
    for cells in sheet.iter_rows():
        row = [text_of(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        yield row


def number_text(value: float) -> str:
    """Digits without an exponent; a number that is too long for a float to hold exactly stays as the float is."""
    if abs(value) >= _EXACT:
        return repr(value)
    number = Decimal(str(value))
    return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"


def text_of(cell: Any) -> str:
    """A cell as the CSV export would have it: ISO dates, plain numbers, true and false."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
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
    sys.exit(main(json.loads(sys.argv[1])))
