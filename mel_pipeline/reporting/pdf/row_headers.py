"""Mark the first cells of table rows as headers, so that a screen reader names the row of each number.

Typst 0.15 marks only column headers: its ``pdf.header-cell`` is behind a switch that the Python package does not
have. Once it does, remove this module.
"""

from __future__ import annotations

import re

from mel_pipeline.core.errors import ReportError

# Structure elements as Typst writes them; bodies refer to their rows, rows to their cells.
BODY = re.compile(rb"<</Type/StructElem/S/TBody/P \d+ 0 R/K\[([\d R]*)\]")
ROW = re.compile(rb"\n(\d+) 0 obj\n<</Type/StructElem/S/TR/P \d+ 0 R/K\[(\d+) 0 R")
CELL = re.compile(
    rb"(\n(\d+) 0 obj\n<</Type/StructElem/S/)TD(/P \d+ 0 R/A\[<</O/Table)(/Headers\[(?:\([^()]*\))*\])(>>)"
)
SCOPE = b"/Scope/Row"


def with_row_headers(content: bytes) -> bytes:
    """The PDF with a header cell in each body row of its tables. The length stays, so every object keeps its offset.

    Cells then find both headers by scope, so the lists of header cells, which name only columns, are removed.

    Raises:
        ReportError: the tables are not written as Typst 0.15 does.
    """
    rows = {number for body in BODY.finditer(content) for number in re.findall(rb"(\d+) 0 R", body[1])}
    first = {row[2] for row in ROW.finditer(content) if row[1] in rows}
    marked = set()

    def mark(cell: re.Match[bytes]) -> bytes:
        before, number, between, headers, after = cell.groups()
        if number not in first:
            return before + b"TD" + between + b" " * len(headers) + after
        marked.add(number)
        return before + b"TH" + between + SCOPE.ljust(len(headers)) + after

    made = CELL.sub(mark, content)
    if marked != first or len(first) != len(rows) or len(made) != len(content):
        raise ReportError(
            f"Marking the headers of table rows in the PDF: {len(marked)} of {len(rows)} rows were found."
            " Install the locked version of typst."
        )
    return made
