"""The e-mail of an edition, as words."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.reporting.edition import Publication
from mel_pipeline.reporting.mail import WIDTH, EditionMail, edition_mail
from mel_pipeline.reporting.text.languages import languages
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition, with_figure

LINK = "https://reports.network.example/2024-Q4/report-en.html"
PUBLISHED = Publication(1, date(2025, 1, 20), "Secretary General", "ok")


def mail(**changes: object) -> EditionMail:
    return edition_mail(
        sample_edition(publication=PUBLISHED, **changes), REPORTS, "en", draft=False, place=LINK
    )


@pytest.mark.slow
def test_the_subject_says_organisation_period_and_status() -> None:
    assert mail().subject == "Metropolis: 2024, fourth quarter (Published)"
    draft = edition_mail(sample_edition(), REPORTS, "en", draft=True, place="/srv/report-en.html")
    assert draft.subject == "DRAFT: Metropolis: 2024, fourth quarter (Provisional)"
    for body in (draft.html, draft.text):
        assert "DRAFT for the MEL lead" in body and "/srv/report-en.html" in body
    assert "DRAFT" not in mail().html + mail().text


def test_both_bodies_hold_every_headline_figure_with_target_and_change() -> None:
    made = mail()
    text = re.sub(r"\s+", " ", made.text)
    for body in (made.html, text):
        for part in (
            "Member cities",
            "164",
            "Target 20",
            "€800,000",
            "88%",
            "Secretary General",
            "14 January 2025",
        ):
            assert part in body
    assert "Member cities engaged in Solutions Labs 21 On target. Target 20 Change: +4 (2023-Q4: 17)" in text


def test_nothing_is_fetched_and_nothing_tracks() -> None:
    made = mail().html
    assert re.findall(r"(?:src|href|url\()\s*=?[\"'(]?([^\"') >]+)", made) == [LINK]
    assert "<img" not in made and "<script" not in made and "@import" not in made


# As caniemail.com rated them on 9 September 2025: shown, some in part, by Outlook for Windows, Outlook.com and Gmail.
SHOWN = {
    "background-color", "border-bottom", "border-collapse", "border-left", "border-top", "color", "display",
    "font-family", "font-size", "font-weight", "letter-spacing", "line-height", "margin", "max-width", "padding",
    "padding-top", "text-align", "text-decoration", "vertical-align", "width", "word-break",
}  # fmt: skip
# Left out by Outlook for Windows, and nothing is lost by it.
EXTRA = {
    "border-radius": "corners are square there",
    "max-height": "of what is not displayed at all",
    "overflow": "of what is not displayed at all",
    "overflow-wrap": "long addresses; word-break does the same",
    "white-space": "a line may break within a figure",
    "-webkit-text-size-adjust": "only phones enlarge text",
}


@pytest.mark.parametrize("language", languages(REPORTS))
def test_mail_programs_show_every_style_it_relies_on(language: str) -> None:
    made = edition_mail(sample_edition(), REPORTS, language, draft=True, place=LINK).html
    styles = [unescape(style) for style in re.findall(r'style="([^"]*)"', made)]
    used = {declaration.split(":")[0].strip() for style in styles for declaration in style.split(";")} - {""}
    assert used - SHOWN - EXTRA.keys() == set()
    shown = {style for style in styles if "display:" in style and "display:none" not in style}
    assert all(re.search(r"display:(block|inline-block)\b", style) for style in shown), shown


def test_gmail_shows_the_whole_of_it() -> None:
    assert len(mail().html.encode()) < 102_000  # Gmail cuts what is longer


def test_text_lines_fit_a_window_of_72_columns() -> None:
    assert max(len(line) for line in mail().text.splitlines()) <= WIDTH


def test_a_missing_figure_is_not_a_zero() -> None:
    edition = with_figure(
        sample_edition(), "MEM-02", "2024-Q4", value=None, status="not_available", note="Down."
    )
    made = edition_mail(edition, REPORTS, "en", draft=True, place=LINK)
    lines = made.text.splitlines()
    assert next(line for line in lines if line.startswith("New member cities  ")).endswith(" not available")
    at = next(number for number, line in enumerate(lines) if line.startswith("New member cities  "))
    assert lines[at + 2] == "  2023-Q4:\u00a01", "what was there before is given, without a change"


def test_without_a_figure_a_year_ago_it_compares_with_the_previous_quarter() -> None:
    edition = with_figure(sample_edition(), "RCH-01", "2023-Q4", value=None, status="not_available")
    made = edition_mail(edition, REPORTS, "en", draft=False, place="")
    assert "Change: +483,477 (2024-Q3:\N{NO-BREAK SPACE}174,905)" in made.text


def test_the_annual_edition_compares_with_the_year_before() -> None:
    made = edition_mail(sample_edition("2024"), REPORTS, "en", draft=False, place=LINK)
    assert "Annual edition 2024" in made.subject and "(2023: 156)".replace(" ", "\u00a0") in made.text


@pytest.mark.parametrize("name", ["A <b>&\r\nBcc: x@y.example", "Métropole & Fils"])
def test_a_name_cannot_break_out_of_header_or_page(name: str) -> None:
    made = mail(organisation=name)
    assert "\n" not in made.subject and "\r" not in made.subject
    assert "<b>" not in made.html


@pytest.mark.parametrize("language", ["fr", "es"])
def test_the_section_of_another_language_has_the_same_keys_and_fields(language: str) -> None:
    folder = REPORTS / "locales"
    own = folder / f"mail.{language}.yml"
    path = own if own.exists() else folder / f"{language}.yml"  # a section of its own until it is merged
    there = from_yaml(path.read_text("utf-8"))["mail"]
    english = from_yaml((folder / "en.yml").read_text("utf-8"))["mail"]
    fields = {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in english.items()}
    assert {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in there.items()} == fields


def test_french_signs_follow_a_narrow_space() -> None:
    path = Path(REPORTS / "locales" / "mail.fr.yml")
    path = path if path.exists() else path.with_name("fr.yml")
    for text in from_yaml(path.read_text("utf-8"))["mail"].values():
        assert not re.search(r"[^\u202f}][:;!?](?!//)", text), text
