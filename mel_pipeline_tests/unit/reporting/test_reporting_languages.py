"""Three languages that agree, and what happens when one does not."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import yaml

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.settings import Settings
from mel_pipeline.reporting import build_editions, languages
from mel_pipeline.reporting.page.agreement import figures_of
from mel_pipeline.reporting.text.phrases import HOLE, Phrases
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

pytestmark = pytest.mark.usefixtures("drawn_once")

LANGUAGES = languages(REPORTS)


def flat(tree: dict, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and "other" not in value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def entries(language: str) -> dict[str, object]:
    tree = yaml.safe_load((REPORTS / "locales" / f"{language}.yml").read_text(encoding="utf-8"))
    tree.pop("phrases", None)
    return flat(tree)


def test_the_report_speaks_three_languages():
    assert LANGUAGES == ["en", "es", "fr"]


def test_languages_are_chosen_by_a_setting_and_english_is_always_among_them():
    assert languages(REPORTS, "fr") == ["en", "fr"]
    assert languages(REPORTS, " es, en ") == ["en", "es"]
    with pytest.raises(ReportError, match=r"no file locales/de\.yml.*MEL_LANGUAGES"):
        languages(REPORTS, "fr,de")


@pytest.mark.parametrize("licence", get_args(get_args(Settings.model_fields["licence"].annotation)[0]))
def test_an_edition_with_a_licence_is_written_in_every_language(licence, tmp_path):
    """Its version number is a name: "4.0" is one number in English and two elsewhere."""
    edition = replace(fewer_charts(sample_edition("2024-Q4")), licence=licence)
    reports = build_editions(edition, tmp_path, REPORTS, LANGUAGES)
    assert all(licence.replace("-", " ") in report.page.read_text("utf-8") for report in reports.values())


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_text_is_translated_with_the_same_places_to_fill(language):
    english, other = entries("en"), entries(language)
    own = {key for key in other if key.startswith("format.before_quarter.")}  # English needs none
    assert own
    assert set(english) == set(other) - own
    different = [key for key in english if _places(english[key]) != _places(other[key])]
    assert different == []


def _places(entry: object) -> set[str]:
    forms = entry.values() if isinstance(entry, dict) else [entry]
    return {place for form in forms for place in re.findall(r"\{\w+\}", str(form))}


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_phrase_keeps_its_holes_and_numbers(language):
    tree = yaml.safe_load((REPORTS / "locales" / f"{language}.yml").read_text(encoding="utf-8"))
    assert len(tree["phrases"]) > 100
    for english, other in tree["phrases"].items():
        assert sorted(HOLE.findall(english)) == sorted(HOLE.findall(other)), english
        assert sorted(re.findall(r"\d+", english)) == sorted(re.findall(r"\d+", other)), english


def test_french_puts_a_narrow_space_before_its_signs():
    for key, entry in entries("fr").items():
        for text in entry.values() if isinstance(entry, dict) else [entry]:
            assert not re.search(r"\w ?(?<!\u202f)[;!?»](?= |$)", str(text)), key
            assert " :" not in str(text), key
            assert " %" not in str(text), key


def test_sentences_are_found_by_pattern_and_their_parts_translated():
    phrases = Phrases(
        {"No {what} from: {names}.": "{names} : pas de {what}.", "views": "vues", "Fine.": "Bien."}
    )
    assert phrases.translate("No views from: A b, C d. Fine.", str) == "A b, C d : pas de vues. Bien."
    assert phrases.translate("Something else. Fine.", str) is None


def test_numbers_and_quarters_in_a_sentence_take_the_form_of_the_language():
    french = load_texts(REPORTS, "fr")
    assert french.say("Together it lies between 58665 and 134097.") == (
        "Ensemble, elle se situe entre 58\u202f665 et 134\u202f097."
    )
    assert load_texts(REPORTS, "en").say("at least 58665 of 2024") == "at least 58,665 of 2024"
    assert french.period("2024-Q4") == "T4\u00a02024"
    assert french.period("2024-11-25/2024-12-31") == "25 novembre 2024 au 31 décembre 2024"
    assert french.missing == set()


def test_what_no_phrase_knows_stands_in_english_and_is_remembered():
    spanish = load_texts(REPORTS, "es")
    assert spanish.say("Nobody wrote 12,345 of these.") == "Nobody wrote 12.345 of these."
    assert spanish.missing == {"Nobody wrote 12,345 of these."}


@pytest.mark.slow
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
def test_the_editions_in_all_languages_agree(tmp_path, period):
    built = build_editions(fewer_charts(sample_edition(period)), tmp_path, REPORTS, LANGUAGES)
    read = {
        language: figures_of(report.page.read_text(encoding="utf-8"), load_texts(REPORTS, language).locale)
        for language, report in built.items()
    }
    assert read["en"]["headline"]["54 %"] + read["en"]["headline"]["54"] > 0
    assert read["en"] == read["fr"] == read["es"]


@pytest.mark.parametrize(
    ("wrong", "right", "part"),
    [
        ('percent: "{number}\u202f%"', 'percent: "{number}\u202fpoints"', "headline"),  # another unit
        pytest.param(  # a number typed into a text
            "contre {before} en", "contre 99 en", "points", marks=pytest.mark.slow
        ),
        pytest.param(
            "{value} à la fin", "à la fin", "points", marks=pytest.mark.slow
        ),  # a value that is lost
    ],
)
def test_a_language_that_says_something_else_stops_the_build_and_nothing_is_written(
    tmp_path, wrong, right, part
):
    sources = Path(shutil.copytree(REPORTS, tmp_path / "reports", ignore=shutil.ignore_patterns("published")))
    path = sources / "locales" / "fr.yml"
    text = path.read_text(encoding="utf-8")
    if wrong not in text:
        pytest.fail(f"{wrong} is not in the French texts any more")
    path.write_text(text.replace(wrong, right), encoding="utf-8")
    edition = sample_edition()
    figures = edition.figures[
        ~((edition.figures["indicator_id"] == "MEM-01") & (edition.figures["period"] != "2024-Q4"))
    ]
    edition = sample_edition(figures=figures)  # a level without a quarter before is reported as such
    with pytest.raises(ReportError, match=r"the en and fr editions differ in the part"):
        build_editions(edition, tmp_path / "out", sources, ["en", "fr"])
    assert not (tmp_path / "out").exists()


def test_a_status_that_differs_is_found_as_well():
    english, french = load_texts(REPORTS, "en").locale, load_texts(REPORTS, "fr").locale
    page = '<section aria-labelledby="headline"><p data-status="{}">{}</p></section>'
    assert figures_of(page.format("on", "1,234.5%"), english) == figures_of(
        page.format("on", "1\u202f234,5\u202f%"), french
    )
    assert figures_of(page.format("on", "12"), english) != figures_of(page.format("off", "12"), french)
    assert figures_of(page.format("on", "€1,200"), english) == figures_of(
        page.format("on", "1\u202f200\u00a0€"), french
    )
