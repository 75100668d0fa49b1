"""Numbers of rows, and the id of a version. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mel_pipeline.sources.workbook.model import Row, Rows, Version
from mel_pipeline.sources.workbook.sheets import ID, Sheet, sheets

_NUMBER = re.compile(r"[A-Z]-(\d+)")


def made(
    number: int, rows: Rows, next_numbers: Mapping[str, int], base: str | None = None, **about: Any
) -> Version:
    """A version with its id."""
    written = json.dumps([number, base, plain(rows)], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(written.encode()).hexdigest()[:12]
    return Version(number, digest, rows, next_numbers, base, **about)


def numbered(rows: Rows, taken: Mapping[str, int]) -> dict[str, tuple[Row, ...]]:
    """Every sheet, each row with all columns and a number, sorted by it."""
    done: dict[str, tuple[Row, ...]] = {}
    for name, sheet in sheets().items():
        found = rows.get(name, ())
        number = _next_number(sheet, found, taken)
        filled = []
        for row in found:
            given = row.get(ID)
            if not given:
                given, number = f"{sheet.prefix}-{number:04d}", number + 1
            filled.append({ID: given, **{key: row.get(key) or None for key in sheet.keys}})
        done[name] = tuple(sorted(filled, key=_place))
    return done


def next_numbers(rows: Rows, taken: Mapping[str, int]) -> dict[str, int]:
    return {name: _next_number(sheet, rows.get(name, ()), taken) for name, sheet in sheets().items()}


def _next_number(sheet: Sheet, rows: Sequence[Row], taken: Mapping[str, int]) -> int:
    used = [_place(row)[0] + 1 for row in rows if row.get(ID)]
    return max([taken.get(sheet.name, 1), *used])


def _place(row: Row) -> tuple[int, str]:
    written = str(row[ID])
    found = _NUMBER.fullmatch(written)
    return (int(found[1]) if found else 0, written)


def plain(rows: Rows) -> dict[str, list[dict[str, str]]]:
    """Without empty cells: a column that a later version adds changes no digest."""
    return {
        name: [{key: value for key, value in row.items() if value is not None} for row in found]
        for name, found in rows.items()
    }
