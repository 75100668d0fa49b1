"""Open a dropped file by its content, whatever its extension."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.files.folder import DropFile
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.table import FileRefusedError, Table, table_in
from mel_pipeline.sources.shared.files.workbook import workbook_tables

ARCHIVE, OLD_OFFICE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"  # the first part, never packed
_BOOK = "Workbook".encode("utf-16-le")  # a stream of this name holds an .xls of Excel 97 or later
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a stream of this name holds a workbook with a password


@contextmanager
def open_tables(file: DropFile, fallback: str | None = None) -> Iterator[dict[str, Table]]:
    """The tables in a dropped file: the non-empty sheets of a workbook by name, else its one table.

    Their rows can be read only inside the ``with`` block.

    Args:
        fallback: encoding of text files that are not in UTF-8, if configured.

    Raises:
        FileRefusedError: it cannot be read, or is not a table.
        TransientSourceError: it changed while it was being read.
    """
    with file.open() as opened:
        start = opened.read(4)
        if start == _PDF:
            raise FileRefusedError("The file is a PDF. Export it again as CSV or XLSX.")
        if start in (ARCHIVE, OLD_OFFICE):
            # An .xls may say what it holds anywhere; how large it may be is checked when it is read.
            kind = _kind(start + opened.read(200 if start == ARCHIVE else Limits().packed))
            opened.seek(0)
            with workbook_tables(opened, kind=kind) as tables:
                yield tables
        else:
            yield {file.name: table_in(opened, fallback)}
        if not file.is_unchanged:
            raise TransientSourceError(
                f"{file.name}: the file changed while it was being read. Nothing was stored."
                " Run the load again when it is complete."
            )


@contextmanager
def open_table(file: DropFile, fallback: str | None = None) -> Iterator[Table]:
    """The same for a file that must hold a single table."""
    with open_tables(file, fallback) as tables:
        if len(tables) != 1:
            raise FileRefusedError(
                f"The workbook has {len(tables)} sheets with data. Keep one sheet per file, or export it as CSV."
            )
        yield next(iter(tables.values()))


def _kind(start: bytes) -> str:
    """Which kind of workbook a file is, by its first bytes."""
    if start.startswith(ARCHIVE):
        return ".ods" if _OPEN_DOCUMENT in start[:200] else ".xlsx"
    if _ENCRYPTED in start:
        raise FileRefusedError(
            "The workbook is locked with a password. Save it without one, or export it again as CSV."
        )
    if _BOOK not in start:
        raise FileRefusedError(
            "The file is an old Office file, and no old Excel workbook (.xls) that can be read. Save it as .xlsx,"
            " or export it again as CSV."
        )
    return ".xls"
