"""Looking figures up, and rejecting what cannot be reported."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures.lookup import Figures, quarters_shown, require_headlines
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.page.tables import spark, table_row
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, sample_edition, with_cells, with_figure


def looked_up(edition):
    return Figures(edition, measures(edition, "en"))


def test_a_withheld_figure_exposes_no_numbers():
    edition = with_figure(sample_edition(), "SAT-02", "2024-Q4", status="suppressed")
    reading = looked_up(edition).total("SAT-02", "2024-Q4")
    parts = reading.value, reading.numerator, reading.denominator, reading.n
    assert (reading.status, parts) == ("suppressed", (None, None, None, None))


def test_figures_over_another_coverage_are_not_compared():
    edition = with_figure(sample_edition(), "RCH-01", "2024-Q3", expected=92, covered=80)
    known = {measure.id: measure for measure in measures(edition, "en")}
    row = table_row(known["RCH-01"], Figures(edition, known.values()), load_texts(REPORTS, "en"))
    assert row.previous.change == "other coverage"
    assert row.year_before.change not in ("", "other coverage")


def test_a_headline_figure_that_was_never_calculated_stops_the_report():
    edition = sample_edition()
    edition = replace(edition, figures=edition.figures[edition.figures["indicator_id"] != "MEM-01"])
    known = measures(edition, "en")
    with pytest.raises(ReportError, match="MEM-01"):
        require_headlines(Figures(edition, known), known, edition.period)


def test_a_headline_figure_that_is_not_available_is_an_answer():
    edition = with_figure(sample_edition(), "MEM-01", "2024-Q4", value=None, status="not_available")
    known = measures(edition, "en")
    require_headlines(Figures(edition, known), known, edition.period)


def test_two_figures_for_one_cell_are_refused():
    edition = sample_edition()
    twice = pd.concat([edition.figures, edition.figures.head(1)])
    with pytest.raises(ReportError, match="two figures"):
        looked_up(replace(edition, figures=twice))


def test_a_missing_column_is_named():
    edition = sample_edition()
    with pytest.raises(ReportError, match="'figures' lacks status"):
        check_columns(replace(edition, figures=edition.figures.drop(columns="status")))


def test_a_figure_without_definition_is_refused():
    with pytest.raises(ReportError, match="NEW-01"):
        looked_up(with_cells(sample_edition(), [cell("NEW-01", "2024-Q4", "total", None, 1.0)]))


def test_periods_look_back_by_quarter_and_by_year():
    assert (previous_period("2024-Q1"), year_before("2024-Q1")) == ("2023-Q4", "2023-Q1")
    assert (previous_period("2024"), year_before("2024")) == ("2023", "2023")
    assert quarters_shown("2024", 5) == ["2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]


def test_the_change_in_the_table_is_the_difference_of_what_is_printed():
    edition, texts = sample_edition(), load_texts(REPORTS, "en")
    known = {measure.id: measure for measure in measures(edition, "en")}
    row = table_row(known["GEN-01"], looked_up(edition), texts)
    assert (row.actual.text, row.previous.text, row.previous.change) == (
        "54%",
        "55%",
        "\N{MINUS SIGN}1 point",
    )
    money = table_row(known["FND-01"], looked_up(edition), texts)
    assert (money.target.text, money.target.change) == ("€2,800,000", "by 2026")
    absent = table_row(known["RCH-02"], looked_up(edition), texts)
    assert (absent.actual.text, absent.actual.missing) == ("not available", True)
    assert absent.previous.change == ""


def test_the_spark_line_breaks_where_a_quarter_is_missing():
    edition = sample_edition()
    figures = looked_up(edition)
    drawn = spark([figures.total("SAT-02", quarter) for quarter in quarters_shown("2024-Q4", 8)])
    assert [len(run.split()) for run in drawn.runs] == [3, 4]
    assert drawn.last is not None
    absent = spark([figures.total("RCH-02", quarter) for quarter in quarters_shown("2024-Q4", 8)])
    assert absent.last is None
