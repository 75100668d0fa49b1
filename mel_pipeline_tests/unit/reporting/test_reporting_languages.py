"""Editions agree in all languages; a language that differs or has gaps is refused."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
from babel.numbers import format_currency
from pydantic import ValidationError

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE, Text
from mel_pipeline.core.settings import Settings
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.reporting import build_editions, languages, refused
from mel_pipeline.reporting.inputs.editions import write_edition
from mel_pipeline.reporting.page.agreement import figures_of
from mel_pipeline.reporting.text.phrases import HOLE, Phrases
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

pytestmark = pytest.mark.usefixtures("drawn_once")

LANGUAGES = languages(REPORTS)
SQL = REPORTS.parent / "dbt_like_sql"


def flat(tree: dict, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and "other" not in value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def entries(language: str) -> dict[str, object]:
    tree = from_yaml((REPORTS / "locales" / f"{language}.yml").read_text(encoding="utf-8"))
    for own in ("phrases", "heads"):
        tree.pop(own, None)
    return flat(tree)


OTHERS = [language for language in LANGUAGES if language != BASE]


def test_a_language_is_a_file_and_nothing_else_lists_it():
    assert LANGUAGES == ["en", "ca", "es", "fr"]
    assert languages(REPORTS, Settings.model_fields["languages"].default) == ["en", "es", "fr"]
    assert languages(REPORTS, "ca") == ["en", "ca"]


def test_languages_are_chosen_by_a_setting_and_english_is_always_among_them():
    assert languages(REPORTS, "fr") == ["en", "fr"]
    assert languages(REPORTS, " es, en ") == ["en", "es"]
    with pytest.raises(ReportError, match=r"no file locales/de\.yml.*MEL_LANGUAGES"):
        languages(REPORTS, "fr,de")


@pytest.mark.parametrize(
    "licence",
    [
        pytest.param(licence, marks=[] if licence == "CC-BY-4.0" else pytest.mark.slow)
        for licence in get_args(get_args(Settings.model_fields["licence"].annotation)[0])
    ],
)
@pytest.mark.long
def test_an_edition_with_a_licence_is_written_in_every_language(licence, tmp_path):
    """Its version number is a name: "4.0" is one number in English and two elsewhere."""
    edition = replace(fewer_charts(sample_edition("2024-Q4")), licence=licence)
    reports = build_editions(edition, tmp_path, REPORTS, LANGUAGES)
    assert all(licence.replace("-", " ") in report.page.read_text("utf-8") for report in reports.values())


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_the_same_placeholders(language):
    english, other = entries("en"), entries(language)
    own = {key for key in other if key.startswith("format.before_quarter.")}  # English needs none
    assert set(english) == set(other) - own
    different = [key for key in english if _places(english[key]) != _places(other[key])]
    assert different == []


def sentences() -> list[str]:
    return from_yaml((REPORTS / "locales" / "en.yml").read_text(encoding="utf-8"))["phrases"]


def test_every_sentence_of_the_catalogue_is_listed_for_translation():
    listed = Phrases(dict.fromkeys(sentences(), "x"))
    catalogue = load_catalogue(SQL)
    texts = {contract_of(source).title for source in source_names()}
    texts |= {entity.title for source in source_names() for entity in contract_of(source).entities.values()}
    for indicator in catalogue.indicators:
        texts |= {indicator.formula.numerator, indicator.owner_role}
        texts |= {indicator.formula.denominator or "MEM-01"}
        texts |= set(indicator.source)
    assert sorted(text for text in texts if listed.translate(text, str) is None) == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_name_definition_and_limitation_of_the_catalogue_is_translated(language):
    catalogue = load_catalogue(SQL)
    texts = [
        text
        for one in catalogue.indicators
        for text in (one.name, one.definition, one.limitations, one.rationale)
    ]
    texts += [one.name for one in (*catalogue.lines_of_action, *catalogue.regions)]
    stated = [one.baseline for one in catalogue.stated.values() if one.baseline]
    texts += [baseline.quality for baseline in stated if baseline.quality]
    assert [text.en for text in texts if language not in text.by_language] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_puts_the_currency_sign_where_babel_does(language):
    texts = load_texts(REPORTS, language)
    here, babel = texts.money("5", "€"), format_currency(5, "EUR", locale=texts.locale)
    assert here.startswith("€") == babel.startswith("€")


def _places(entry: object) -> set[str]:
    forms = entry.values() if isinstance(entry, dict) else [entry]
    return {place for form in forms for place in re.findall(r"\{\w+\}", str(form))}


@pytest.mark.parametrize("language", OTHERS)
def test_every_phrase_keeps_its_placeholders_and_numbers(language):
    tree = from_yaml((REPORTS / "locales" / f"{language}.yml").read_text(encoding="utf-8"))
    assert set(tree["phrases"]) == set(sentences())
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


def test_text_without_a_matching_phrase_stays_in_english_and_is_recorded():
    spanish = load_texts(REPORTS, "es")
    assert spanish.say("Nobody wrote 12,345 of these.") == "Nobody wrote 12.345 of these."
    assert spanish.missing == {"Nobody wrote 12,345 of these."}


@pytest.mark.slow
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
@pytest.mark.long
def test_the_editions_in_all_languages_agree(tmp_path, period):
    built = build_editions(fewer_charts(sample_edition(period)), tmp_path, REPORTS, LANGUAGES)
    read = {
        language: figures_of(report.page.read_text(encoding="utf-8"), load_texts(REPORTS, language).locale)
        for language, report in built.items()
    }
    assert read["en"]["targets"]["54 %"] + read["en"]["targets"]["54"] > 0
    assert read["en"] == read["fr"] == read["es"]


@pytest.mark.parametrize(
    ("wrong", "right", "part"),
    [
        ('percent: "{number}\u202f%"', 'percent: "{number}\u202fpoints"', "targets"),  # another unit
        pytest.param(  # a number typed into a text
            "contre {before} en", "contre 99 en", "points", marks=pytest.mark.slow
        ),
        pytest.param(
            "{name} en hausse, à {value}", "{name} en hausse", "points", marks=pytest.mark.slow
        ),  # lost
    ],
)
@pytest.mark.long
def test_a_language_that_contradicts_the_others_stops_the_build_before_anything_is_written(
    tmp_path, wrong, right, part
):
    sources = Path(shutil.copytree(REPORTS, tmp_path / "reports", ignore=shutil.ignore_patterns("published")))
    path = sources / "locales" / "fr.yml"
    text = path.read_text(encoding="utf-8")
    if wrong not in text:
        pytest.fail(f"{wrong} is not in the French texts any more")
    path.write_text(text.replace(wrong, right), encoding="utf-8")
    edition = fewer_charts(sample_edition())
    with pytest.raises(ReportError, match=r"the en and fr editions differ in the part"):
        build_editions(edition, tmp_path / "out", sources, ["en", "fr"])
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ("  main_points: Punts principals\n", "page.main_points"),
        (" (responsable: {owner})", r"story\.open_decision \(\{owner\}\)"),
        ('  "Valid answers": "Respostes vàlides"\n', "'Valid answers'"),
    ],
)
def test_a_language_with_a_missing_text_is_refused_as_incomplete(tmp_path, cut, said):
    sources = Path(shutil.copytree(REPORTS, tmp_path / "reports", ignore=shutil.ignore_patterns("published")))
    path = sources / "locales" / "ca.yml"
    text = path.read_text(encoding="utf-8")
    assert cut in text
    path.write_text(text.replace(cut, ""), encoding="utf-8")
    edition = in_every_language(sample_edition())
    assert refused(edition, REPORTS, LANGUAGES) == {}
    found = refused(edition, sources, LANGUAGES)
    assert list(found) == ["ca"]
    assert re.search(
        rf"Catalan \(ca\) is incomplete, so no edition .* missing: .*{said}.*MEL_LANGUAGES", found["ca"]
    )


@pytest.mark.slow
def test_an_incomplete_language_is_not_written_and_the_others_are(tmp_path, drawn_pictures):
    sources = Path(shutil.copytree(REPORTS, tmp_path / "reports", ignore=shutil.ignore_patterns("published")))
    path = sources / "locales" / "ca.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("  line: ", "  lines: "), encoding="utf-8")
    settings = SimpleNamespace(
        report_sources=sources, languages="en,ca", formats="html,csv", processes=1,
        published_dir=tmp_path / "published", drafts_dir=tmp_path / "out", pictures_dir=drawn_pictures,
    )  # fmt: skip
    edition = fewer_charts(in_every_language(sample_edition()))
    built = write_edition(edition, settings)  # type: ignore[arg-type]
    assert list(built.reports) == ["en"]
    assert "page.line" in built.refused["ca"]
    written = {file.name for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert "report-en.html" in written
    assert not [name for name in written if "-ca." in name]
    columns = (tmp_path / "out" / "2024-Q4" / "data" / "indicators.csv").read_text("utf-8").splitlines()[0]
    assert "name_en" in columns and "name_ca" not in columns


def test_a_language_in_which_an_indicator_has_no_name_is_refused():
    edition = in_every_language(sample_edition())
    edition.indicators.loc[0, "definition_ca"] = None
    assert "1 text is missing: definition of MEM-01." in refused(edition, REPORTS, LANGUAGES)["ca"]


@pytest.mark.slow  # draws every picture of one more language
def test_a_further_language_is_a_locale_file_and_translated_names(tmp_path):
    sources = Path(shutil.copytree(REPORTS, tmp_path / "reports", ignore=shutil.ignore_patterns("published")))
    text = (sources / "locales" / "ca.yml").read_text(encoding="utf-8")
    (sources / "locales" / "pt.yml").write_text(
        text.replace("locale: ca_ES", "locale: pt_PT"), encoding="utf-8"
    )
    edition = fewer_charts(sample_edition("2024-Q4"))
    assert list(refused(edition, sources, ["en", "pt"])) == ["pt"]
    for frame in (edition.indicators, edition.lines_of_action):
        for column in [name for name in frame.columns if name.endswith("_en")]:
            frame[column.replace("_en", "_pt")] = "Em português"
    chosen = languages(sources, "en,pt")
    assert refused(edition, sources, chosen) == {}
    built = build_editions(edition, tmp_path / "out", sources, chosen)
    page = built["pt"].page.read_text(encoding="utf-8")
    assert '<html lang="pt">' in page
    assert "Em português" in page


def in_every_language(edition):
    """The sample edition with names in every language that has a file."""
    for frame in (edition.indicators, edition.lines_of_action):
        for column in [name for name in frame.columns if name.endswith("_en")]:
            for language in OTHERS:
                frame[column.replace("_en", f"_{language}")] = frame[column]
    return edition


def test_a_text_needs_english_and_takes_codes_of_two_letters_only():
    assert Text.model_validate({"en": "a", "ca": "b"}).by_language == {"en": "a", "ca": "b"}
    for wrong, why in (
        ({"fr": "a"}, "'en' is missing"),
        ({"en": "a", "french": "b"}, "'french' is not a language"),
    ):
        with pytest.raises(ValidationError, match=why):
            Text.model_validate(wrong)


def test_a_differing_status_is_found_too():
    english, french = load_texts(REPORTS, "en").locale, load_texts(REPORTS, "fr").locale
    page = '<section aria-labelledby="headline"><p data-status="{}">{}</p></section>'
    assert figures_of(page.format("on", "1,234.5%"), english) == figures_of(
        page.format("on", "1\u202f234,5\u202f%"), french
    )
    assert figures_of(page.format("on", "12"), english) != figures_of(page.format("off", "12"), french)
    assert figures_of(page.format("on", "€1,200"), english) == figures_of(
        page.format("on", "1\u202f200\u00a0€"), french
    )
