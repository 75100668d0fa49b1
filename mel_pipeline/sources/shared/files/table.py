"""Read a table from a text file: encoding, delimiter, header, rows. What a column means is not known here.

The file is read through once before it yields any row, so that a truncated file yields none; rows are
then read from the file again, and memory stays flat.
"""

from __future__ import annotations

import codecs
import csv
import io
import time
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

import pandas as pd

from mel_pipeline.sources.shared.files.limits import CELLS_A_FRAME, LONGEST_LINE, TEXT
from mel_pipeline.sources.shared.files.widths import even_rows

DELIMITERS = ",;\t|"
_LONGEST_FIELD = 131_072  # characters; a longer field means a quotation mark was not closed
MOST_TITLES = 20  # rows that are looked at for the first one of a table
_IN_TITLE = 2  # cells
_BUFFER = 1 << 18  # bytes read at a time
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class FileRefusedError(Exception):
    """A file as a whole cannot be read. The text says why and what to do, and quotes no cell."""


class OtherEncodingError(FileRefusedError):
    """Its bytes are not valid in the encoding it was read with."""


class NoRowsError(FileRefusedError):
    """It has a header and no rows."""


@dataclass(frozen=True)
class Table:
    """A header and rows of the same width. ``how`` says how it was read, for the load's notes."""

    header: list[str]
    count: int  # rows below the header
    how: str
    _text: Text = field(repr=False)
    _delimiter: str
    above: int = 0  # lines above the header

    def below(self, rows: int) -> Table:
        """The same table without its first rows: the header stands further down."""
        first = list(islice(_numbered(self._text, self._delimiter), rows + 1))
        header, lines = first[rows]
        return replace(
            self,
            header=_stripped(header),
            count=self.count - rows,
            _text=replace(self._text, skip=self._text.skip + lines),
            above=self.above + lines,
        )

    def rows(self) -> Iterator[list[str]]:
        """The rows, always from the first. The file must still be open.

        Raises:
            FileRefusedError: a quotation mark stands where none may, which counting quotes cannot tell.
        """
        with _quotes_in_place():
            for number, row in enumerate(
                islice(_records(self._text, self._delimiter), 1, None), start=self.above + 2
            ):
                if len(row) != len(self.header):
                    raise FileRefusedError(_uneven(number, len(row), len(self.header)))
                yield row

    def frames(
        self, most_rows: int, *, skip: int = 0, columns: Collection[int] | None = None
    ) -> Generator[pd.DataFrame]:
        """The same rows, faster: as text frames of at most ``most_rows``; empty cells are empty text.

        Columns are numbered from 0. The index numbers rows as a spreadsheet does, with the header as row 1.
        Close it before the file.

        Args:
            skip: rows below the header to leave out.
            columns: the columns to read; None: all.

        Raises:
            FileRefusedError: the two readers disagree on the number of rows, or as ``rows``.
        """
        seen = -1 - skip  # the header and the skipped rows come first
        with self._text.opened() as text, _quotes_in_place():
            # Every quote, width and byte was checked when the table was opened.
            chunks = pd.read_csv(
                text,
                sep=self._delimiter,
                header=None,
                names=range(len(self.header)),
                usecols=sorted(columns) if columns is not None else None,
                dtype=object,
                na_filter=False,
                chunksize=max(1, min(most_rows, CELLS_A_FRAME // len(self.header))),
            )
            for chunk in chunks:
                first = max(0, -seen)
                begin = self.above + seen + skip + 2
                chunk.index = pd.RangeIndex(begin, begin + len(chunk))
                seen += len(chunk)
                if len(chunk) > first:
                    yield chunk.iloc[first:]
        done = seen + skip
        if done != self.count:
            raise FileRefusedError(
                f"{self.count} rows were counted and {done} read: the file has misplaced line breaks."
                " Export it again."
            )


def _uneven(number: int, fields: int, columns: int) -> str:
    return (
        f"Row {number} has {fields} fields where the header has {columns}: the file was cut off or changed by hand."
        " Export it again."
    )


@contextmanager
def _quotes_in_place() -> Iterator[None]:
    try:
        yield
    except (csv.Error, pd.errors.ParserError):
        raise FileRefusedError(
            "A quotation mark is not in its place: the file was cut off or changed by hand. Export it again."
        ) from None


class _OwnPlace(io.RawIOBase):
    """Reads a file that others read as well, each from where it stopped itself."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._place = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._place)
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)


@dataclass(frozen=True)
class Text:
    """The lines of a file; ``skip`` of them are above the table."""

    file: BinaryIO
    encoding: str
    skip: int = 0

    @contextmanager
    def opened(self) -> Iterator[io.TextIOWrapper]:
        """The text, from the start of the table; several may be open at a time, and the file stays open."""
        own = io.BufferedReader(_OwnPlace(self.file), _BUFFER)
        with io.TextIOWrapper(own, self.encoding, newline="") as text:
            for _ in range(self.skip):
                text.readline()
            yield text

    def lines(self) -> Iterator[str]:
        try:
            with self.opened() as text:
                for line in iter(partial(text.readline, LONGEST_LINE), ""):
                    if len(line) == LONGEST_LINE:
                        raise FileRefusedError(
                            f"A line is longer than {LONGEST_LINE:,} characters, so the file is not an export."
                            " Export it again."
                        )
                    if "\x00" in line:
                        raise FileRefusedError(
                            "The file holds bytes that are not text. Export it again as CSV UTF-8."
                        )
                    yield line
        except UnicodeDecodeError:
            # Never a guess: a wrong encoding would garble names and labels.
            raise OtherEncodingError(
                "The file is not in UTF-8 or UTF-16. Choose UTF-8 when you export it, or have its encoding stated in the"
                " settings (`cp1252` for most Windows programs)."
            ) from None


def read_table(content: bytes) -> Table:
    """The table in a file that is already in memory."""
    return table_in(io.BytesIO(content))


def text_in(file: BinaryIO, encoding: str | None = None) -> Text:
    """The text of an open file, by its byte-order mark, else strict UTF-8 or the encoding given.

    Raises:
        FileRefusedError: it is empty, or a web page.
        OtherEncodingError: it is in another encoding.
    """
    file.seek(0)
    start = file.read(4)
    marked = next((name for mark, name in _BOMS.items() if start.startswith(mark)), None)
    text = Text(file, marked or encoding or "utf-8")
    _require_text(text)
    return text


def numbered_records(text: Text, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Rows that are not blank, of any width, each with the number of lines above it.

    Raises:
        csv.Error: a quotation mark is not in its place.
        FileRefusedError: a line is too long or holds no text.
    """
    return _numbered(text, delimiter)


def _require_text(text: Text) -> str:
    """The first line that is not blank."""
    first = next((line for line in text.lines() if line.strip()), "")
    if not first:
        raise FileRefusedError("The file is empty. Export it again.")
    if first.lstrip()[:1] == "<":
        raise FileRefusedError(
            "The file is a web page, such as a login page, and not an export. Sign in and export again."
        )
    return first


def table_in(file: BinaryIO, fallback: str | None = None) -> Table:
    """The table in an open file, which must stay open while rows are read.

    Args:
        fallback: encoding of files without a byte-order mark that are not in UTF-8, if configured.

    Raises:
        FileRefusedError: empty, a web page, an unknown encoding, cut off, an open quote, or no rows.
    """
    file.seek(0)
    start = file.read(4)
    encoding = next((name for mark, name in _BOMS.items() if start.startswith(mark)), "utf-8")
    try:
        return _table_of(Text(file, encoding))
    except OtherEncodingError:
        if fallback is None or encoding != "utf-8":
            raise
    return _table_of(Text(file, fallback))


def _table_of(text: Text) -> Table:
    first = _require_text(text)
    declared = None
    line = first.strip('\r\n"')  # not the tab that may follow
    if line.lower().startswith("sep=") and len(line) == 5:
        declared, text = line[4], replace(text, skip=1)
    try:
        delimiter, header, count = _measured(text, declared)
    except OtherEncodingError:
        raise
    except FileRefusedError:
        below = _below_titles(text, declared)
        if below is None:
            raise
        delimiter, header, count = _measured(below, declared)
        return replace(_table(below, delimiter, header, count), above=below.skip - text.skip)
    return _table(text, delimiter, header, count)


def is_title(row: Collection[str]) -> bool:
    """Whether a row holds as little as a title above a table: a text, or a label and its value."""
    return sum(bool(cell.strip()) for cell in row) <= _IN_TITLE


def _below_titles(text: Text, declared: str | None) -> Text | None:
    """The text without the rows above its table that hold fewer fields, as titles do; None if there are none."""
    found: dict[int, int] = {}  # lines above, by the width of the table
    for delimiter in declared or DELIMITERS:
        try:
            first = list(islice(_numbered(text, delimiter), MOST_TITLES + 1))
        except csv.Error:
            continue
        width = len(first[-1][0])
        titles = next(n for n, (row, _) in enumerate(first) if len(row) == width or not is_title(row))
        if titles and width > _IN_TITLE:
            found[width] = first[titles][1]
    return replace(text, skip=text.skip + found[max(found)]) if found else None


def comma_table_in(file: BinaryIO) -> Table:
    """The table in a file that this package wrote: UTF-8, separated by commas."""
    text = Text(file, "utf-8")
    header, count, fault = _scan(text, ",")
    if fault:
        raise FileRefusedError(fault)
    return _table(text, ",", header, count)


def _table(text: Text, delimiter: str, header: list[str], count: int) -> Table:
    if not count:
        raise NoRowsError("The file has a header but no rows. Export it again, or remove it.")
    encoding = _ENCODINGS.get(text.encoding, f"{text.encoding}, as set for files that are not in UTF-8")
    how = f"{encoding}, separated by {_NAMES.get(delimiter, repr(delimiter))}"
    return Table(_stripped(header), count, how, text, delimiter)


def _stripped(header: list[str]) -> list[str]:
    return [name.strip() for name in header]


def _measured(text: Text, declared: str | None) -> tuple[str, list[str], int]:
    """The delimiter that gives every row the same number of fields, more than one; the header; the rows."""
    fitting: dict[str, tuple[list[str], int]] = {}
    faults: dict[str, str] = {}
    widths: dict[str, int] = {}
    for delimiter in declared or DELIMITERS:
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


def _scan(text: Text, delimiter: str) -> tuple[list[str], int, str | None]:
    """The header, the number of rows up to the first fault, and the fault in words."""
    if text.encoding != "utf-16" and (rows := even_rows(text.file, text.encoding, delimiter, text.skip)):
        with suppress(csv.Error):  # the loop below says where
            first = next(_records(text, delimiter))
            _require_size(len(first), rows - 1)
            return first, rows - 1, None
    header: list[str] = []
    count = -1  # the header does not count
    until = time.monotonic() + TEXT.seconds
    try:
        for row in _records(text, delimiter):
            header = header or row
            count += 1
            _require_size(len(header), count)
            if time.monotonic() > until:
                raise FileRefusedError(
                    f"Reading the file took longer than {TEXT.seconds} seconds and was stopped. Export fewer rows"
                    " per file."
                )
            if len(header) == 1:
                return header, 0, None  # not this delimiter: no need to read on
            if len(row) != len(header):
                return (
                    header,
                    count,
                    _uneven(count + 1, len(row), len(header)),
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


def _require_size(columns: int, rows: int) -> None:
    if columns > TEXT.columns or rows > TEXT.rows or columns * rows > TEXT.cells:
        raise FileRefusedError(
            f"The file has more than {TEXT.columns:,} columns, {TEXT.rows:,} rows or {TEXT.cells:,} cells."
            " Export fewer columns, or fewer rows per file."
        )


def _records(text: Text, delimiter: str) -> Iterator[list[str]]:
    """Header and rows, without empty lines."""
    for row, _ in _numbered(text, delimiter):
        yield row


def _numbered(text: Text, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The same, each with the number of lines above it."""
    csv.field_size_limit(_LONGEST_FIELD)  # process-wide: other libraries raise it
    reader = csv.reader(text.lines(), delimiter=delimiter, strict=True)
    above = 0
    for row in reader:
        if len(row) > 1 or any(row):
            yield row, above
        above = reader.line_num
