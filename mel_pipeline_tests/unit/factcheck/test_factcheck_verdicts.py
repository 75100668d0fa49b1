"""Sentences of a draft annual report, right, wrong and about other things, each with its verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.factcheck import Draft, Line, Published, Report, check, read_draft
from mel_pipeline.factcheck.languages import known_languages
from mel_pipeline.factcheck.passages import Passage
from mel_pipeline.factcheck.vocabulary import listed_indicators
from mel_pipeline_tests.fixtures.factcheck import STATEMENTS, expected, write_docx, write_markdown, write_pdf
from mel_pipeline_tests.golden.figures_2024 import WITHHELD, published_2024


@pytest.fixture(scope="module")
def published() -> Published:
    return published_2024()


def said(
    published: Published, text: str, language: str = "fr", heading: str = "", period: str | None = "2024"
) -> Report:
    return check(Draft([Passage(text, "paragraph 1", heading=heading)]), published, language, period)


def label(line: Line) -> str:
    """The figure a verdict is based on, as ``statements.yml`` writes it."""
    part = "" if line.part in ("", "value") else line.part
    return " ".join(word for word in (line.indicator_id, line.cell, part) if word)


def verdicts(report: Report) -> list[tuple[str, str, str]]:
    return [
        (line.number, line.verdict, label(line) if line.verdict != "unknown" else "")
        for line in report.lines
        if line.verdict != "not a figure"
    ]


def wanted(language: str) -> list[tuple[str, str, str]]:
    return [(number, verdict, figure) for _, number, verdict, figure in expected(language)]


def test_there_are_enough_statements_of_every_kind() -> None:
    assert [len(STATEMENTS[language]) for language in ("fr", "en", "es")] >= [25, 15, 15]
    for language in STATEMENTS:
        kinds = {verdict for _, verdict, _ in wanted(language)}
        assert kinds == {"agrees", "disagrees", "unknown", "withheld"}


@pytest.mark.parametrize("language", known_languages())
def test_every_number_of_a_markdown_draft_gets_its_verdict(
    language: str, published: Published, tmp_path: Path
) -> None:
    report = check(read_draft(write_markdown(tmp_path / "draft.md", language)), published)
    assert (report.language, report.period) == (language, "2024")
    assert verdicts(report) == wanted(language)


@pytest.mark.slow
@pytest.mark.parametrize("language", known_languages())
@pytest.mark.sweep("es")
def test_the_same_draft_as_docx_gets_the_same_verdicts(
    language: str, published: Published, tmp_path: Path
) -> None:
    report = check(read_draft(write_docx(tmp_path / "draft.docx", language)), published)
    assert verdicts(report) == wanted(language)


@pytest.mark.slow
@pytest.mark.parametrize("language", known_languages())
@pytest.mark.sweep("fr")
def test_the_same_draft_as_pdf_gets_the_same_verdicts(
    language: str, published: Published, tmp_path: Path
) -> None:
    report = check(read_draft(write_pdf(tmp_path / "draft.pdf", language)), published)
    same = [(" ".join(number.split()), verdict, figure) for number, verdict, figure in verdicts(report)]
    assert same == wanted(language)
    assert report.kinds["page"] >= 2  # the numbers of the pages


def test_digits_that_are_not_figures_are_counted_by_kind(published: Published) -> None:
    report = said(
        published, "L’ODD 11 a guidé le WUF12 du 4 au 8 novembre 2024 (voir page 12), le 2e sommet."
    )
    assert report.kinds == {"date": 1, "ordinal": 1, "page": 1, "reference": 2}


def test_a_value_alone_is_a_candidate_and_never_agrees(published: Published) -> None:
    (line,) = said(published, "Le musée a accueilli 164 visiteurs.").lines
    assert (line.verdict, line.published) == ("unknown", "")
    assert "MEM-01 2024 total = 164" in line.candidates


def test_what_disagrees_shows_the_published_value_and_the_difference(published: Published) -> None:
    (line,) = said(published, "Au total, le réseau compte 163 villes membres.").lines
    assert (line.verdict, line.published, line.difference) == ("disagrees", "164", "-1")
    (line,) = said(published, "Le Secrétariat général compte 60 % de femmes.").lines
    assert (line.published, line.difference) == ("69.6 %", "-9.6 points")


@pytest.mark.parametrize("number", ["40", "46", "50", "53"])
def test_no_guess_reveals_a_withheld_figure(number: str, published: Published) -> None:
    """Not even if the frame still holds the value."""
    figures = published.figures.copy()
    chosen = figures["indicator_id"].eq("GEN-02") & figures["disaggregation"].eq("gender=Man")
    assert chosen.sum() == len(WITHHELD)
    figures.loc[chosen, "value"] = 46.0
    (line,) = said(
        replace(published, figures=figures), f"Il y a {number} % d’hommes parmi les intervenants."
    ).lines
    assert (line.verdict, line.published, line.difference, line.candidates) == ("withheld", "", "", "")
    (line,) = said(replace(published, figures=figures), f"Il y a {number} % de tomates.").lines
    assert "GEN-02 2024 gender=Man" not in line.candidates


def test_a_sentence_about_another_year_is_compared_with_that_year(published: Published) -> None:
    before = published.figures[published.figures["indicator_id"] == "MEM-01"].assign(period="2023")
    before.loc[before["disaggregation"] == "total", "value"] = 156.0
    both = replace(published, figures=pd.concat([published.figures, before], ignore_index=True))
    report = said(
        both,
        "En 2023, le réseau comptait un total de 156 villes membres. Il compte un total de 164 villes membres.",
    )
    assert [(line.verdict, line.period) for line in report.lines if line.indicator_id] == [
        ("agrees", "2023"),
        ("agrees", "2024"),
    ]


def test_a_year_without_figures_is_unknown(published: Published) -> None:
    line = said(published, "En 2025, le réseau compte un total de 164 villes membres.").lines[-1]
    assert (line.verdict, line.reason) == ("unknown", "it is about 2025, which has no figures")


def test_a_period_that_is_not_published_is_marked_as_provisional() -> None:
    provisional = published_2024(version=None)
    report = said(provisional, "Le réseau compte un total de 164 villes membres.")
    assert report.periods == {"2024": False}
    assert report.lines[0].status == "provisional"


def test_an_unavailable_figure_is_never_treated_as_zero(published: Published) -> None:
    figures = published.figures.copy()
    figures.loc[figures["indicator_id"] == "RCH-05", ["status", "value"]] = ["not_available", None]
    (line,) = said(replace(published, figures=figures), "Zéro interviews de maires ont été publiées.").lines
    assert (line.verdict, line.reason) == ("unknown", "the figure is not available")


# Sentences that look like a figure but are not, or are another one: none may agree or disagree.
TRAPS = {
    "fr": [
        "Le conseil municipal compte 8 nouveaux membres.",
        "8 nouveaux membres du personnel ont rejoint l’équipe.",
        "10 Solutions Labs sur le climat ont été organisés.",
        "164 villes membres n’ont pas répondu.",
        "54 % des femmes participantes aux Solutions Labs sont satisfaites.",
        "Les villes membres ont planté 164 arbres.",
        "Le nombre de villes membres a augmenté de 8 %.",
        "Dakar a versé 800 000 € au Fonds international.",
        "Au 30 juin 2024, le réseau comptait un total de 160 villes membres.",
        "La vidéo la plus vue a obtenu 658 382 vues.",
        "L’équipe du projet compte 60 % de femmes.",
        "Quatre interviews de maires sur le climat ont été publiées.",
        "Six villes membres engagées dans les Solutions Labs viennent du Brésil.",
    ],
    "en": [
        "Our 8 new board members met.",
        "Half of the 164 member cities are in Asia.",
        "39 participants came from member cities engaged in Solutions Labs.",
        "54% of women in the Solutions Labs were mayors.",
        "Ten labs planned for 2025 build on the Solutions Labs.",
        "We gained 1,500 followers on the AVANTIA Instagram account.",
        "The campaign reached 658,382 people.",
    ],
    "es": [
        "Las ciudades miembro plantaron 164 árboles.",
        "El 54 % de las mujeres de los Solutions Labs son alcaldesas.",
        "El objetivo es llegar a 164 ciudades miembro.",
    ],
}


@pytest.mark.parametrize(
    ("language", "text"), [(key, text) for key, texts in TRAPS.items() for text in texts]
)
def test_a_number_of_something_else_is_left_unknown(language: str, text: str, published: Published) -> None:
    lines = [line for line in said(published, text, language).lines if line.verdict != "not a figure"]
    assert lines and {line.verdict for line in lines} == {"unknown"}


def test_every_indicator_of_the_vocabulary_is_in_the_catalogue(published: Published) -> None:
    assert listed_indicators() <= set(published.indicators["indicator_id"])


def test_a_new_indicator_is_understood_by_its_name(published: Published) -> None:
    row = published.indicators[published.indicators["indicator_id"] == "LAB-01"].assign(
        indicator_id="XYZ-01",
        name_en="Bridges inspected",
        name_fr="Ponts inspectés",
        name_es="Puentes inspeccionados",
    )
    figure = published.figures[published.figures["indicator_id"] == "LAB-01"].assign(
        indicator_id="XYZ-01", value=77.0
    )
    more = replace(
        published,
        indicators=pd.concat([published.indicators, row], ignore_index=True),
        figures=pd.concat([published.figures, figure], ignore_index=True),
    )
    assert label(said(more, "En tout, 77 ponts inspectés.").lines[0]) == "XYZ-01 total"
    assert said(more, "In total, 76 bridges inspected.", "en").lines[0].verdict == "disagrees"


def test_the_head_of_a_column_names_the_year(published: Published, tmp_path: Path) -> None:
    draft = tmp_path / "table.md"
    draft.write_text("| Indicateur | 2023 | 2024 |\n|---|---|---|\n| Villes membres | 156 | 163 |\n", "utf-8")
    lines = [
        line for line in check(read_draft(draft), published, "fr").lines if line.verdict != "not a figure"
    ]
    assert [(line.number, line.verdict, line.place) for line in lines] == [
        ("156", "unknown", "line 3, column 2"),
        ("163", "disagrees", "line 3, column 3"),
    ]
