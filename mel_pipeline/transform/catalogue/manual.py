"""Indicators counted by hand: rows of the workbook become indicators like those of the SQL models. Pure.

A row that cannot be one is left out with a sentence: what people state never stops the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mel_pipeline.core.languages import CODE
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.transform.catalogue.models import Chart, Disclosure, Formula, Indicator, LineOfAction

Row = Mapping[str, str | None]
FIRST_POSITION = 10_000  # after every indicator of the SQL models
SHARES = ("percent", "score")


@dataclass(frozen=True)
class ManualIndicators:
    """Indicators in the order of their codes, their line of action, and rows that cannot be one, as sentences."""

    indicators: list[Indicator]
    lines: dict[str, int]
    refused: list[str]


def manual_indicators(rows: Iterable[Row], calculated: Iterable[Indicator]) -> ManualIndicators:
    """Read the sheet *Manual indicators*.

    Args:
        rows: columns as in the contract of the workbook.
        calculated: indicators of the SQL models; a code of theirs cannot be stated as well.
    """
    taken = {indicator.id for indicator in calculated}
    found: list[Indicator] = []
    lines: dict[str, int] = {}
    refused: list[str] = []
    for row in sorted(rows, key=lambda row: row.get("code") or ""):
        code = row.get("code") or "?"
        if code in taken:
            refused.append(f"Manual indicator {code}: the code is taken. Choose another in the workbook.")
            continue
        taken.add(code)
        try:
            found.append(_indicator(row, FIRST_POSITION + 10 * len(found)))
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'the row'}: {item['msg']}"
                for item in error.errors(include_input=False)
            )
            refused.append(f"Manual indicator {code}: {reasons}. Correct it in the workbook.")
            continue
        if line := row.get("line"):
            lines[code] = int(float(line))
    return ManualIndicators(found, lines, refused)


def with_manual(lines: list[LineOfAction], stated: Mapping[str, int]) -> list[LineOfAction]:
    """Lines of action, each with the stated indicators that belong to it."""
    return [
        line.model_copy(
            update={
                "indicators": [
                    *line.indicators,
                    *(code for code, number in stated.items() if number == line.number),
                ]
            }
        )
        for line in lines
    ]


def _indicator(row: Row, position: int) -> Indicator:
    unit, aggregation = row.get("unit") or "", row.get("aggregation") or ""
    denominator = row.get("denominator") or None
    is_share = aggregation == "ratio" or denominator is not None
    code = row.get("code") or ""
    disclosure = None
    if row.get("about_people") == "yes":
        group = f"stated_{code.lower().replace('-', '_')}"
        disclosure = Disclosure(group=group, people="denominator" if is_share else "numerator")
    owner = row.get("owner_role") or ""
    return Indicator.model_validate(
        {
            "id": code,
            "name": _by_language(row, "name"),
            "definition": _by_language(row, "definition"),
            "unit": unit,
            "formula": Formula(numerator=row.get("numerator") or "", denominator=denominator),
            "aggregation": aggregation,
            "direction": row.get("direction") or "",
            "disaggregations": [],
            "source": [_words()["source"]],
            "frequency": _words()["frequency"],
            "owner_role": owner,
            "limitations": _limitations(row),
            "decimals": 1 if is_share or unit in SHARES else 0,
            "position": position,
            "chart": Chart(kind="trend"),
            "interval": "chance" if unit in SHARES else None,
            "disclosure": disclosure,
            "level": row.get("level") or "unstated",
            "collection": "hand",
            "rationale": _words()["rationale"],
            "stated": True,
        }
    )


def _limitations(row: Row) -> dict[str, str]:
    """What is true of every figure counted by hand, then what its owner adds."""
    own = _by_language(row, "limitations")
    general: dict[str, str] = _words()["limitations"]
    added = {language: own.get(language) or own.get("en", "") for language in general}
    return {language: f"{text} {added[language]}".strip() for language, text in general.items()}


def _by_language(row: Row, name: str) -> dict[str, str]:
    """Texts of the columns ``name_en``, ``name_fr``; a language left empty is not there."""
    codes = [(column, column.removeprefix(f"{name}_")) for column in row if column.startswith(f"{name}_")]
    return {code: text for column, code in codes if CODE.fullmatch(code) and (text := row.get(column))}


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = yaml_file(Path(__file__).with_name("manual.yml"))
    return found
