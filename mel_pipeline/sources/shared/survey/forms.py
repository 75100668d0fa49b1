"""Exports of XLSForms (Kobo, ODK): group paths, choices in separate columns, map locations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from mel_pipeline.sources.shared.survey.headers import cells_of, in_words, questions_of
from mel_pipeline.sources.shared.survey.model import Builtin, Question, Sheet

_FLAGS = {"0", "1", "true", "false"}
_OFFSET = re.compile(r"\d(Z|[+-]\d{2}:?\d{2})$")
_VARIABLE = re.compile(r"[A-Za-z_][\w.]*")
_PLACE = re.compile(
    r"^_?(.+?)[_-](latitude|longitude|altitude|precision|Latitude|Longitude|Altitude|Accuracy)$"
)


def has_offset(sheet: Sheet, column: int, header_rows: int) -> bool:
    """Whether times of a column carry their own UTC offset; without one they are by the device's clock."""
    cells = cells_of(sheet, column, header_rows)
    return bool(cells) and all(_OFFSET.search(cell) for cell in cells)


def form_questions(
    sheet: Sheet, builtins: Mapping[str, Builtin], header_rows: int, separator: str
) -> list[Question]:
    """One question per column.

    Args:
        builtins: columns that the tool itself writes, by exact header.
        separator: between a group and its question. Between a question and its choice it is always `/`.
    """
    header = sheet.first_rows[0]
    names = set(header)
    choices = {
        column: whole
        for column, name in enumerate(header)
        if name not in builtins and (whole := _question_of(sheet, column, names, header_rows))
    }
    groups = _groups([name for column, name in enumerate(header) if column not in choices], separator)
    places = _places(header)
    found = []
    for column, question in enumerate(questions_of(header, {})):
        name = header[column]
        if builtin := builtins.get(name):
            found.append(replace(question, builtin=builtin))
        elif name in places:
            found.append(replace(question, builtin="personal"))
        elif whole := choices.get(column):
            text = _without_group(whole, groups, separator)
            found.append(replace(question, text=text, choice=in_words(name.removeprefix(f"{whole}/"))))
        elif name in choices.values():
            found.append(replace(question, text=_without_group(name, groups, separator), is_summary=True))
        else:
            found.append(replace(question, text=_without_group(name, groups, separator) or question.text))
    return found


def _question_of(sheet: Sheet, column: int, names: set[str], header_rows: int) -> str | None:
    """The question that a choice column belongs to: the longest other header it starts with, as labels contain `/`."""
    parts = sheet.first_rows[0][column].split("/")
    starts = ("/".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    whole = next((start for start in starts if start in names), None)
    if whole and {cell.lower() for cell in cells_of(sheet, column, header_rows)} <= _FLAGS:
        return whole
    return None


def _groups(names: list[str], separator: str) -> set[str]:
    """Paths that several questions share; a path of variables counts even with a single question."""
    shared: Counter[str] = Counter()
    alone: set[str] = set()
    for name in names:
        parts = name.split(separator)
        starts = [separator.join(parts[:count]) for count in range(1, len(parts))]
        shared.update(starts)
        if separator == "-" or all(_VARIABLE.fullmatch(part) for part in parts):
            alone.update(starts)
    return {path for path, count in shared.items() if count > 1} | alone


def _without_group(name: str, groups: set[str], separator: str) -> str:
    parts = name.split(separator)
    for count in range(len(parts) - 1, 0, -1):
        if separator.join(parts[:count]) in groups and parts[count].strip():
            return in_words(separator.join(parts[count:]))
    return in_words(name)


def _places(header: list[str]) -> set[str]:
    """Columns of map locations: where a respondent was is personal."""
    names = set(header)
    found: set[str] = set()
    for name in header:
        head, _, last = name.rpartition("/")
        if match := _PLACE.match(last):
            whole = f"{head}/{match[1]}" if head else match[1]
            kin = {f"_{match[1]}_latitude", f"{head}/_{match[1]}_latitude", f"{whole}-Latitude"}
            if whole in names or kin & names:
                found |= {name, whole}
    return found
