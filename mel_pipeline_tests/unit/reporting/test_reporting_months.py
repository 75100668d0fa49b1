"""Months of a flow stand on its page where they say what the quarter hides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.figures.monthly import Month, months_shown, telling
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.site.indicators import by_month
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

QUARTER = ["2024-09", "2024-10", "2024-11", "2024-12"]


def months(*values: float, whole: bool = True) -> list[Month]:
    return [Month(period, value, whole) for period, value in zip(QUARTER, values, strict=True)]


def test_a_quarter_has_its_months_and_the_one_before_a_year_thirteen() -> None:
    assert months_shown("2024-Q4") == QUARTER
    assert months_shown("2024-Q1") == ["2023-12", "2024-01", "2024-02", "2024-03"]
    assert (months_shown("2024")[0], months_shown("2024")[-1], len(months_shown("2024"))) == (
        "2023-12",
        "2024-12",
        13,
    )


def test_a_site_that_triples_stands_beside_the_total_and_a_steady_one_does_not() -> None:
    parts = {
        "": months(11, 14, 13, 13),
        "care": months(1012, 3036, 1903, 1948),
        "main": months(10, 11, 11, 11),
    }
    assert list(telling(parts, "2024-Q4")) == ["", "care"]
    assert telling(parts | {"care": months(1012, 1500, 1903, 1948)}, "2024-Q4") == {}


@pytest.mark.parametrize("values", [(0, 1, 0, 2), (1, 4, 1, 3), (3, 0, 0, 0)])
def test_a_few_more_or_less_are_no_step(values: tuple[float, ...]) -> None:
    assert telling({"": months(*values)}, "2024-Q4") == {}


def test_a_month_of_which_days_are_missing_is_no_step() -> None:
    assert telling({"": months(1000, 3000, 1000, 1000, whole=False)}, "2024-Q4") == {}


def test_the_page_and_the_site_say_the_months_in_words() -> None:
    rows = [
        {
            "indicator_id": "RCH-01",
            "period": month.period,
            "category": part or None,
            "value": month.value,
            "expected": None,
            "covered": None,
        }
        for part, values in (("", (1012, 3036, 1903, 1948)), ("care.org", (12, 1036, 903, 948)))
        for month in months(*values)
    ]
    edition = replace(sample_edition(), months=rows)
    texts = load_texts(REPORTS, "en")
    known = measures(edition, "en")
    figures = Figures(edition, known)
    visits = next(measure for measure in known if measure.id == "RCH-01")
    assert table_row(visits, figures, texts).months[1] == (
        "care.org: 12 in Sept 2024, 1,036 in Oct 2024, 903 in Nov 2024 and 948 in Dec 2024"
    )
    total, care = by_month(visits, figures, texts)
    assert [line.label for line in care.lines] == ["Sept 2024", "Oct 2024", "Nov 2024", "Dec 2024"]
    assert total.lines[1].share == 100
    others = [measure for measure in known if measure.id != "RCH-01"]
    assert not any(table_row(measure, figures, texts).months for measure in others)
