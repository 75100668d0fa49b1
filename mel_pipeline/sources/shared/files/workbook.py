"""An Excel workbook as a table, read in a child process with limits on memory and time.

A workbook is XML in a zip: 5 KB can grow to gigabytes, or crash the process that reads it. So the child
(``workbook_child.py``) checks the archive and writes CSV, and a crash affects only the child.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from mel_pipeline.sources.shared.files.child import run_limited
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.table import FileRefusedError, NoRowsError, Table, comma_table_in

_HERE = Path(__file__).parent
_KINDS = {  # of a workbook: what it is called, and the script that reads it
    ".xlsx": ("an Excel workbook", _HERE / "workbook_child.py"),
    ".xls": ("an old Excel workbook (.xls)", _HERE / "spreadsheet_child.py"),
    ".ods": ("an OpenDocument spreadsheet (.ods)", _HERE / "spreadsheet_child.py"),
}
_AGAIN = "Export it again as CSV."


@contextmanager
def workbook_tables(
    file: BinaryIO, limits: Limits | None = None, kind: str = ".xlsx"
) -> Iterator[dict[str, Table]]:
    """The non-empty sheets of a workbook, by name, in order.

    Args:
        kind: of the workbook, by its content: `.xlsx`, `.xls` or `.ods`.

    Raises:
        FileRefusedError: it exceeds the limits, is not a plain workbook, or is damaged.
    """
    limits = limits or Limits()
    how, script = _KINDS[kind]
    if os.fstat(file.fileno()).st_size > limits.packed:
        raise FileRefusedError(
            f"The workbook is larger than {limits.packed >> 20} MB. Export it again as CSV."
        )
    with ExitStack() as opened:
        # These files have no names: nothing is left when the process is killed.
        csv: BinaryIO = opened.enter_context(tempfile.TemporaryFile())
        sheets = run_limited(script, file, csv, limits, "workbook", _AGAIN)
        tables = {}
        begun = 0
        for name, end in sheets:
            own = csv if len(sheets) == 1 else opened.enter_context(tempfile.TemporaryFile())
            if own is not csv:
                csv.seek(begun)
                own.write(csv.read(end - begun))
                begun = end
            with suppress(NoRowsError) if len(sheets) > 1 else nullcontext():
                tables[name] = replace(comma_table_in(own), how=how)
        yield tables
