"""A project's figure that is not there says of which period and why, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mel_pipeline.reporting.figures.logframe import periods_to
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.site.project_pages import Statement, answers_of, projects_of
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.fixtures.register import register
from mel_pipeline_tests.fixtures.site import sample_site
from mel_pipeline_tests.golden.sample_edition import REPORTS


def row_and_answer(status: str, note: str, language: str) -> tuple[Statement, str]:
    """The row of a logframe whose indicator has no figure, and what the search says of it."""
    edition = sample_site().edition
    frame = edition.figures.copy()
    mine = frame["indicator_id"] == "LAB-02"
    frame.loc[mine, ["value", "numerator", "denominator"]] = None
    frame.loc[mine, ["status", "note"]] = [status, note]
    edition = replace(edition, figures=frame)
    known = measures(edition, language)
    periods = periods_to(list(map(str, frame["period"].unique())), edition.period)
    projects = projects_of(register(), known, Figures(edition, known), load_texts(REPORTS, language), periods)
    row = next(row for one in projects for row in one.logframe if row.indicator == "LAB-02")
    answer = next(one.value for one in answers_of(projects) if one.anchor == row.id)
    return row, answer


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "not shown ({period}, to protect a small group)"),
        ("fr", "non affiché ({period}, pour protéger un petit groupe)"),
        ("es", "no se muestra ({period}, para proteger a un grupo pequeño)"),
        ("ca", "no es mostra ({period}, per protegir un grup petit)"),
    ],
)
def test_a_withheld_figure_names_its_period_and_the_small_group(language: str, words: str) -> None:
    row, answer = row_and_answer("suppressed", "", language)
    period = row.note.partition(",")[0]
    assert period and answer == words.format(period=period)
    assert row.status is None, "the row says it once"


@pytest.mark.slow
def test_a_missing_figure_names_its_period_and_the_note_or_that_nothing_was_calculated() -> None:
    row, answer = row_and_answer("not_available", "", "en")
    assert answer == f"not available ({row.note})" and row.note.endswith(", not calculated yet")
    row, answer = row_and_answer("not_available", "The export was empty.", "en")
    assert row.note.endswith(": The export was empty") and row.status is None
