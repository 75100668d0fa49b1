"""The figures of 2024 as a frame, from the list of the annual report, for tests that need no pipeline."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.factcheck import Published
from mel_pipeline.factcheck.languages import own_words
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline.transform.catalogue.frames import catalogue_frames
from mel_pipeline.transform.catalogue.translations import with_translations

TESTS = Path(__file__).parents[1]
SQL = TESTS.parent / "dbt_like_sql"
# Figures that are not in the list and may be used in a draft.
MORE = [
    ("RCH-01", "account=Instagram avantia", "value", 875_412),
    ("RCH-01", "total", "value", 2_195_095),
    ("RCH-02", "total", "value", 32_821),
    ("GEN-01", "gender=Woman", "value", 54),
    ("GEN-02", "gender=Woman", "value", 50),
    ("GEN-03", "gender=Undisclosed", "denominator", 23),
    ("GEN-03", "gender=Woman", "value", 1600 / 23),
    ("GEN-03", "gender=Man", "value", 700 / 23),
    ("SAT-01", "total", "value", 4.2727),
    ("SAT-02", "total", "value", 86.696),
    ("SAT-04", "total", "value", 40.268),
    ("RCH-03", "total", "value", 32.645),
]  # fmt: skip
WITHHELD = [("GEN-02", "gender=Man")]
NOT_AVAILABLE = [("RCH-06", "total")]


def figures_2024(version: int | None = 1) -> pd.DataFrame:
    """One row per cell, as in ``released_figures``; ``version`` None: not published."""
    parts: dict[tuple[str, str], dict[str, float]] = {}
    rows = csv.DictReader((TESTS / "backtests" / "annual_report_2024.csv").read_text("utf-8").splitlines())
    listed = [
        (row["indicator_id"], row["disaggregation"], row["column"], float(row["expected"])) for row in rows
    ]
    for indicator, cell, part, value in (*listed, *MORE):
        parts.setdefault((indicator, cell), {})[part] = float(value)
    frame = [_row(indicator, cell, "ok", found) for (indicator, cell), found in parts.items()]
    frame += [_row(indicator, cell, "suppressed", {}) for indicator, cell in WITHHELD]
    frame += [_row(indicator, cell, "not_available", {}) for indicator, cell in NOT_AVAILABLE]
    return pd.DataFrame(frame).assign(version=version)


def _row(indicator: str, cell: str, status: str, found: dict[str, float]) -> dict[str, object]:
    dimension, _, category = cell.partition("=")
    return {
        "indicator_id": indicator,
        "period": "2024",
        "disaggregation": cell,
        "dimension": dimension,
        "category": category or None,
        "status": status,
        **{part: found.get(part) for part in ("value", "numerator", "denominator", "n")},
    }


def published_2024(version: int | None = 1) -> Published:
    catalogue = load_catalogue(SQL)
    regions = {("region", item.name.en): list(item.name.by_language.values()) for item in catalogue.regions}
    frames = catalogue_frames(catalogue)
    return Published(
        figures_2024(version),
        with_translations(frames["indicators"], frames["translations"], "indicator", "indicator_id"),
        regions,
        tuple(item.name.en for item in catalogue.campaigns),
        "Metropolis",
        own_words(EXAMPLE),
    )
