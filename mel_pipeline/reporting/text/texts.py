"""Words, numbers and dates in the reader's language. Texts come from ``locales/<language>.yml``.

A text missing from a language falls back to English and is collected. Editions are written only in languages that
are complete (``languages.py``); what falls back then is what the loads or the MEL lead wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_name,
)

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.reporting.text.own_texts import own_texts, require_known
from mel_pipeline.reporting.text.phrases import Phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.measures import Measure

PLURAL_ARTICLES = {"les", "los", "las", "els"}
MINUS = "\N{MINUS SIGN}"
QUARTER = re.compile(r"\d{4}-Q[1-4]")
DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})")
LONG_NUMBER = re.compile(r"(?<![\w.,-])(?:\d{5,}|\d{1,3}(?:,\d{3})+)(?![\w.,-]*\d)")


def rounded(value: float, decimals: int) -> Decimal:
    """Round half up, as readers expect; Babel then only formats (its own rounding is half-even)."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Texts:
    """Texts of one language. ``texts("page.actual")`` returns a text with ``{name}`` filled in, ``{min_cell}`` always.

    ``phrases`` translates sentences that arrive in English from the catalogue, the figures and the loads.
    ``missing`` collects requested texts that are not translated.
    """

    language: str
    entries: Mapping[str, Any]
    min_cell: int = 5
    fallback: Mapping[str, Any] = field(default_factory=dict, repr=False)
    phrases: Phrases | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # of regions, as the organisation calls them
    own: Mapping[str, str] = field(
        default_factory=dict
    )  # sentences and other names that the organisation translated
    missing: set[str] = field(default_factory=set, compare=False)

    @cached_property
    def locale(self) -> Locale:
        try:
            return Locale.parse(str(self.entries["locale"]))
        except (KeyError, ValueError, UnknownLocaleError) as error:
            raise ReportError(
                f"Reading locales/{self.language}.yml: 'locale' is missing or unknown. Write it like en_GB."
            ) from error

    def __call__(self, key: str, **values: object) -> str:
        entry = self._entry(key)
        if not isinstance(entry, str):
            raise ReportError(
                f"Writing the report in '{self.language}': no text '{key}'. Add it to the locale file."
            )
        return self._contracted(entry.format(**{"min_cell": self.min_cell, **self._named_periods(values)}))

    def plural(self, key: str, count: float, decimals: int = 0, **values: object) -> str:
        """The form of ``key`` that the language uses for this number; ``{count}`` is the formatted number."""
        forms = self._entry(key)
        if not isinstance(forms, dict):
            raise ReportError(f"Writing the report in '{self.language}': '{key}' has no plural forms.")
        form = forms.get(self.locale.plural_form(rounded(abs(count), decimals))) or forms.get("other")
        if form is None:
            raise ReportError(f"Writing the report in '{self.language}': '{key}' lacks the form 'other'.")
        return self._contracted(
            str(form).format(count=self.number(count, decimals), **self._named_periods(values))
        )

    def as_subject(self, name: str) -> tuple[str, int] | None:
        """The name of an indicator as the subject of a sentence, with its article, and whether it is one or several (2).

        ``Fondo internacional: recursos movilizados`` is *los recursos movilizados (Fondo internacional)*. None where the
        language file does not know its first word (``heads``).
        """
        before, colon, after = name.partition(":")
        named = f"{after.strip()} ({before.strip()})" if colon else name
        article = self.entries.get(f"heads.{named.split()[0].lower().rstrip(',')}")
        if article is None:
            return None
        space = "" if article.endswith("’") else " "
        is_proper = name[:1].isupper() and not colon and name.split()[1:2] and name.split()[1][:1].isupper()
        named = named if is_proper else named[:1].lower() + named[1:]
        return f"{article}{space}{named}", 2 if article in PLURAL_ARTICLES else 1

    def _entry(self, key: str) -> Any:
        if key in self.entries:
            return self.entries[key]
        if key in self.fallback:
            self.missing.add(key)
        return self.fallback.get(key)

    def _named_periods(self, values: Mapping[str, object]) -> dict[str, object]:
        return {
            name: self.period(value) if isinstance(value, str) else value for name, value in values.items()
        }

    @cached_property
    def _before_quarters(self) -> tuple[re.Pattern[str], dict[str, str]] | None:
        """Words that change before a quarter, and what they become: ``en T4 2024`` is ``au T4 2024`` in French."""
        start = "format.before_quarter."
        words = {key[len(start) :]: str(word) for key, word in self.entries.items() if key.startswith(start)}
        if not words:
            return None
        quarter = re.escape(str(self.entries["format.quarter"]).split("{")[0])
        found = "|".join(re.escape(word) for word in words)
        return re.compile(rf"(?<!\w)({found})(?=\s{quarter}[1-4]\b)", re.IGNORECASE), words

    def _contracted(self, text: str) -> str:
        if self._before_quarters is None:
            return text
        pattern, words = self._before_quarters

        def put(found: re.Match[str]) -> str:
            word = words[found[0].lower()]
            return word.capitalize() if found[0][0].isupper() else word

        return pattern.sub(put, text)

    def say(self, english: str) -> str:
        """A sentence that arrived in English, in this language; numbers in it in the language's form."""
        if not english.strip():
            return english
        translated = self._translated(english, self._value_in_phrase)
        if self.phrases and translated is None:
            self.missing.add(english)
        if translated is not None:
            return self._contracted(translated)
        return LONG_NUMBER.sub(lambda found: self._value_in_phrase(found[0]), english)

    def _translated(self, english: str, value: Callable[[str], str]) -> str | None:
        if english in self.own:
            return self.own[english]
        if self.phrases is None:
            return None
        return self.phrases.translate(english, lambda part: self.own.get(part) or value(part))

    def _value_in_phrase(self, text: str) -> str:
        if LONG_NUMBER.fullmatch(text):
            return self.number(float(text.replace(",", "")))
        return self.period(text)

    def choice(self, family: str, code: str) -> str:
        """The text of one code of a closed list, such as a unit or a status."""
        return self(f"{family}.{code}")

    def named(self, family: str, code: str) -> str:
        """Like ``choice`` for open lists (region names): the code itself where no text is given."""
        entry = self.entries.get(f"{family}.{code}") or self.fallback.get(f"{family}.{code}")
        if isinstance(entry, str):
            return self(f"{family}.{code}")
        if code in self.names:
            return self.names[code]
        return (
            self._translated(code, str) or code
        )  # names of platforms, accounts and donors are the same in every language

    def category(self, dimension: str, name: str) -> str:
        """A category of a breakdown; answers and genders have words of their own."""
        if dimension == "answer":
            return self.named("answer", name)
        return self.named("gender" if dimension == "gender" else "category", name)

    def number(self, value: float, decimals: int = 0) -> str:
        text = format_decimal(rounded(value, decimals), format=_pattern(decimals), locale=self.locale)
        return text.replace("-", MINUS)

    def value(self, measure: Measure, value: float | None) -> str:
        """A figure with its unit sign: ``54 %``, ``€800,000``, ``4.4``; words where there is none."""
        if value is None:
            return self("status.not_available")
        if measure.unit == "percent":
            return self("format.percent", number=self.number(value, measure.decimals))
        if measure.is_money:
            pattern = self.money(_pattern(measure.decimals))
            text = format_currency(
                rounded(value, measure.decimals),
                measure.unit,
                format=pattern,
                locale=self.locale,
                currency_digits=False,
            )
            return text.replace("-", MINUS)
        return self.number(value, measure.decimals)

    def unit(self, measure: Measure) -> str:
        """What is counted, in words: ``Member cities``, ``Euros``."""
        if not measure.is_money:
            return self.named("unit", measure.unit)  # of a figure counted by hand it may be any word
        name = get_currency_name(measure.unit, count=2, locale=self.locale)  # a count gives the plural
        return name[:1].upper() + name[1:]

    def money(self, number: str, sign: str = "¤") -> str:
        """A number with the currency sign on the side where the language has it."""
        return f"{sign}{number}" if sign_comes_first(self.locale) else f"{number}\N{NO-BREAK SPACE}{sign}"

    def short_value(self, measure: Measure, value: float) -> str:
        """A figure for a narrow chart: from a hundred thousand on in thousands or millions."""
        if measure.is_estimate or abs(value) < 100_000:
            return self.value(measure, value)
        decimals = 1 if abs(value) >= 1e6 else 0
        if measure.is_money:
            return format_compact_currency(value, measure.unit, locale=self.locale, fraction_digits=decimals)
        return format_compact_decimal(value, locale=self.locale, fraction_digits=decimals)

    def value_with_unit(self, measure: Measure, value: float | None) -> str:
        """As ``value``, and for scores the scale: ``4.4 out of 5``."""
        shown = self.value(measure, value)
        return self("format.score", number=shown) if measure.unit == "score" and value is not None else shown

    def change(self, measure: Measure, difference: float) -> str:
        """A signed difference; percentages differ by points."""
        amount = rounded(difference, measure.decimals)
        if amount == 0:
            return self("change.none")
        sign = "+" if amount > 0 else MINUS
        if measure.unit == "percent":
            return sign + self.plural("format.points", float(abs(amount)), measure.decimals)
        return sign + self.value(measure, float(abs(amount)))

    def listed(self, items: Sequence[str]) -> str:
        """``a, b and c``, as the language joins them."""
        return format_list(list(items), locale=self.locale)

    def day(self, day: date) -> str:
        return format_date(day, format="long", locale=self.locale)

    def month(self, period: str) -> str:
        """``2024-11`` as ``Nov 2024``."""
        return str(format_skeleton("yMMM", date.fromisoformat(f"{period}-01"), locale=self.locale))

    def month_name(self, period: str) -> str:
        """``2024-11`` as ``Nov``."""
        return format_date(date.fromisoformat(f"{period}-01"), format="LLL", locale=self.locale)

    def period(self, text: str) -> str:
        """``2024-Q4`` as the language writes it, two days as a span; any other text as it is."""
        if QUARTER.fullmatch(text):
            quarter = Quarter.parse(text)
            return str(self._entry("format.quarter")).format(year=quarter.year, number=quarter.number)
        if days := DAYS.fullmatch(text):
            first, last = (self.day(date.fromisoformat(day)) for day in days.groups())
            return str(self._entry("format.span")).format(first=first, last=last)
        return text

    def period_title(self, period: str) -> str:
        """``2024, fourth quarter`` or ``Annual edition 2024``."""
        if "-" not in period:
            return self("period.year_title", year=period)
        quarter = Quarter.parse(period)
        return self(
            "period.quarter_title", year=quarter.year, ordinal=self.choice("ordinal", str(quarter.number))
        )


