"""The hand-written edition with the data of the overview pictures: regions, answers, platforms, leavers."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from mel_pipeline.publication.disclosure import Sensitivity
from mel_pipeline.reporting import Edition
from mel_pipeline_tests.golden.sample_edition import (
    ABOUT_PEOPLE,
    QUARTERS,
    cell,
    sample_edition,
    with_cells,
    withheld,
)

JOINED = {"Asia": (1, 3), "Latin America and the Caribbean": (0, 3), "Europe": (0, 2)}
LEFT = {"2024-Q3": 0, "2024-Q4": 1, "2024": 2}
ANSWERS = {
    "2024-Q1": (0, 3, 8, 44, 42),
    "2024-Q2": (3, 1, 9, 33, 46),
    "2024-Q3": (4, 4, 12, 41, 55),
    "2024-Q4": (4, 2, 13, 49, 62),
}
PLATFORMS: dict[str, list[float | None]] = {
    "Instagram": [96_400, 81_250, 120_800, 139_120, 131_660, 158_300, 150_905, 620_382],
    "YouTube": [None, None, 23_000, 21_000, 21_000, 23_000, 24_000, 38_000],
    "Facebook": [None] * 8,
    "LinkedIn": [14_200, 12_900, 11_800, 12_400, 12_600, 13_900, 12_200, None],
    "X": [4_100, 3_900, 3_400, 2_800, 2_100, None, 1_900, 1_400],
}
SPREAD = {**ABOUT_PEOPLE, "SAT-05": Sensitivity("spread", "denominator", "ratio", "percent")}


def pictured_edition(period: str = "2024-Q4", answers: dict[str, tuple[int, ...]] | None = None) -> Edition:
    """The edition; ``answers``: by quarter, how many gave each score from 1 to 5."""
    edition = with_indicators(sample_edition(period))
    rows = [*_regions(), *_views(), *_answers(ANSWERS if answers is None else answers)]
    rows += [cell("MEM-08", when, "total", None, left) for when, left in LEFT.items()]
    edition = with_cells(edition, rows)
    return replace(edition, figures=withheld(edition.figures, SPREAD, edition.min_cell))


def with_indicators(edition: Edition) -> Edition:
    """Add definitions of MEM-08 and SAT-05, derived from related ones."""
    known = edition.indicators.set_index("indicator_id")
    left = known.loc["MEM-02"].to_dict() | {
        "indicator_id": "MEM-08",
        "name_en": "Member cities that left",
        "headline": False,
        "direction": "decrease",
        "position": 90,
    }
    spread = known.loc["SAT-02"].to_dict() | {
        "indicator_id": "SAT-05",
        "name_en": "Answers by score",
        "headline": False,
        "direction": "context",
        "decimals": 0,
        "chart": "categories",
        "chart_dimension": "answer",
        "position": 91,
        "source": "Feedback surveys",
    }
    return replace(
        edition, indicators=pd.concat([edition.indicators, pd.DataFrame([left, spread])], ignore_index=True)
    )


def _regions() -> list[dict[str, object]]:
    from mel_pipeline_tests.golden.sample_edition import REGIONS

    return [
        cell("MEM-02", when, "region", region, JOINED.get(region, (0, 0))[slot])
        for slot, when in enumerate(("2024-Q4", "2024"))
        for region in REGIONS
    ]


def _views() -> list[dict[str, object]]:
    rows = []
    for name, values in PLATFORMS.items():
        rows += [
            cell("RCH-01", quarter, "platform", name, value)
            for quarter, value in zip(QUARTERS, values, strict=True)
        ]
        year = values[4:]
        whole = None if None in year else sum(value for value in year if value is not None)
        rows.append(cell("RCH-01", "2024", "platform", name, whole))
    return rows


def _answers(answers: dict[str, tuple[int, ...]]) -> list[dict[str, object]]:
    summed = tuple(sum(each) for each in zip(*answers.values(), strict=True))
    rows = []
    for period, counts in {**answers, "2024": summed}.items():
        everybody = sum(counts)
        rows.append(_share(period, "total", None, everybody, everybody))
        rows += [
            _share(period, "answer", str(score), count, everybody)
            for score, count in enumerate(counts, start=1)
        ]
    return rows


def _share(
    period: str, dimension: str, category: str | None, count: int, everybody: int
) -> dict[str, object]:
    row = cell("SAT-05", period, dimension, category, 100 * count / everybody, everybody)
    return row | {"numerator": count, "denominator": everybody}
