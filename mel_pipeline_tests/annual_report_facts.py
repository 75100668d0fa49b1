"""Write ``docs/annual-report-facts.md``: every fact of the annual report of 2024 with indicator, source and value.

``python -m mel_pipeline_tests.annual_report_facts > docs/annual-report-facts.md``
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "backtests"
HEAD = """# The facts of the annual report 2024

Generated from `mel_pipeline_tests/backtests/annual_report_facts.yml` by `make docs`. A value here is reproduced by a test from the
data of the sample organisation (`test_annual_report_2024.py`); shares are in percent, amounts in euro. {known} of the {all} facts have
a figure. The others say what is missing.

| Fact | Section | Indicator | Value in 2024 | Where it comes from |
|---|---|---|---|---|
"""


def facts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / "annual_report_facts.yml").read_text("utf-8"))
    return found


def published() -> dict[tuple[str, str], list[dict[str, str]]]:
    """Rows of the backtest, by indicator and cell."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in csv.DictReader((FOLDER / "annual_report_2024.csv").read_text("utf-8").splitlines()):
        found.setdefault((row["indicator_id"], row["disaggregation"]), []).append(row)
    return found


def page() -> str:
    rows = published()
    listed = facts()
    known = sum(bool(fact.get("cells")) for fact in listed)
    return HEAD.format(known=known, all=len(listed)) + "".join(_line(fact, rows) for fact in listed)


def _line(fact: dict[str, Any], rows: dict[tuple[str, str], list[dict[str, str]]]) -> str:
    if "missing" in fact:
        return f"| {fact['fact']} | {fact['section']} | – | not yet | {fact['missing']} |\n"
    cells = {fact["indicator"]: fact["cells"], **fact.get("also", {})}
    values = [
        _value(code, cell, row, alone=len(cells) == 1)
        for code, names in cells.items()
        for cell in names
        for row in rows[code, cell]
    ]
    codes = ", ".join(
        f"[{code}](indicators.md#{code.lower()})" if _is_calculated(code) else code for code in cells
    )
    where = f"{fact['where']}. {fact['note']}" if "note" in fact else f"{fact['where']}."
    return f"| {fact['fact']} | {fact['section']} | {codes} | {'; '.join(values) or '–'} | {where} |\n"


def _value(code: str, cell: str, row: dict[str, str], *, alone: bool) -> str:
    number = f"{float(row['expected']):,.0f}"
    names = [*([] if alone else [code]), *([] if cell == "total" else [cell.split("=", 1)[1]])]
    names += [] if row["column"] == "value" else [row["column"]]
    return f"{number} ({', '.join(names)})" if names else number


def _is_calculated(code: str) -> bool:
    models = Path(__file__).parents[1] / "dbt_like_sql" / "models" / "marts" / "indicators"
    return (models / f"ind_{code.lower().replace('-', '_')}.sql").is_file()


if __name__ == "__main__":
    sys.stdout.write(page())