def sign_comes_first(locale: Locale) -> bool:
    """Whether the currency sign stands before the number: ``€5`` in English, ``5 €`` in French."""
    return str(locale.currency_formats["standard"].pattern).startswith("¤")


def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def texts_of(edition: Edition, sources_dir: Path, language: str) -> Texts:
    """Texts of a language with what the organisation says itself: names of regions, sentences about targets.

    Errors as ``load_texts``.
    """
    named = {region.name[BASE]: region.name.get(language, region.name[BASE]) for region in edition.regions}
    texts = load_texts(sources_dir, language, edition.min_cell)
    as_written = {words: words for words in edition.verbatim}
    return replace(texts, names=named, own={**as_written, **texts.own, **edition.sentences.get(language, {})})


def load_texts(sources_dir: Path, language: str, min_cell: int = 5) -> Texts:
    """Texts of ``locales/<language>.yml``, nested keys joined by dots (plural forms stay together).

    Texts that the organisation words itself go before them.

    Raises:
        ReportError: a file is missing, empty or not YAML.
    """
    texts = _shipped(sources_dir, language, min_cell)
    path, tree, phrases = own_texts(language)
    given = dict(flat_texts(tree))
    require_known(path, given, {**texts.fallback, **texts.entries})
    return replace(texts, entries={**texts.entries, **given}, own=phrases) if given or phrases else texts


