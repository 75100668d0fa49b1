"""From bytes of an export to a header and rows: encoding, delimiter, shape. Pure; nothing of a survey here."""

from __future__ import annotations

import csv
from dataclasses import dataclass

MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
DELIMITERS = (",", ";", "\t", "|")


class UnreadableExport(Exception):
    """A file that cannot be read as a whole; the message says what was seen and what to do."""


@dataclass(frozen=True)
class Table:
    header: list[str]
    rows: list[tuple[int, list[str]]]  # line number in the file where the row ends, cells


def read_table(content: bytes) -> Table:
    """Header and rows of a CSV export.

    Raises:
        UnreadableExport: empty, not text, a web page, no constant number of columns, an open quote.
    """
    if not content.strip():
        raise UnreadableExport("The file is empty. Export it again.")
    text = _decoded(content)
    if text.lstrip()[:1] == "<":
        raise UnreadableExport("This is a web page saved under the name of an export, often a login page. Export it again.")
    first_line, _, rest = text.partition("\n")
    declared = first_line.strip().lower().startswith("sep=")
    delimiters = (first_line.strip()[4:5],) if declared else DELIMITERS
    body = rest if declared else text
    rows = _split(body, delimiters)
    header = [cell.strip() for cell in rows[0][1]]
    if len(rows) == 1:
        raise UnreadableExport("There is a header but not one response. If the survey has answers, export it again.")
    short = next((line for line, cells in rows[1:] if len(cells) != len(header)), None)
    if short is not None:
        raise UnreadableExport(f"Line {short} does not have the {len(header)} columns of the header: the file is cut off or damaged. Export it again.")
    return Table(header, rows[1:])


def _decoded(content: bytes) -> str:
    """A byte order mark decides, then strict UTF-8; anything else is refused rather than guessed."""
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableExport(f"Byte {error.start:,} is not {encoding.upper()}. Export the file as CSV in UTF-8.") from None


def _split(text: str, delimiters: tuple[str, ...]) -> list[tuple[int, list[str]]]:
    """The delimiter under which the most rows have the header's number of columns, two at least."""
    best: tuple[float, int, list[tuple[int, list[str]]]] | None = None
    fault = "No delimiter gives two columns or more: this is not a survey export."
    for delimiter in delimiters:
        try:
            reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
            rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
        except csv.Error as error:
            fault = f"A quotation mark is opened and not closed ({error}): the file is cut off. Export it again."
            continue
        width = len(rows[0][1])
        fitting = sum(len(cells) == width for _, cells in rows) / len(rows)
        if width > 1 and (best is None or (fitting, width) > best[:2]):
            best = (fitting, width, rows)
    if best is None:
        raise UnreadableExport(fault)
    return best[2]
