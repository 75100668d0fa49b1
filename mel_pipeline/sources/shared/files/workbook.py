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

_CHILD = Path(__file__).with_name("workbook_child.py")
<<<<<<< HEAD
_AGAIN = "Export it again as CSV."
=======
_REFUSED, _NO_MEMORY, _TOO_LONG = 3, 4, 6  # exit codes of the child
>>>>>>> main


@contextmanager
def workbook_tables(file: BinaryIO, limits: Limits | None = None) -> Iterator[dict[str, Table]]:
    """The non-empty sheets of a workbook, by name, in order.

    Raises:
        FileRefusedError: it exceeds the limits, is not a plain workbook, or is damaged.
    """
    limits = limits or Limits()
    if os.fstat(file.fileno()).st_size > limits.packed:
        raise FileRefusedError(
            f"The workbook is larger than {limits.packed >> 20} MB. Export it again as CSV."
        )
    with ExitStack() as opened:
        # These files have no names: nothing is left when the process is killed.
        csv: BinaryIO = opened.enter_context(tempfile.TemporaryFile())
        sheets = run_limited(_CHILD, file, csv, limits, "workbook", _AGAIN)
        tables = {}
        begun = 0
        for name, end in sheets:
            own = csv if len(sheets) == 1 else opened.enter_context(tempfile.TemporaryFile())
            if own is not csv:
                csv.seek(begun)
                own.write(csv.read(end - begun))
                begun = end
            with suppress(NoRowsError) if len(sheets) > 1 else nullcontext():
                tables[name] = replace(comma_table_in(own), how="an Excel workbook")
        yield tables
<<<<<<< HEAD
=======


def _convert(file: BinaryIO, csv: BinaryIO, limits: Limits) -> list[tuple[str, int]]:
    """Name of each sheet, and where it ends in the CSV."""
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the file is passed as a handle
            [sys.executable, "-I", str(_CHILD), json.dumps(asdict(limits))],
            stdin=file,
            stdout=csv,
            stderr=subprocess.PIPE,
            timeout=limits.seconds,
            env={},  # the process that reads an untrusted file gets no secrets
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FileRefusedError(
            f"Reading the workbook took longer than {limits.seconds} seconds and was stopped."
            " Export it again as CSV."
        ) from None
    if done.returncode == _REFUSED:
        raise FileRefusedError(done.stderr.decode("utf-8", "replace").strip())
    if done.returncode == -signal.SIGXCPU:
        raise FileRefusedError(
            "Reading the workbook took longer than a workbook of its size may take and was stopped."
            " Export it again as CSV."
        )
    if done.returncode == _TOO_LONG:
        raise FileRefusedError(
            "The text of the workbook is much longer than the workbook itself, because cells repeat long texts."
            " Export it again as CSV."
        )
    if done.returncode == _NO_MEMORY:
        raise FileRefusedError(
            f"The workbook needs more than {limits.memory >> 20} MB of memory. Export it again as CSV."
        )
    if done.returncode:
        raise FileRefusedError(
            "The workbook is damaged and cannot be read. Export it again, as CSV if it happens again."
        )
    return [(str(name), int(end)) for name, end in json.loads(done.stderr)]
>>>>>>> main
