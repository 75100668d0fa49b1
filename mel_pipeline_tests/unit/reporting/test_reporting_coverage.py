"""Comparisons like for like: what two periods have in common, and what joined or left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mel_pipeline.reporting.figures.coverage import Comparison, compared
from mel_pipeline.reporting.figures.findings import finding
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.page.changes import changes
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.text.texts import Texts, load_texts
from mel_pipeline_tests.golden.sample_edition import (
    REPORTS,
    cell,
    sample_edition,
    with_cells,
    with_figure,
    with_parts,
)

NOW, THEN = "2024-Q4", "2023-Q4"  # an amount is compared with the same quarter of the year before


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(REPORTS, "en")


def of_sites(then: dict[str, float | None], now: dict[str, float | None]):
    """Views as the sum of sites; a site without a figure has None."""
    edition = with_parts(sample_edition(), "RCH-01", {})
    for period, sites in ((THEN, then), (NOW, now)):
        total = sum(value for value in sites.values() if value is not None)
        edition = with_figure(edition, "RCH-01", period, value=total, numerator=total)
        edition = with_cells(
            edition, [cell("RCH-01", period, "site", name, value) for name, value in sites.items()]
        )
    return edition


def looked_up(edition, indicator: str = "RCH-01"):
    known = {measure.id: measure for measure in measures(edition, "en")}
    return known[indicator], Figures(edition, known.values())


def comparison(edition) -> Comparison | None:
    return compared(*looked_up(edition), NOW, THEN)


def test_a_site_that_joined_is_left_out_of_the_change_and_named(texts):
    """As on the network's sites: the sum rose because a site had joined, the one of both periods lost visits."""
    edition = of_sites({"main": 34_943}, {"main": 34_133, "care": 3_080})
    found = comparison(edition)
    assert found is not None
    assert (found.joined, found.left, found.moved(0)) == (("care",), (), -810)
    measure, figures = looked_up(edition)
    assert finding(measure, figures, NOW, texts) == (
        "Digital views: 37,213; \N{MINUS SIGN}810 in the comparable part since 2023-Q4 (joined: care)"
    )
    assert table_row(measure, figures, texts).year_before.change == "\N{MINUS SIGN}810 in the comparable part"
    known = measures(edition, "en")
    assert "Digital views: \N{MINUS SIGN}810 in the comparable part since 2023-Q4 (joined: care)." in changes(
        edition, known, figures, texts
    )


def test_a_site_that_left_is_named_as_well_and_one_without_a_figure_counts_as_none():
    found = comparison(of_sites({"main": 10, "old": 5, "gap": 7}, {"main": 12, "gap": None, "new": 1}))
    assert found is not None
    assert (found.joined, found.left, found.moved(0)) == (("new",), ("gap", "old"), 2)


def test_the_same_sites_are_compared_by_their_totals():
    found = comparison(of_sites({"main": 10, "care": 5}, {"main": 12, "care": 4}))
    assert found is not None and found.is_whole and found.moved(0) == 1


def test_nothing_in_common_is_no_comparison():
    assert comparison(of_sites({"main": 10}, {"care": 4})) is None


def test_a_share_like_for_like_is_the_ratio_of_the_common_sums(texts):
    """A tool that joined drew the rate down; the tool of both quarters was opened more."""
    edition = with_parts(sample_edition(), "SAT-02", {})
    rows = [("2024-Q3", "old", 300, 1_000), ("2024-Q4", "old", 360, 1_000), ("2024-Q4", "new", 100, 1_000)]
    edition = with_cells(
        edition,
        [
            cell("SAT-02", period, "site", name, 100 * above / below)
            | {"numerator": above, "denominator": below}
            for period, name, above, below in rows
        ],
    )
    measure, figures = looked_up(edition, "SAT-02")
    found = compared(measure, figures, "2024-Q4", "2024-Q3")
    assert found is not None
    assert (found.now.value, found.then.value, found.joined, found.is_chance) == (36, 30, ("new",), False)
    assert "+6 points in the comparable part since 2024-Q3 (joined: new)" in finding(
        measure, figures, "2024-Q4", texts
    )


@pytest.mark.parametrize(("covered", "is_compared"), [(92, True), (91, True), (90, True), (89, False)])
def test_a_small_gap_in_the_days_compares_and_is_marked(texts, covered, is_compared):
    edition = with_figure(sample_edition(), "RCH-01", NOW, expected=92, covered=covered)
    found = comparison(edition)
    assert (found is not None) == is_compared
    if found is not None:
        assert found.has_gap == (covered < 92)
        change = table_row(*looked_up(edition), texts).year_before.change
        assert change.endswith("(with small gaps)") == (covered < 92)
        said = finding(*looked_up(edition), NOW, texts)
        assert said.endswith("(with small gaps)") == (covered < 92)


def test_a_site_that_was_counted_from_the_middle_of_the_earlier_quarter_on_has_joined():
    edition = of_sites({"main": 10, "young": 3}, {"main": 12, "young": 9})
    young = (edition.figures["category"] == "young") & (edition.figures["period"] == THEN)
    edition = replace(
        edition,
        figures=edition.figures.assign(
            expected=young.map({True: 92, False: None}), covered=young.map({True: 44, False: None})
        ),
    )
    found = comparison(edition)
    assert found is not None
    assert (found.joined, found.left, found.moved(0)) == (("young",), (), 2)


def test_a_note_alone_no_longer_prevents_a_comparison():
    edition = with_figure(sample_edition(), "RCH-01", THEN, note="Not counted: X metropolis.")
    found = comparison(edition)
    assert found is not None and found.is_whole