def _shipped(sources_dir: Path, language: str, min_cell: int) -> Texts:
    folder = sources_dir / "locales"
    tree = read_texts(folder / f"{language}.yml")
    listed = tree.pop("phrases", {})
    if language == BASE:  # there only the sentences to be translated are listed
        return Texts(language, dict(flat_texts(tree)), min_cell)
    phrases = Phrases({str(key): str(value) for key, value in listed.items()})
    english = read_texts(folder / f"{BASE}.yml")
    english.pop("phrases", None)
    fallback = dict(flat_texts(english))
    return Texts(language, dict(flat_texts(tree)), min_cell, fallback, phrases)


def read_texts(path: Path) -> dict[str, Any]:
    """The content of a locale file as a tree. Errors as ``load_texts``."""
    try:
        tree = from_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReportError(
            f"Reading the texts of the report: {path} cannot be read. Restore the file."
        ) from error
    if not isinstance(tree, dict) or not tree:
        raise ReportError(f"Reading the texts of the report: {path} is empty. Restore the file.")
    return tree


def flat_texts(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Keys joined by dots, with their texts; plural forms stay together."""
    pairs: list[tuple[str, Any]] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "other" not in value:
            pairs += flat_texts(value, f"{name}.")
        else:
            pairs.append((name, value))
    return pairs
