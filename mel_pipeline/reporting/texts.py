"""Words, numbers and dates in the reader's language. Texts come from ``locales/<language>.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_currency, format_decimal

from mel_pipeline.errors import ReportError
from mel_pipeline.periods import Quarter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from mel_pipeline.reporting.measures import Measure

MINUS = "\N{MINUS SIGN}"


def rounded(value: float, decimals: int) -> Decimal:
    """Round half up, as people do; Babel then only formats (its own rounding is half-even)."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Texts:
    """Texts of one language. ``texts("page.actual")`` gives a text, ``{name}`` in it are filled in, ``{min_cell}`` always."""

    language: str
    entries: Mapping[str, Any]
    min_cell: int = 5

    @cached_property
    def locale(self) -> Locale:
        try:
            return Locale.parse(str(self.entries["locale"]))
        except (KeyError, ValueError, UnknownLocaleError) as error:
            raise ReportError(
                f"Reading locales/{self.language}.yml: 'locale' is missing or unknown. Write it like en_GB."
            ) from error

    def __call__(self, key: str, **values: object) -> str:
        entry = self.entries.get(key)
        if not isinstance(entry, str):
            raise ReportError(
                f"Writing the report in '{self.language}': no text '{key}'. Add it to the locale file."
            )
        return entry.format(**{"min_cell": self.min_cell, **values})

    def plural(self, key: str, count: float, decimals: int = 0, **values: object) -> str:
        """The form of ``key`` that the language uses for this number; ``{count}`` is the formatted number."""
        forms = self.entries.get(key)
        if not isinstance(forms, dict):
            raise ReportError(f"Writing the report in '{self.language}': '{key}' has no plural forms.")
        form = forms.get(self.locale.plural_form(rounded(abs(count), decimals))) or forms.get("other")
        if form is None:
            raise ReportError(f"Writing the report in '{self.language}': '{key}' lacks the form 'other'.")
        return str(form).format(count=self.number(count, decimals), **values)

    def choice(self, family: str, code: str) -> str:
        """The text of one code of a closed list, such as a unit or a status."""
        return self(f"{family}.{code}")

    def named(self, family: str, code: str) -> str:
        """Like ``choice`` for open lists (region names): the code itself where no text is given."""
        entry = self.entries.get(f"{family}.{code}")
        return entry if isinstance(entry, str) else code

    def number(self, value: float, decimals: int = 0) -> str:
        text = format_decimal(rounded(value, decimals), format=_pattern(decimals), locale=self.locale)
        return text.replace("-", MINUS)

    def value(self, measure: Measure, value: float | None) -> str:
        """A figure with its unit sign: ``54 %``, ``€800,000``, ``4.4``; words where there is none."""
        if value is None:
            return self("status.not_available")
        if measure.unit == "percent":
            return self("format.percent", number=self.number(value, measure.decimals))
        if measure.unit == "EUR":
            pattern = "¤" + _pattern(measure.decimals) if self.locale.language == "en" else None
            text = format_currency(
                rounded(value, measure.decimals),
                "EUR",
                format=pattern,
                locale=self.locale,
                currency_digits=False,
            )
            return text.replace("-", MINUS)
        return self.number(value, measure.decimals)

    def short_value(self, measure: Measure, value: float) -> str:
        """A figure for a narrow chart: from a hundred thousand on in thousands or millions."""
        if measure.unit in ("percent", "score") or abs(value) < 100_000:
            return self.value(measure, value)
        text = format_compact_decimal(
            value, locale=self.locale, fraction_digits=1 if abs(value) >= 1e6 else 0
        )
        return f"€{text}" if measure.unit == "EUR" else text

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

    def day(self, day: date) -> str:
        return format_date(day, format="long", locale=self.locale)

    def period_title(self, period: str) -> str:
        """``2024, fourth quarter`` or ``Annual edition 2024``."""
        if "-" not in period:
            return self("period.year_title", year=period)
        quarter = Quarter.parse(period)
        return self(
            "period.quarter_title", year=quarter.year, ordinal=self.choice("ordinal", str(quarter.number))
        )


def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def load_texts(sources_dir: Path, language: str, min_cell: int = 5) -> Texts:
    """Texts of ``locales/<language>.yml``, nested keys joined by dots (plural forms stay together).

    Raises:
        ReportError: the file is missing, empty or no YAML.
    """
    path = sources_dir / "locales" / f"{language}.yml"
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReportError(
            f"Reading the texts of the report: {path} cannot be read. Restore the file."
        ) from error
    if not isinstance(tree, dict) or not tree:
        raise ReportError(f"Reading the texts of the report: {path} is empty. Restore the file.")
    return Texts(language, dict(_flat(tree)), min_cell)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "other" not in value:
            pairs += _flat(value, f"{name}.")
        else:
            pairs.append((name, value))
    return pairs
