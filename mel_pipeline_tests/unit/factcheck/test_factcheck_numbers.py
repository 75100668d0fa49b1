"""Numbers in running text of three languages: what is read, and how kinds are distinguished."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise

import pytest
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from mel_pipeline.factcheck.comparing import AGREES, DIFFERS, DOUBTFUL, LOOSE, ROUNDED, compare
from mel_pipeline.factcheck.languages import known_languages
from mel_pipeline.factcheck.number_patterns import patterns_of
from mel_pipeline.factcheck.number_words import number_of, spelled_numbers
from mel_pipeline.factcheck.numbers import Number, find_numbers

languages = st.sampled_from(known_languages())


def only(text: str, language: str) -> Number:
    (number,) = [one for one in find_numbers(text, language) if one.kind == "figure"]
    return number


@pytest.mark.parametrize(
    ("text", "language", "value", "unit"),
    [
        ("658 382 vues", "fr", 658382, "count"),
        ("658\u00a0382 vues", "fr", 658382, "count"),
        ("658\u202f382 vues", "fr", 658382, "count"),
        ("658.382 visualizaciones", "es", 658382, "count"),
        ("658,382 views", "en", 658382, "count"),
        ("54,5 %", "fr", "54.5", "percent"),
        ("54.5%", "en", "54.5", "percent"),
        ("54 per cent", "en", 54, "percent"),
        ("54 pour cent", "fr", 54, "percent"),
        ("54 por ciento", "es", 54, "percent"),
        ("800 000 €", "fr", 800000, "EUR"),
        ("€800,000", "en", 800000, "EUR"),
        ("€800,000", "fr", 800000, "EUR"),
        ("EUR 2 million", "en", 2000000, "EUR"),
        ("2 millions d'euros", "fr", 2000000, "EUR"),
        ("700.000 euros", "es", 700000, "EUR"),
        ("0,8 M€", "fr", 800000, "EUR"),
        ("€0.8m", "en", 800000, "EUR"),
        ("$50,000", "en", 50000, "USD"),
        ("875 K", "fr", 875000, "count"),
        ("1,5 K followers", "fr", 1500, "count"),
        ("1,6 milliard", "fr", 1600000000, "count"),
        ("2 billion", "en", 2000000000, "count"),
        ("2 billones", "es", 2000000000000, "count"),
        ("dos millones", "es", 2000000, "count"),
        ("mil millones", "es", 1000000000, "count"),
        ("trois réunions", "fr", 3, "count"),
        ("un million d'euros", "fr", 1000000, "EUR"),
        ("cinquante-quatre pour cent", "fr", 54, "percent"),
        ("treinta y nueve ciudades", "es", 39, "count"),
        ("4,27 sur 5", "fr", "4.27", "score"),
        ("4.3 out of 5", "en", "4.3", "score"),
        ("une dizaine de villes", "fr", 10, "count"),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, language: str, value: object, unit: str) -> None:
    number = only(text, language)
    assert (number.value, number.unit) == (Decimal(str(value)), unit)


@pytest.mark.parametrize(
    ("text", "language", "kinds"),
    [
        ("du 4 au 8 novembre 2024", "fr", ["date"]),
        ("on November 25, 2024", "en", ["date"]),
        ("2024-11-25 et 25/11/2024", "fr", ["date", "date"]),
        ("en 2024, fin 2025", "fr", ["year", "year"]),
        ("T4 2024, cuarto trimestre de 2024", "es", ["quarter", "quarter"]),
        ("ODD 11, SDG 5", "fr", ["reference", "reference"]),
        ("WUF12, Urban20, COVID-19", "en", ["reference"] * 3),
        ("page 12, p. 5, página 3 de 10", "es", ["page"] * 3),
        ("le 3e sommet, the 12th summit", "fr", ["ordinal", "ordinal"]),
        ("+34 93 342 94 60", "es", ["telephone"]),
        ("2. Les membres", "fr", ["list number"]),
        ("à 14h30", "fr", ["time"]),
        ("des dizaines de villes", "fr", ["vague"]),
        ("https://example.org/2024/12", "en", ["address"]),
    ],
)  # fmt: skip
def test_numbers_that_are_not_figures_are_listed_by_kind(text: str, language: str, kinds: list[str]) -> None:
    assert [number.kind for number in find_numbers(text, language)] == kinds


@pytest.mark.parametrize("text", ["une ville", "one of them", "una ciudad", "un lab"])
def test_an_article_is_not_a_number(text: str) -> None:
    for language in known_languages():
        assert find_numbers(text, language) == []


def test_a_year_before_another_number_does_not_swallow_it() -> None:
    assert [(n.kind, n.text) for n in find_numbers("en 2024 164 villes", "fr")] == [
        ("year", "2024"),
        ("figure", "164"),
    ]


def test_2024_before_a_counted_noun_is_not_a_year() -> None:
    (number,) = find_numbers("2024 vues", "fr", nouns=frozenset({"vues"}))
    assert (number.kind, number.value) == ("figure", 2024)


def test_a_number_within_a_name_is_not_a_figure() -> None:
    (number,) = find_numbers("dans 10 Minutes With the Mayor", "fr", ["10 Minutes With the Mayor"])
    assert number.kind == "name"


@pytest.mark.parametrize(
    ("text", "language", "qualifier"),
    [
        ("plus de 875 000 vues", "fr", "more than"),
        ("over 875,000 views", "en", "more than"),
        ("más de 875.000", "es", "more than"),
        ("au moins 12", "fr", "at least"),
        ("at least 12", "en", "at least"),
        ("environ 40 %", "fr", "about"),
        ("unos 40", "es", "about"),
        ("près de 40", "fr", "almost"),
        ("jusqu’à 100 000 €", "fr", "up to"),
    ],
)
def test_a_qualifier_is_read(text: str, language: str, qualifier: str) -> None:
    assert only(text, language).qualifier == qualifier


def test_a_range_is_one_number_with_two_ends() -> None:
    for text in ("entre 40 et 60 %", "40–60 %"):
        number = only(text, "fr")
        assert (number.value, number.high, number.unit) == (40, 60, "percent")


def test_the_first_of_from_to_is_the_value_before() -> None:
    first, second = find_numbers("de 156 à 164 membres", "fr")
    assert first.earlier and not second.earlier


WRITTEN = [
    ("875 K", 875_412, AGREES),
    ("plus de 875 000", 875_412, AGREES),
    ("plus de 875 000", 870_000, DIFFERS),
    ("plus de 164", 164, DIFFERS),
    ("au moins 164", 164, AGREES),
    ("plus de 70", 164, LOOSE),
    ("1,5 K", 1503, AGREES),
    ("1,5 K", 1551, DIFFERS),
    ("54 %", 53.9, AGREES),
    ("54 %", 54.5, DIFFERS),
    ("54,0 %", 53.9, DIFFERS),
    ("875 000", 875_412, ROUNDED),
    ("800 000 €", 812_000, DIFFERS),
    ("10 labs", 12, DIFFERS),
    ("environ 160", 164, AGREES),
    ("près de 160", 170, DIFFERS),
    ("entre 150 et 170", 164, AGREES),
    ("entre 150 et 160", 164, DIFFERS),
    ("658,382", 658_382, DOUBTFUL),
    ("156 164", 164, DOUBTFUL),
    ("2 millions", 2_195_095, AGREES),
]


@pytest.mark.parametrize(("text", "value", "outcome"), WRITTEN)
def test_a_value_is_judged_at_the_precision_that_was_written(text: str, value: float, outcome: str) -> None:
    assert compare(only(text, "fr"), value) == outcome


@given(language=languages, value=st.integers(min_value=0, max_value=10**12))
def test_a_whole_number_that_babel_writes_is_read_back(language: str, value: int) -> None:
    written = format_decimal(value, locale=patterns_of(language).locale)
    number = only(f"« {written} ».", language)  # alone, or it would be read as a year
    if number.kind == "figure":
        readings = {number.value, number.other}
        assert Decimal(value) in readings and number.value == value


@given(language=languages, value=st.decimals(0, 10**9, places=2).filter(lambda value: value % 1))
def test_a_decimal_that_babel_writes_is_read_back(language: str, value: Decimal) -> None:
    written = format_decimal(value, format="#,##0.00", locale=patterns_of(language).locale)
    number = only(f"x {written} y", language)
    assert (number.value, number.step) == (value, Decimal("0.01"))


@given(language=languages, value=st.integers(0, 1000))
def test_a_percentage_that_babel_writes_is_read_back(language: str, value: int) -> None:
    written = format_percent(
        Decimal(value) / 1000, format="#,##0.0\u00a0%", locale=patterns_of(language).locale
    )
    number = only(written, language)
    assert (number.value, number.unit) == (Decimal(value) / 10, "percent")


@given(language=languages, value=st.integers(1, 10**9))
def test_an_amount_that_babel_writes_is_read_back(language: str, value: int) -> None:
    written = format_currency(value, "EUR", locale=patterns_of(language).locale)
    number = only(f"({written})", language)
    assert (number.value, number.unit) == (value, "EUR")


@given(language=languages, value=st.integers(1000, 10**9))
def test_a_compact_number_that_babel_writes_agrees_with_its_value(language: str, value: int) -> None:
    written = format_compact_decimal(
        value, locale=patterns_of(language).locale, format_type="long", fraction_digits=1
    )
    if language == "es" and value >= 10**6:
        written = written.replace("mil M", "mil millones")
    number = only(f"({written})", language)
    assert abs(number.value - value) <= number.step / 2


ENGLISH_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
ENGLISH_UNITS = "one two three four five six seven eight nine".split()  # noqa: SIM905
FRENCH = {17: "dix-sept", 21: "vingt et un", 71: "soixante et onze", 75: "soixante-quinze", 80: "quatre-vingts", 81: "quatre-vingt-un", 91: "quatre-vingt-onze", 97: "quatre-vingt-dix-sept", 99: "quatre-vingt-dix-neuf", 100: "cent", 101: "cent un", 200: "deux cents", 342: "trois cent quarante-deux", 1000: "mille", 1984: "mille neuf cent quatre-vingt-quatre", 80000: "quatre-vingt mille"}  # fmt: skip
SPANISH = {16: "dieciséis", 21: "veintiuno", 22: "veintidós", 31: "treinta y uno", 99: "noventa y nueve", 100: "cien", 101: "ciento uno", 500: "quinientos", 742: "setecientas cuarenta y dos", 1000: "mil", 2023: "dos mil veintitrés", 200000: "doscientos mil"}  # fmt: skip


@given(
    tens=st.integers(2, 9), unit=st.integers(1, 9), hundreds=st.integers(0, 9), thousands=st.integers(0, 99)
)
def test_english_words_are_read(tens: int, unit: int, hundreds: int, thousands: int) -> None:
    words = f"{ENGLISH_TENS[tens - 2]}-{ENGLISH_UNITS[unit - 1]}"
    value = 10 * tens + unit
    if hundreds:
        words, value = f"{ENGLISH_UNITS[hundreds - 1]} hundred and {words}", value + 100 * hundreds
    if thousands >= 20 and thousands % 10:
        words = f"{ENGLISH_TENS[thousands // 10 - 2]}-{ENGLISH_UNITS[thousands % 10 - 1]} thousand {words}"
        value += 1000 * thousands
    assert [found for _, _, found in spelled_numbers(f"about {words} cities", "en")] == [value]


@pytest.mark.parametrize(
    ("language", "value", "words"),
    [("fr", value, words) for value, words in FRENCH.items()]
    + [("es", value, words) for value, words in SPANISH.items()],
)
def test_french_and_spanish_words_are_read(language: str, value: int, words: str) -> None:
    text = f"les {words} choses"
    assert [(text[start:end], found) for start, end, found in spelled_numbers(text, language)] == [
        (words, value)
    ]


def test_two_numbers_side_by_side_are_two() -> None:
    assert [value for _, _, value in spelled_numbers("deux trois ou quatre villes", "fr")] == [2, 3, 4]
    assert number_of(["trois", "vingt"], "fr") is None


@pytest.mark.slow
@given(
    text=st.text(st.sampled_from("0123456789 .,/-+%€KMe'’\u202f:()abcétà") | st.characters(), max_size=60),
    language=languages,
)
def test_any_text_is_read_without_an_error_and_no_digit_is_lost(text: str, language: str) -> None:
    numbers = find_numbers(text, language)
    assert all(one.end <= other.start for one, other in pairwise(numbers))
    covered = {place for number in numbers for place in range(number.start, number.end)}
    assert {place for place, letter in enumerate(text) if re.match(r"\d", letter)} <= covered


@pytest.mark.slow
@given(numbers=st.lists(st.integers(0, 9_999), min_size=1, max_size=6), language=languages)
def test_every_number_between_words_is_found(numbers: list[int], language: str) -> None:
    text = " mots ".join(f"{number}" for number in numbers)
    assert [found.text for found in find_numbers(text, language)] == [str(number) for number in numbers]
