"""A form that came back on stdin, its cells as JSON on stdout. Run by read.py in a process with limits, never imported.

Unlike the reader of exports it keeps where every cell is, which cells are merged, and what is in error: a refusal names
the cell. Exit codes and stderr as in ``sources/shared/files/workbook_child.py``, whose checks it uses.

stdout: a list of sheets, each ``{"name", "cells": [[row, column, kind, text], …], "merged": [[row, column, row, column],
…]}``, numbered from 1. Kinds: s text, n number, p percentage, d date, b true or false, e error, f formula never calculated.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO

_FILES = Path(__file__).parents[1] / "shared" / "files"
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\b[^>]*\bref\s*=\s*["']([A-Z]+)(\d+):([A-Z]+)(\d+)["']""")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NS = {
    "office": "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}",
    "table": "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}",
    "text": "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}",
    "calcext": "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}",
}
_MOST_CELLS = 1_000_000
_FIRST = datetime(1899, 12, 30)  # noqa: DTZ001 - a day of spreadsheets, which know no zone


def _module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, _FILES / f"{name}.py")
    assert spec is not None and spec.loader is not None  # noqa: S101 - the file is in this package
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


workbook_child = _module("workbook_child")
RefusedError = workbook_child.RefusedError


def convert(file: BinaryIO, out: BinaryIO, limits: dict[str, int]) -> list[tuple[str, int]]:
    """Every sheet with its cells.

    Raises:
        RefusedError: it exceeds the limits, or no spreadsheet program writes it.
    """
    file.seek(0)
    content = file.read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if _OPEN_DOCUMENT in content[:300]:
            _check_ods(archive, limits)
            sheets = list(_ods_sheets(archive))
        else:
            workbook_child.bound_by(
                workbook_child.check_parts(archive.infolist(), limits["expanded"]), limits
            )
            workbook_child.check_cells(archive, limits, formulas=False)
            sheets = list(_xlsx_sheets(content, archive, limits))
    out.write(json.dumps(sheets, ensure_ascii=False).encode())
    return [("workbook", out.tell())]


def _xlsx_sheets(
    content: bytes, archive: zipfile.ZipFile, limits: dict[str, int]
) -> Iterator[dict[str, Any]]:
    sys.modules["numpy"] = sys.modules["lxml"] = None  # type: ignore[assignment] # not needed, and large
    from openpyxl import DEFUSEDXML, load_workbook

    if not DEFUSEDXML:
        raise RefusedError(
            "The package defusedxml is missing; workbooks are not read without it. Install it."
        )
    workbook_child.bound_parser(limits)
    _note_uncalculated()
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # the size a file claims cannot be trusted
        cells = [
            [cell.row, cell.column, *found]
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None and (found := _xlsx_cell(cell)) is not None
        ]
        part = archive.read(sheet._worksheet_path)
        merged = [
            [int(row), _number(column), int(last_row), _number(last_column)]
            for column, row, last_column, last_row in _MERGED.findall(part)
        ]
        yield {"name": str(sheet.title), "cells": cells, "merged": merged}


def _note_uncalculated() -> None:
    """Give a formula that has no result a value of its own: openpyxl reads it as an empty cell."""
    from openpyxl.worksheet import _reader

    if getattr(_reader.WorkSheetParser.parse_cell, "notes", False):
        return
    parse_cell = _reader.WorkSheetParser.parse_cell

    def parse(parser: Any, element: Any) -> Any:
        cell = parse_cell(parser, element)
        is_formula = element.find(_reader.FORMULA_TAG) is not None
        if is_formula and element.get("t") != "str" and not element.findtext(_reader.VALUE_TAG):
            return {**cell, "data_type": "uncalculated", "value": "="}
        return cell

    parse.notes = True  # type: ignore[attr-defined]
    _reader.WorkSheetParser.parse_cell = parse


def _xlsx_cell(cell: Any) -> tuple[str, str] | None:
    """Kind and text; None for an empty one."""
    value = cell.value
    if cell.data_type == "uncalculated":
        return "f", ""
    if cell.data_type == "e":
        return "e", str(value)
    if isinstance(value, bool):
        return "b", "true" if value else "false"
    if isinstance(value, int | float):
        return "p" if "%" in (cell.number_format or "") else "n", _digits(value)
    if isinstance(value, datetime | date | time | timedelta):
        return "d", _moment(value)
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(value))
    return ("s", text) if text.strip() else None


def _digits(value: float) -> str:
    return str(value) if isinstance(value, int) else str(workbook_child.number_text(value))


def _moment(value: datetime | date | time | timedelta) -> str:
    """An ISO time, to the second; a length of time as the moment since the first day that spreadsheets know."""
    if isinstance(value, timedelta):
        value = _FIRST + value
    if isinstance(value, time):
        value = datetime.combine(_FIRST.date(), value)
    if isinstance(value, datetime):
        value = (value + timedelta(milliseconds=500)).replace(microsecond=0, tzinfo=None)
    return value.isoformat()


