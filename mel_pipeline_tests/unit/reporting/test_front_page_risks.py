"""What is at risk, on page one and in the e-mail: by name, worst first, and as it was published."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from mel_pipeline.reporting.edition import Edition
from mel_pipeline.reporting.edition import Said as Published
from mel_pipeline.reporting.figures.judgement import Standing
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.mail import edition_mail
from mel_pipeline.reporting.page.front import Front, front_page
from mel_pipeline.reporting.page.said import said, sentences_of
from mel_pipeline.reporting.page.summary import at_risk
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

LANGUAGES = ("en", "fr", "es", "ca")
TEXTS = load_texts(REPORTS, "en")


def rows_of(edition: Edition) -> list[Row]:
    known = measures(edition, "en")
    return [table_row(measure, Figures(edition, known), TEXTS) for measure in known]


def standing_at(*standings: Standing) -> list[Row]:
    """Rows named 1, 2, 3 …; the even ones are headline figures."""
    first = rows_of(sample_edition())[0]
    return [
        replace(
            first,
            standing=standing,
            measure=replace(first.measure, name=str(number), headline=number % 2 == 0),
        )
        for number, standing in enumerate(standings, start=1)
    ]


def front(edition: Edition, language: str = "en") -> Front:
    texts = load_texts(REPORTS, language)
    known = measures(edition, language)
    figures = Figures(edition, known)
    rows = [table_row(measure, figures, texts) for measure in known]
    return front_page(edition, rows, sentences_of(edition, known, figures, rows, texts), texts)


def test_a_missed_target_comes_before_one_behind_schedule_imbalance_and_small_delays() -> None:
    rows = standing_at(
        Standing("near"),
        Standing("out_of_band"),
        Standing("off"),
        Standing("on"),
        Standing("off", is_due=True),
    )
    assert at_risk(rows, TEXTS) == [["off", "5"], ["off_way", "3"], ["out_of_band", "2"], ["near_way", "1"]]


def test_figures_that_stand_alike_are_named_together_headline_figures_first() -> None:
    rows = standing_at(*[Standing("off", is_due=True)] * 4)
    assert at_risk(rows, TEXTS) == [["off", "2\u00a0· 4\u00a0· 1\u00a0· 3"]]


def test_six_are_named_and_the_rest_is_counted() -> None:
    rows = standing_at(*[Standing("off", is_due=True)] * 4, *[Standing("near")] * 4)
    assert at_risk(rows, TEXTS)[1:] == [["near_way", "6\u00a0· 8"], ["", "2 more figures"]]
    assert at_risk(rows[:-1], TEXTS)[-1] == ["", "1 more figure"]
    assert at_risk(rows[:6], TEXTS)[-1] == ["near_way", "6\u00a0· 5"]


@pytest.mark.parametrize(
    "code", ["on", "over", "in_band", "no_target", "ahead", "no_baseline", "not_available"]
)
@pytest.mark.sweep
def test_what_is_on_its_way_or_cannot_be_judged_is_not_at_risk(code: str) -> None:
    assert at_risk(standing_at(Standing(code, is_due=True)), TEXTS) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_stand_under_their_status_in_every_language_without_a_figure(language: str) -> None:
    made = front(sample_edition(), language)
    words = load_texts(REPORTS, language)
    assert [risk.status.word for risk in made.at_risk if risk.status] == [
        words.choice("status", "off"),
        words.choice("status", "out_of_band"),
    ]
    assert made.at_risk[0].names == "New member cities"
    assert not any(letter.isdigit() for risk in made.at_risk for letter in risk.names)


def published(edition: Edition) -> Edition:
    """As the edition is read again from its file."""
    kept = said(edition, [TEXTS])
    again = json.loads(json.dumps(asdict(kept)["sentences"]))
    return replace(edition, said=Published(kept.judgements, again))


@pytest.mark.fault(192)
def test_a_published_edition_keeps_what_was_at_risk() -> None:
    edition = published(sample_edition())
    found = front(replace(edition, targets=edition.targets.iloc[:0]))
    assert [risk.names for risk in found.at_risk] == ["New member cities", "Women among speakers"]


@pytest.mark.fault(192)
def test_an_edition_published_before_page_one_said_so_still_opens() -> None:
    edition = published(sample_edition())
    assert edition.said is not None
    del edition.said.sentences["en"]["at_risk"]
    assert front(edition).at_risk == []


def test_the_mail_says_what_is_at_risk_before_what_needs_a_decision() -> None:
    made = edition_mail(sample_edition(), REPORTS, "en", draft=False, place="/srv")
    assert "- Target missed – New member cities\n" in made.text
    assert made.text.index("AT RISK") < made.text.index("WHAT NEEDS A DECISION")
    assert made.html.index(">Missed or at risk<") < made.html.index(">What needs a decision<")
    on_target = sample_edition().targets.iloc[:0]
    calm = sample_edition(
        targets=on_target, indicators=sample_edition().indicators.assign(direction="increase")
    )
    assert "AT RISK" not in edition_mail(calm, REPORTS, "en", draft=False, place="/srv").text
