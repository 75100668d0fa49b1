"""What one file may cost: rows, columns, cells, bytes, memory, seconds. One place for every format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits for one file. The defaults are a workbook's: 200,000 rows of 50 columns stay within them."""

    rows: int = 500_000
    columns: int = 1_000  # exports with a column per choice have a few hundred
    cells: int = 10_000_000
    packed: int = 50 << 20  # bytes of the file
    expanded: int = 1 << 30  # bytes of all parts of a workbook, and of the CSV
    memory: int = 1 << 30
    seconds: int = 180


# Text is read row by row: memory stays flat, and a cell costs a fiftieth of one in a workbook.
TEXT = Limits(rows=10_000_000, cells=500_000_000, packed=2 << 30)
CELLS_A_FRAME = 4_000_000  # read at once
LONGEST_LINE = 16 << 20  # characters: 1,000 columns of a long text each
