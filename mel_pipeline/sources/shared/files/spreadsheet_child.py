"""An .xls or .ods workbook on stdin, its non-empty sheets as CSV on stdout. Run by workbook.py, never imported.

python-calamine reads both, but loses what a cell in error says and formulas that have no result: such a workbook is
refused before it is read. Exit codes and stderr as in ``workbook_child.py``, whose limits apply.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO

_OLE = b"\xd0\xcf\x11\xe0"
_ERRORS = rb"[\x00\x07\x0f\x17\x1d\x24\x2a]"  # #NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A
_XLS_ERROR = re.compile(  # a BOOLERR record that is an error, or a FORMULA record with one as its result
    rb"\x05\x02\x08\x00.{6}" + _ERRORS + rb"\x01|\x06\x00.{2}.{6}\x02." + _ERRORS + rb".{3}\xff\xff",
    re.DOTALL,
)
_ODS_ERROR = re.compile(
    rb'calcext:value-type="error"|<text:p>(#N/A|#REF!|#VALUE!|#DIV/0!|#NAME\?|#NUM!|Err:\d+)</text:p>'
)
_ODS_FORMULA = re.compile(rb"<table:table-cell\b[^<>]*\btable:formula=[^<>]*>")
_MACROS = re.compile(rb"^(Basic|Scripts)/", re.IGNORECASE)
_LONGEST_TAG = 1 << 16

_spec = importlib.util.spec_from_file_location(
    "workbook_child", Path(__file__).with_name("workbook_child.py")
)
assert _spec is not None and _spec.loader is not None  # noqa: S101 - the file is beside this one
workbook_child = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(workbook_child)
RefusedError = workbook_child.RefusedError


def convert(file: BinaryIO, out: BinaryIO, limits: dict[str, int]) -> list[tuple[str, int]]:
    """Every visible non-empty sheet, with where its rows end.

    Raises:
        RefusedError: it exceeds the limits, or holds what would be lost.
    """
    file.seek(0)  # the handle is shared, and its place with it
    content = file.read()
    if content.startswith(_OLE):
        workbook_child.bound_by(len(content), limits)
        _require(not _XLS_ERROR.search(content), _CELL_IN_ERROR)
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            workbook_child.bound_by(_check_ods(archive, limits["expanded"]), limits)
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_object(io.BytesIO(content))
    except PasswordError:
        raise RefusedError(
            "The workbook is locked with a password. Save it without one, or export it again as CSV."
        ) from None
    found = []
    cells = 0
    for sheet in workbook.sheets_metadata:
        if sheet.visible != SheetVisibleEnum.Visible or sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        table = workbook.get_sheet_by_name(sheet.name)
        cells += table.height * table.width
        _require(
            table.height <= limits["rows"] and table.width <= limits["columns"] and cells <= limits["cells"],
            f"The workbook has more than {limits['rows']:,} rows, {limits['columns']:,} columns or"
            f" {limits['cells']:,} cells, empty ones included. Delete what is empty, or export it again as CSV.",
        )
        rows = _rows(table)
        if (first := next(filter(None, rows), None)) is not None:
            workbook_child.write_rows(_again(first, rows), out)
            found.append((str(sheet.name), out.tell()))
    _require(bool(found), "The workbook is empty. Export it again.")
    return found


_CELL_IN_ERROR = (
    "The workbook holds cells in error, such as #N/A. Mend or empty them and save it again, or export it again"
    " as CSV."
)


def _check_ods(archive: zipfile.ZipFile, expanded: int) -> int:
    """Check the archive by its table of contents, then the sheets as text; returns the bytes it unpacks to."""
    parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    names = [part.filename for part in parts]
    _require(
        len(parts) <= workbook_child.MOST_PARTS and size <= expanded,
        f"The workbook unpacks to more than {expanded >> 20} MB or {workbook_child.MOST_PARTS:,} parts."
        " An export is smaller. Export it again as CSV.",
    )
    _require(
        len(set(names)) == len(names)
        and not any(name.startswith("/") or ".." in name.split("/") for name in names),
        "The workbook holds parts with the same name, or with a path that leads out of it."
        " No spreadsheet program writes that. Export it again.",
    )
    locked = b"manifest:encryption-data" in _part(archive, "META-INF/manifest.xml")
    _require(
        not locked and not any(part.flag_bits & 1 for part in parts),
        "The workbook is locked with a password. Save it without one, or export it again as CSV.",
    )
    _require(
        not any(_MACROS.match(name.encode()) for name in names),
        "The workbook holds macros. Save it without them, or export it as CSV.",
    )
    tail = b""
    with archive.open("content.xml") as file:
        while chunk := file.read(1 << 20):
            text = tail + chunk
            _require(b"<!ENTITY" not in text, "The workbook is no plain spreadsheet. Export it again as CSV.")
            _require(not _ODS_ERROR.search(text), _CELL_IN_ERROR)
            _require(
                all(b"value-type=" in cell for cell in _ODS_FORMULA.findall(text)),
                "The workbook holds formulas that were never calculated. Open it, save it again, or export it as CSV.",
            )
            tail = text[text.rfind(b"<", len(text) - _LONGEST_TAG if len(text) > _LONGEST_TAG else 0) :]
    return size


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        return b""


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RefusedError(otherwise)


def _rows(table: Any) -> Iterator[list[str]]:
    for cells in table.iter_rows():
        row = [text_of(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        yield row


def _again(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def text_of(value: Any) -> str:
    """A cell as the CSV export would have it: ISO dates, plain numbers, true and false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(workbook_child.number_text(value))
    if isinstance(value, datetime):
        moment = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        return moment.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


if __name__ == "__main__":
    sys.exit(workbook_child.run(json.loads(sys.argv[1]), convert))
