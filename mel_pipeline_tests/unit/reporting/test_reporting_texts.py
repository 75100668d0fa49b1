"""Words and numbers: rounding, plural forms, and locale files with every text needed and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.text.texts import Texts, load_texts, rounded
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

ROOM = Path(__file__).parents[3] / "mel_pipeline" / "reporting"
REQUESTED = re.compile(
    r"""(?:\btexts?|\bself|\bt)(?:\.plural|\._entry)?\(\s*f?['"]([a-z_]+\.[A-Za-z_.]*)(['"{]|$)"""
)
FAMILY = re.compile(r"""\b(?:texts?|self|t)\.(?:choice|named)\(\s*"([a-z_.]+)\"""")
CONDITIONAL = re.compile(r""""((?:finding|page|chart|period|picture|formats|story|site)\.[a-z_.]+)\"""")
FORMS = re.compile(r"""entries\["([a-z_.]+)"\]""")


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(REPORTS, "en")


@pytest.fixture(scope="module")
def sources() -> str:
    files = [*ROOM.rglob("*.py"), *(REPORTS / "templates").rglob("*.jinja")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_requested_text_exists(texts, sources):
    requested = {
        key for key, end in REQUESTED.findall(sources) if end != "{" and not key.endswith(".")
    } | set(CONDITIONAL.findall(sources))
    assert len(requested) > 60
    families = set(FAMILY.findall(sources))
    assert sorted(requested - set(texts.entries) - families) == []
    assert all(any(key.startswith(f"{family}.") for key in texts.entries) for family in families)


def test_no_text_is_left_unused(texts, sources):
    used = {key for key, end in REQUESTED.findall(sources) if end != "{" and not key.endswith(".")} | set(
        CONDITIONAL.findall(sources)
    )
    starts = tuple(key for key, end in REQUESTED.findall(sources) if end == "{" or key.endswith("."))
    used |= set(FORMS.findall(sources))
    families = tuple(f"{family}." for family in FAMILY.findall(sources))
    unused = [
        key
        for key in texts.entries
        if key not in used and key != "locale" and not key.startswith((*starts, *families))
    ]
    assert unused == []


def test_every_unit_rule_and_direction_of_the_indicators_has_words(texts):
    for measure in measures(sample_edition(), "en"):
        assert texts.unit(measure)
        assert texts.choice("rule", measure.aggregation)


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(12.5, 0, "13"), (0.125, 2, "0.13"), (2.675, 2, "2.68")]
)
def test_halves_are_rounded_up_once(value, decimals, text):
    assert str(rounded(value, decimals)) == text


def test_numbers_are_formatted_as_people_write_them(texts):
    known = {measure.id: measure for measure in measures(sample_edition(), "en")}
    assert texts.value(known["RCH-01"], 658_382) == "658,382"
    assert texts.value(known["FND-01"], 800_000) == "€800,000"
    assert texts.value(known["GEN-01"], 54.31) == "54%"
    assert texts.value_with_unit(known["SAT-01"], 4.36) == "4.4 out of 5"
    assert texts.value(known["MEM-01"], None) == "not available"
    assert texts.short_value(known["FND-01"], 2_800_000) == "€2.8M"
    assert texts.change(known["MEM-05"], -1.0) == "\N{MINUS SIGN}1.0 points"
    assert texts.change(known["GEN-01"], 1.0) == "+1 point"


@pytest.mark.parametrize(
    ("language", "during", "at_end", "year"),
    [
        ("en", "in 2024-Q4", "at the end of 2024-Q4", "in 2024"),
        ("fr", "au T4\u00a02024", "à la fin du T4\u00a02024", "en 2024"),
        ("es", "en el T4\u00a02024", "al final del T4\u00a02024", "en 2024"),
    ],
)
def test_a_preposition_is_contracted_with_a_quarter_and_not_with_a_year(language, during, at_end, year):
    texts = load_texts(REPORTS, language)
    assert texts("period.during", period="2024-Q4") == during
    assert texts("period.at_end", period="2024-Q4") == at_end
    assert texts("period.during", period="2024") == year


def test_a_sentence_may_begin_with_a_quarter():
    text = load_texts(REPORTS, "fr")("picture.likert.level", period="2024-Q4", share="88")
    assert text.startswith("Au T4\u00a02024, 88")


def test_a_short_amount_of_money_has_its_sign_where_the_language_puts_it():
    known = {measure.id: measure for measure in measures(sample_edition(), "en")}
    for language, amounts in {"fr": ["2,8 M €", "800 k €"], "es": ["2,8 M€", "800 mil €"]}.items():
        texts = load_texts(REPORTS, language)
        shown = [texts.short_value(known["FND-01"], value) for value in (2_800_000, 800_000)]
        assert [" ".join(amount.split()) for amount in shown] == amounts


def test_period_titles_are_words(texts):
    assert texts.period_title("2024-Q4") == "2024, fourth quarter"
    assert texts.period_title("2024") == "Annual edition 2024"


def test_an_unknown_text_is_reported_with_its_key(texts):
    with pytest.raises(ReportError, match=r"no text 'finding\.nothing'"):
        texts("finding.nothing")


@pytest.mark.parametrize("content", ["", "just words", "a: [", None])
def test_an_unreadable_locale_file_stops_the_report(tmp_path, content):
    (tmp_path / "locales").mkdir()
    if content is not None:
        (tmp_path / "locales" / "en.yml").write_text(content)
    with pytest.raises(ReportError, match="Restore the file"):
        load_texts(tmp_path, "en")
