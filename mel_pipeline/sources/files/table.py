"""A table out of a file of text: encoding, delimiter, header, rows. No meaning of a column here.

The file is read through once before any row is given, so that a file that was cut off gives none; rows
are then read again from the file, and memory stays flat.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

_DELIMITERS = ",;\t|"
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class FileRefusedError(Exception):
    """A file as a whole cannot be read. The text says why and what to do, and quotes no cell."""


@dataclass(frozen=True)
class Table:
    """A header and rows of the same width. ``how`` says how it was read, for the load's notes."""

    header: list[str]
    count: int  # rows under the header
    how: str
    _text: _Text = field(repr=False)
    _delimiter: str

    def rows(self) -> Iterator[list[str]]:
        """The rows, from the first one each time. One reading at a time; the file has to be open still."""
        return islice(_records(self._text, self._delimiter), 1, None)


@dataclass(frozen=True)
class _Text:
    """The lines of a file; ``skip`` of them stand above the table."""

    file: BinaryIO
    encoding: str
    skip: int = 0

    def lines(self) -> Iterator[str]:
        self.file.seek(0)
        text = io.TextIOWrapper(self.file, self.encoding, newline="")
        try:
            for line in islice(text, self.skip, None):
                if "\x00" in line:
                    raise FileRefusedError(
                        "The file holds bytes that are not text. Export it again as CSV UTF-8."
                    )
                yield line
        except UnicodeDecodeError:
            # Never a guess: a wrong encoding would garble names and labels.
            raise FileRefusedError(
                "The file is not in UTF-8 or UTF-16. Export it again as UTF-8 (in Excel: CSV UTF-8)."
            ) from None
        finally:
            text.detach()  # the file stays open


def read_table(content: bytes) -> Table:
    """The same for a file that is in memory already."""
    return table_in(io.BytesIO(content))


def table_in(file: BinaryIO) -> Table:
    """The table in an open file; it has to stay open while rows are read.

    Raises:
        FileRefusedError: empty, a web page, an unknown encoding, cut off, an open quote, or no rows.
    """
    file.seek(0)
    start = file.read(4)
    encoding = next((name for mark, name in _BOMS.items() if start.startswith(mark)), "utf-8")
    text = _Text(file, encoding)
    first = next((line for line in text.lines() if line.strip()), "")
    if not first:
        raise FileRefusedError("The file is empty. Export it again.")
    if first.lstrip()[:1] == "<":
        raise FileRefusedError(
            "The file is a web page, such as a login page, and not an export. Sign in and export again."
        )
    declared = None
    line = first.strip('\r\n"')  # not the tab that may follow
    if line.lower().startswith("sep=") and len(line) == 5:
        declared, text = line[4], _Text(file, encoding, skip=1)
    delimiter, header, count = _measured(text, declared)
    return _table(text, delimiter, header, count)


def comma_table_in(file: BinaryIO) -> Table:
    """The table in a file that this package wrote itself: UTF-8, separated by commas."""
    text = _Text(file, "utf-8")
    header, count, fault = _scan(text, ",")
    if fault:
        raise FileRefusedError(fault)
    return _table(text, ",", header, count)


def _table(text: _Text, delimiter: str, header: list[str], count: int) -> Table:
    if not count:
        raise FileRefusedError("The file has a header but no rows. Export it again, or remove it.")
    encoding = "UTF-16" if text.encoding == "utf-16" else "UTF-8"
    how = f"{encoding}, separated by {_NAMES.get(delimiter, repr(delimiter))}"
    return Table([name.strip() for name in header], count, how, text, delimiter)


def _measured(text: _Text, declared: str | None) -> tuple[str, list[str], int]:
    """The delimiter that gives every row the same number of fields, more than one; the header; the rows."""
    fitting: dict[str, tuple[list[str], int]] = {}
    faults: dict[str, str] = {}
    widths: dict[str, int] = {}
    for delimiter in declared or _DELIMITERS:
        header, count, fault = _scan(text, delimiter)
        widths[delimiter] = len(header)
        if fault:
            faults[delimiter] = fault
        elif len(header) > 1:
            fitting[delimiter] = header, count
    if fitting:
        best = max(fitting, key=lambda delimiter: widths[delimiter])
        return best, *fitting[best]
    likely = max(widths, key=lambda delimiter: widths[delimiter])
    single = "The file has a single column, so it is not an export. Export it again as CSV."
    raise FileRefusedError(faults.get(likely, single))


def _scan(text: _Text, delimiter: str) -> tuple[list[str], int, str | None]:
    """The header, the number of rows up to the first fault, and the fault in words."""
    header: list[str] = []
    count = -1  # the header is none
    try:
        for row in _records(text, delimiter):
            header = header or row
            count += 1
            if len(header) == 1:
                return header, 0, None  # not this delimiter: no need to read on
            if len(row) != len(header):
                return (
                    header,
                    count,
                    (
                        f"Row {count + 1} has {len(row)} fields where the header has {len(header)}:"
                        " the file was cut off or changed by hand. Export it again."
                    ),
                )
    except csv.Error:
        return (
            header,
            max(count, 0),
            (
                f"In row {count + 2} a quotation mark is opened and not closed in its place:"
                " the file was cut off or changed by hand. Export it again."
            ),
        )
    return header, max(count, 0), None


def _records(text: _Text, delimiter: str) -> Iterator[list[str]]:
    """Header and rows; an empty line at the end is none."""
    for row in csv.reader(text.lines(), delimiter=delimiter, strict=True):
        if len(row) > 1 or any(row):
            yield row