def _number(letters: bytes) -> int:
    return int(workbook_child._number(letters))


def _check_ods(archive: zipfile.ZipFile, limits: dict[str, int]) -> None:
    parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    names = [part.filename for part in parts]
    if len(parts) > workbook_child.MOST_PARTS or size > limits["expanded"]:
        raise RefusedError("The workbook unpacks to more than a form does. Copy your rows into a new form.")
    if len(set(names)) != len(names) or any(
        name.startswith("/") or ".." in name.split("/") for name in names
    ):
        raise RefusedError("The workbook holds parts that no spreadsheet program writes. Save it again.")
    manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
    if b"manifest:encryption-data" in manifest or any(part.flag_bits & 1 for part in parts):
        raise RefusedError("The workbook is locked with a password. Save it without one.")
    if any(re.match(r"(Basic|Scripts)/", name, re.IGNORECASE) for name in names):
        raise RefusedError("The workbook holds macros. Save it without them.")
    workbook_child.bound_by(size, limits)


def _ods_sheets(archive: zipfile.ZipFile) -> Iterator[dict[str, Any]]:
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    budget = _MOST_CELLS
    with archive.open("content.xml") as file:
        for _, element in iterparse(file, events=("end",), forbid_dtd=True):
            if element.tag == f"{_NS['table']}table":
                sheet = _ods_sheet(element)
                budget -= len(sheet["cells"])
                if budget < 0:
                    raise RefusedError(
                        f"The workbook has more than {_MOST_CELLS:,} cells. Remove what is not yours."
                    )
                yield sheet
                element.clear()


def _ods_sheet(table: Any) -> dict[str, Any]:
    ns = _NS["table"]
    cells: list[list[Any]] = []
    merged: list[list[int]] = []
    number = 1
    for row in table.iter(f"{ns}table-row"):
        times = int(row.get(f"{ns}number-rows-repeated", "1"))
        found = list(_ods_row(row))
        for offset in range(min(times, 1000) if found else 0):
            for column, cell, across, down in found:
                if cell is not None:
                    cells.append([number + offset, column, *cell])
                if (across, down) != (1, 1):
                    merged.append([number + offset, column, number + offset + down - 1, column + across - 1])
            if len(cells) > _MOST_CELLS:
                raise RefusedError(
                    f"The workbook has more than {_MOST_CELLS:,} cells. Remove what is not yours."
                )
        number += times
    return {"name": table.get(f"{ns}name", ""), "cells": cells, "merged": merged}


def _ods_row(row: Any) -> Iterator[tuple[int, tuple[str, str] | None, int, int]]:
    """Column, kind and text, and how many columns and rows a merged cell covers; of cells with something in them."""
    ns = _NS["table"]
    column = 1
    for cell in row:
        if cell.tag not in (f"{ns}table-cell", f"{ns}covered-table-cell"):
            continue
        times = int(cell.get(f"{ns}number-columns-repeated", "1"))
        found = _ods_cell(cell)
        across, down = (int(cell.get(f"{ns}number-{what}-spanned", "1")) for what in ("columns", "rows"))
        if found is not None or (across, down) != (1, 1):
            for offset in range(min(times, 1000)):
                yield column + offset, found, across, down
        column += times


def _ods_cell(cell: Any) -> tuple[str, str] | None:  # noqa: PLR0911 - one return a kind of value
    office = _NS["office"]
    kind = cell.get(f"{office}value-type")
    formula = cell.get(f"{_NS['table']}formula")
    if cell.get(f"{_NS['calcext']}value-type") == "error":
        return "e", _ods_text(cell)
    if kind is None:
        return ("f", "") if formula else None
    if kind in ("float", "currency", "percentage"):
        number = _digits(float(cell.get(f"{office}value", "nan")))
        return "p" if kind == "percentage" else "n", number
    if kind == "date":
        with suppress(ValueError):
            return "d", _moment(datetime.fromisoformat(cell.get(f"{office}date-value", "")))
        return "s", cell.get(f"{office}date-value", "")
    if kind == "time":
        return "d", _FIRST.isoformat()
    if kind == "boolean":
        return "b", cell.get(f"{office}boolean-value", "")
    text = _ods_text(cell)
    return ("s", text) if text.strip() else None


def _ods_text(cell: Any) -> str:
    """Its paragraphs, without those of a note."""
    return "\n".join(_inside(part) for part in cell if part.tag == f"{_NS['text']}p")


def _inside(part: Any) -> str:
    text, office = _NS["text"], _NS["office"]
    found = part.text or ""
    for child in part:
        if child.tag == f"{text}s":
            found += " " * min(int(child.get(f"{text}c", "1")), 1000)
        elif child.tag == f"{text}line-break":
            found += "\n"
        elif child.tag == f"{text}tab":
            found += "\t"
        elif child.tag != f"{office}annotation":
            found += _inside(child)
        found += child.tail or ""
    return found


if __name__ == "__main__":
    sys.exit(workbook_child.run(json.loads(sys.argv[1]), convert))
