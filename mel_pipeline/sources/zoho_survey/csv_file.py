"""The bytes of a CSV file as a table: encoding, delimiter, header, rows. No meaning of a column here."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass

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
    rows: list[list[str]]
    how: str


def read_table(content: bytes) -> Table:
    """Read a file.

    Raises:
        FileRefusedError: empty, a web page, an unknown encoding, cut off, an open quote, or no rows.
    """
    text, encoding = _decoded(content)
    if not text.strip():
        raise FileRefusedError("The file is empty. Export it again.")
    if text.lstrip()[:1] == "<":
        raise FileRefusedError(
            "The file is a web page, such as a login page, and not an export. Sign in and export again."
        )
    first, _, rest = text.partition("\n")
    declared = None
    line = first.strip('\r"')  # not the tab that may follow
    if line.lower().startswith("sep=") and len(line) == 5:
        declared, text = line[4], rest
    delimiter, rows = _split(text, declared)
    if len(rows) < 2:
        raise FileRefusedError("The file has a header but no responses. Export it again, or remove it.")
    header = [name.strip() for name in rows[0]]
    return Table(header, rows[1:], f"{encoding}, separated by {_NAMES.get(delimiter, repr(delimiter))}")


def _decoded(content: bytes) -> tuple[str, str]:
    """By byte order mark, else strict UTF-8. Never a guess: a wrong one would garble names and labels."""
    encoding = next((name for mark, name in _BOMS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefusedError(
            "The file is not in UTF-8 or UTF-16. Export it again as UTF-8 (in Excel: CSV UTF-8)."
        ) from None
    if "\x00" in text:
        raise FileRefusedError("The file holds bytes that are not text. Export it again as CSV UTF-8.")
    return text, "UTF-16" if encoding == "utf-16" else "UTF-8"


def _split(text: str, declared: str | None) -> tuple[str, list[list[str]]]:
    """The delimiter that gives every row the same number of fields, more than one; and the rows."""
    fitting: dict[str, list[list[str]]] = {}
    faults: dict[str, str] = {}
    widths: dict[str, int] = {}
    for delimiter in declared or _DELIMITERS:
        rows, fault = _rows(text, delimiter)
        widths[delimiter] = len(rows[0]) if rows else 0
        if fault:
            faults[delimiter] = fault
        elif widths[delimiter] > 1:
            fitting[delimiter] = rows
    if fitting:
        best = max(fitting, key=lambda delimiter: widths[delimiter])
        return best, fitting[best]
    likely = max(widths, key=lambda delimiter: widths[delimiter])
    single = "The file has a single column, so it is not a survey export. Export it again as CSV."
    raise FileRefusedError(faults.get(likely, single))


def _rows(text: str, delimiter: str) -> tuple[list[list[str]], str | None]:
    """The rows up to the first fault, and the fault in words."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if len(row) < 2 and not any(row):
                continue  # an empty line at the end
            rows.append(row)
            if len(row) != len(rows[0]):
                return rows, (
                    f"Row {len(rows)} has {len(row)} fields where the header has {len(rows[0])}:"
                    " the file was cut off or changed by hand. Export it again."
                )
    except csv.Error:
        return rows, (
            f"In row {len(rows) + 1} a quotation mark is opened and not closed in its place:"
            " the file was cut off or changed by hand. Export it again."
        )
    return rows, None
