"""Figures counted by hand and figures published earlier: marked wherever they are shown, never mixed with calculated ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mel_pipeline.reporting import Edition, build_editions
from mel_pipeline.reporting.chart_data.indicator import chart_frame
from mel_pipeline.reporting.edition import EarlierFigure, Stated
from mel_pipeline.reporting.edition_text import edition_texts, read_texts
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures, missing
from mel_pipeline.reporting.inputs.stated import Baseline, StatedParts
from mel_pipeline.reporting.open_data.build import build_data_package
from mel_pipeline.reporting.text.languages import gaps
from mel_pipeline.reporting.text.texts import texts_of
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition, with_figure
from mel_pipeline_tests.unit.reporting.test_report_open_data import judged, rows_of

pytestmark = pytest.mark.usefixtures("drawn_once")
EVIDENCE = "Attendance lists in the shared folder"


def earlier(indicator: str, period: str, value: float) -> EarlierFigure:
    return EarlierFigure(indicator, period, "total", "", value, "Annual report 2022", "14", "")


@pytest.fixture
def edition() -> Edition:
    made = sample_edition()
    indicators = made.indicators.assign(is_stated=made.indicators["indicator_id"] == "LAB-02")
    mine = indicators["indicator_id"] == "LAB-02"
    indicators.loc[mine, ["unit", "source", "owner_role", "numerator_text", "name_fr"]] = [
        "cities by hand",
        "Stated in the workbook",
        "Programme office",
        "Cities with a list",
        None,
    ]
    return replace(
        made,
        indicators=indicators,
        statements=[Stated("LAB-02", "2024-Q4", "total", "", EVIDENCE, "MEL lead", date(2025, 1, 10), 7)],
        earlier=[
            earlier("RCH-02", "2022-Q4", 9_100.0),
            earlier("RCH-02", "2024-Q3", 99_999.0),
            earlier("RCH-02", "2024-Q4", 12_900.0),
        ],
        verbatim=("cities by hand", "Programme office", "Cities with a list"),
    )


@pytest.mark.slow
def test_the_page_marks_what_is_counted_by_hand_and_says_by_whom_when_and_with_what_evidence(
    edition: Edition, tmp_path
) -> None:
    built = build_editions(fewer_charts(edition), tmp_path, REPORTS, ["en", "fr"])
    english, french = (built[language].page.read_text(encoding="utf-8") for language in ("en", "fr"))
    assert "counted by hand" in english
    assert f"MEL lead, 10 January 2025, version 7 of the workbook. Evidence: {EVIDENCE}" in english
    assert "compté à la main" in french
    assert EVIDENCE in french
    assert "cities by hand" in french, "words of people are printed as they were written"
    assert "9,100 (Annual report 2022, p. 14)" in english
    assert "99,999" not in english, "a calculated figure is shown, not the one published before"


def test_a_language_is_not_refused_for_a_name_that_is_missing_in_the_workbook(edition: Edition) -> None:
    assert not [words for words in gaps(edition, REPORTS, "fr") if "LAB-02" in words]


def test_an_earlier_figure_stands_where_none_was_calculated_with_a_mark_of_its_own(edition: Edition) -> None:
    known = measures(edition, "en")
    measure = next(item for item in known if item.id == "RCH-02")
    frame = chart_frame(
        edition, measure, Figures(edition, known), texts_of(edition, REPORTS, "en"), narrow=False
    )
    marks = {mark["label"]: mark for mark in frame.marks}
    assert (marks["2024-Q3"]["status"], marks["2024-Q3"]["value"]) == ("ok", 12_480)
    assert (marks["2024-Q4"]["status"], marks["2024-Q4"]["full"]) == ("earlier", "12,900 (published earlier)")
    assert "Annual report 2022, p. 14" in marks["2024-Q4"]["note"]
    assert "not calculated" in frame.footnote


def test_a_withheld_figure_is_not_replaced_by_one_published_earlier(edition: Edition) -> None:
    hidden = with_figure(edition, "RCH-02", "2024-Q4", status="suppressed")
    assert Figures(hidden, measures(hidden, "en")).earlier("RCH-02", "2024-Q4") is None


def test_a_baseline_is_the_latest_before_the_year_reported_or_else_what_was_published_earlier(
    edition: Edition,
) -> None:
    indicators = edition.indicators.assign(baseline_value=None, baseline_period=None, baseline_note=None)
    indicators.loc[indicators["indicator_id"] == "MEM-01", ["baseline_value", "baseline_period"]] = [
        164,
        "2024",
    ]
    parts = StatedParts(
        [],
        [
            earlier("RCH-02", "2021", 8_000.0),
            earlier("RCH-02", "2022", 9_000.0),
            earlier("MEM-01", "2019", 1.0),
        ],
        (),
        {
            "MEM-01": [
                Baseline(150.0, "2022", "a"),
                Baseline(156.0, "2023", "b"),
                Baseline(164.0, "2024", "c"),
            ]
        },
    )
    found = parts.with_baselines(indicators, "2024-Q2").set_index("indicator_id")
    assert (found.loc["MEM-01", "baseline_value"], found.loc["MEM-01", "baseline_note"]) == (156, "b")
    assert found.loc["RCH-02", "baseline_value"] == 9_000
    assert found.loc["RCH-02", "baseline_note"] == "Annual report 2022, p. 14"
    assert missing(found.loc["FND-01", "baseline_value"])
    later = parts.with_baselines(indicators, "2025").set_index("indicator_id")
    assert later.loc["MEM-01", "baseline_value"] == 164
    assert (
        parts.with_baselines(indicators, "2022").set_index("indicator_id").loc["MEM-01", "baseline_value"]
        == 164
    )


@pytest.mark.slow
def test_the_data_package_has_files_of_their_own_for_them_only_where_there_are_any(
    edition: Edition, tmp_path
) -> None:
    package = build_data_package(edition, tmp_path)
    assert judged(package).valid
    assert rows_of(package, "statements")[0]["evidence"] == EVIDENCE
    assert [row["period"] for row in rows_of(package, "earlier_figures")] == ["2022-Q4", "2024-Q3", "2024-Q4"]
    assert not (build_data_package(sample_edition(), tmp_path / "none").parent / "statements.csv").exists()


def test_statements_and_earlier_figures_are_kept_with_a_published_edition(edition: Edition) -> None:
    text, parts = edition_texts(edition)
    again = read_texts(text, parts, publication=None, restatements=[], is_sample=True)
    assert again.statements == edition.statements
    assert again.earlier == edition.earlier
    assert again.verbatim == edition.verbatim
    assert [item.is_stated for item in measures(again, "en")] == [
        item.is_stated for item in measures(edition, "en")
    ]
