"""First cells of table rows marked as headers, so that a screen reader says whose number it reads.

Typst 0.15 marks headers of columns alone: its ``pdf.header-cell`` is behind a switch that the Python package does not
have. Once it does, this module goes.
"""

from __future__ import annotations

import re

from mel_pipeline.core.errors import ReportError

# Elements of the structure as Typst writes them; bodies name their rows, rows their cells.
BODY = re.compile(rb"<</Type/StructElem/S/TBody/P \d+ 0 R/K\[([\d R]*)\]")
ROW = re.compile(rb"\n(\d+) 0 obj\n<</Type/StructElem/S/TR/P \d+ 0 R/K\[(\d+) 0 R")
CELL = re.compile(
    rb"(\n(\d+) 0 obj\n<</Type/StructElem/S/)TD(/P \d+ 0 R/A\[<</O/Table)(/Headers\[(?:\([^()]*\))*\])(>>)"
)
SCOPE = b"/Scope/Row"


def with_row_headers(content: bytes) -> bytes:
    """The PDF whose tables have a header in each row of their body. As long as before: every object keeps its place.

    Cells then find both headers by their scopes, so that lists of header cells, which name columns alone, go.

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
