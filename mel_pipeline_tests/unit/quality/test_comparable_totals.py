"""Which earlier totals a quarter is compared with: those of the same coverage, whatever their notes say."""

from __future__ import annotations

from mel_pipeline.quality.anomalies import Total
from mel_pipeline.quality.comparable import Cell, comparable

NOW, BEFORE, YEAR_AGO = "2024-Q4", "2024-Q3", "2023-Q4"
Sites = dict[str, float | None]


def visits(**quarters: Sites) -> dict[str, Total]:
    """Visits by site; the total of a quarter is their sum. ``q4_2023`` is 2023-Q4."""
    parts = {
        f"{name[3:]}-{name[:2].upper()}": {site: Cell(value, n=10) for site, value in sites.items()}
        for name, sites in quarters.items()
    }
    totals = {name: Cell(sum(cell.value or 0 for cell in sites.values())) for name, sites in parts.items()}
    return comparable(totals, parts, NOW, unit="visits", can_be_added=True)


def test_a_site_that_joined_is_left_out_of_both_sides() -> None:
    series = visits(
        q4_2023={"main": 900}, q3_2024={"main": 800, "care": 50}, q4_2024={"main": 850, "care": 70}
    )
    assert {name: total.value for name, total in series.items()} == {YEAR_AGO: 900, BEFORE: 800, NOW: 850}


def test_a_site_without_a_figure_is_in_no_comparison() -> None:
    series = visits(q4_2023={"main": 900, "care": 90}, q4_2024={"main": 850, "care": None})
    assert {name: total.value for name, total in series.items()} == {YEAR_AGO: 900, NOW: 850}


def test_the_same_sites_are_compared_by_their_totals() -> None:
    series = visits(q4_2023={"main": 900, "care": 90}, q4_2024={"main": 850, "care": 80})
    assert {name: total.value for name, total in series.items()} == {YEAR_AGO: 990, NOW: 930}


def test_a_quarter_of_many_missing_days_compares_with_none_and_few_days_do_not_matter() -> None:
    for covered, expected in ((50, {NOW}), (90, {YEAR_AGO, NOW})):
        totals = {YEAR_AGO: Cell(10, expected=92, covered=covered), NOW: Cell(12, expected=92, covered=92)}
        assert set(comparable(totals, {}, NOW, unit="visits", can_be_added=True)) == expected


def test_a_rate_is_the_ratio_of_the_sums_of_its_common_parts() -> None:
    parts = {
        YEAR_AGO: {"a": Cell(20.0, 20, 100, 1), "b": Cell(50.0, 5, 10, 1)},
        NOW: {"a": Cell(30.0, 30, 100, 1), "b": Cell(50.0, 5, 10, 1), "c": Cell(90.0, 90, 100, 1)},
    }
    totals = {YEAR_AGO: Cell(22.7), NOW: Cell(59.5)}
    found = comparable(totals, parts, NOW, unit="percent", can_be_added=True)
    assert {name: round(total.value, 1) for name, total in found.items()} == {YEAR_AGO: 22.7, NOW: 31.8}
    alone = comparable(totals, parts, NOW, unit="percent", can_be_added=False)
    assert alone == {NOW: Total(59.5)}
