"""Sentences and comparisons, as pure functions of figures."""

from __future__ import annotations

import pytest

from mel_pipeline.reporting.figures.findings import (
    adds_up,
    breakdown_finding,
    compared_period,
    finding,
    main_points,
)
from mel_pipeline.reporting.figures.lookup import Figures, Reading
from mel_pipeline.reporting.figures.measures import Measure, measures
from mel_pipeline.reporting.text.texts import Texts, load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition, with_figure


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(REPORTS, "en")


def known(edition=None) -> dict[str, Measure]:
    return {measure.id: measure for measure in measures(edition or sample_edition(), "en")}


def sentence(texts: Texts, indicator: str, period: str = "2024-Q4", edition=None) -> str:
    edition = edition or sample_edition(period)
    everything = known(edition)
    return finding(everything[indicator], Figures(edition, everything.values()), period, texts)


def test_a_level_is_compared_with_the_quarter_before(texts):
    assert sentence(texts, "MEM-01") == "Member cities rose to 164, from 163 in 2024-Q3"


def test_an_amount_is_compared_with_the_same_quarter_of_the_year_before(texts):
    assert sentence(texts, "RCH-01") == "Digital views rose to 658,382, from 160,120 in 2023-Q4"
    assert compared_period(known()["RCH-01"], "2024") == "2023"


def test_the_sentence_compares_what_is_printed_and_not_what_is_hidden_by_rounding(texts):
    edition = with_figure(
        sample_edition(), "SAT-02", "2024-Q4", value=87.6
    )  # 88.0 before: both print as 88 %
    assert sentence(texts, "SAT-02", edition=edition) == "Satisfied participants stayed at 88%, as in 2024-Q3"


def test_a_share_rises_or_falls_only_beyond_its_interval(texts):
    assert sentence(texts, "MEM-05") == "Active member rate: 31.7%, about as before (28.9% in 2024-Q3)"
    far = with_figure(sample_edition(), "MEM-05", "2024-Q3", value=12.0, low=8.0, high=18.0)
    assert sentence(texts, "MEM-05", edition=far) == "Active member rate rose to 31.7%, from 12.0% in 2024-Q3"
    unsure = with_figure(sample_edition(), "MEM-05", "2024-Q3", low=None, high=None)
    assert sentence(texts, "MEM-05", edition=unsure) == "Active member rate: 31.7%; 28.9% in 2024-Q3"


def test_a_share_of_few_cases_is_said_with_their_number(texts):
    few = with_figure(sample_edition(), "SAT-02", "2024-Q4", n=29)
    assert sentence(texts, "SAT-02", edition=few).endswith("as in 2024-Q3 (n = 29)")
    assert "(n =" not in sentence(texts, "SAT-02", edition=with_figure(few, "SAT-02", "2024-Q4", n=30))


def test_a_missing_figure_is_reported_as_missing_and_never_as_zero(texts):
    assert sentence(texts, "RCH-02") == "Social media followers: not available for 2024-Q4"


def test_a_gap_before_means_no_comparison_with_it(texts):
    edition = with_figure(sample_edition(), "MEM-01", "2024-Q3", value=None, status="not_available")
    assert sentence(texts, "MEM-01", edition=edition) == "Member cities stood at 164 at the end of 2024-Q4"


@pytest.mark.parametrize(
    ("value", "words"), [(39.9, "below"), (40.0, "inside"), (60.0, "inside"), (60.1, "above")]
)
def test_gender_balance_is_judged_by_the_band_with_its_edges_inside(texts, value, words):
    edition = with_figure(sample_edition(), "GEN-01", "2024-Q4", value=value)
    assert f", {words} the 40–60% balance band" in sentence(texts, "GEN-01", edition=edition)


def test_unstated_is_never_the_leader_of_a_breakdown(texts):
    measure = known()["MEM-01"]
    cells = {"Asia": Reading("ok", 3), "Not stated": Reading("ok", 9)}
    assert breakdown_finding(measure, Reading("ok", 12), cells, texts) == "Asia leads with 3 of 12"


def test_cells_that_overlap_are_not_called_a_part_of_the_total(texts):
    measure = known()["LAB-02"]
    cells = {"Care": Reading("ok", 9), "Housing": Reading("ok", 8)}
    assert breakdown_finding(measure, Reading("ok", 12), cells, texts) == "Care leads with 9"
    assert not adds_up(Reading("ok", 12), list(cells.values()))


def test_a_tie_is_reported_as_a_tie(texts):
    cells = {"Asia": Reading("ok", 4), "Africa": Reading("ok", 4)}
    assert breakdown_finding(known()["MEM-01"], None, cells, texts) == "2 share the lead with 4 each"


@pytest.mark.parametrize("period", ["2024-Q4", "2024", "2023-Q1", "2023"])
def test_main_points_are_three_to_six_short_sentences(texts, period):
    edition = sample_edition(period)
    points = main_points(list(known().values()), Figures(edition, known().values()), period, texts)
    assert 3 <= len(points) <= 6
    assert all(len(point.split()) < 25 and point.endswith(".") for point in points)
    assert not any("not available" in point for point in points) or len(points) == 3
