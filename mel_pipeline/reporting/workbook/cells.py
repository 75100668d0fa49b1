"""Cells of the workbook: numbers with their Excel format, days, words for what is missing; one sheet's table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from babel.numbers import get_currency_symbol

from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Reading

if TYPE_CHECKING:
    from datetime import date

    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

COUNT = "#,##0"


@dataclass(frozen=True)
class Number:
    """A number and its Excel format; shares are 0 to 100 with the sign as text, so that 54.0 reads 54.0%."""

    value: float
    format: str = COUNT

    def __str__(self) -> str:
        return f"{self.value:,.1f}"


@dataclass(frozen=True)
class Day:
    value: date

    def __str__(self) -> str:
        return self.value.isoformat()


Cell = Number | Day | str


@dataclass(frozen=True)
class Sheet:
    """One table. ``links``: row → sheet its first cell links to; ``frozen``: columns that stay in view."""

    key: str
    name: str
    columns: list[str]
    rows: list[list[Cell]]
    frozen: int = 0
    filtered: bool = True
    links: dict[int, str] = field(default_factory=dict)


def _quoted(pattern: str) -> list[str]:
    """What stands before and after the number, as literal text of an Excel format."""
    return [f'"{part}"' if part else "" for part in pattern.split("\x00")]


class Words:
    """Cells of one language."""

    def __init__(self, texts: Texts) -> None:
        self.t = texts
        self.percent = _quoted(texts("format.percent", number="\x00"))
        self.not_applicable = texts("formats.not_applicable")

    def sheet(self, key: str) -> str:
        return self.t(f"formats.sheet.{key}")

    def columns(self, *keys: str) -> list[str]:
        return [self.t(key) for key in keys]

    def number_format(self, measure: Measure | None) -> str:
        if measure is None:
            return "#,##0.0###"
        pattern = COUNT + ("." + "0" * measure.decimals if measure.decimals else "")
        if measure.unit == "percent":
            return f"{self.percent[0]}{pattern}{self.percent[1]}"
        if measure.is_money:
            sign = get_currency_symbol(measure.unit, locale=self.t.locale)
            before, after = _quoted(self.t.money("\x00", sign))
            return f"{before}{pattern}{after}"
        return pattern

    def value(self, measure: Measure | None, value: float | None) -> Cell:
        return self.not_applicable if value is None else Number(value, self.number_format(measure))

    def figure(self, measure: Measure, reading: Reading | None) -> Cell:
        """The figure, or in words why there is none."""
        if reading is None or reading.value is None:
            return self.gap(reading)
        return Number(reading.value, self.number_format(measure))

    def gap(self, reading: Reading | None) -> str:
        withheld = reading is not None and reading.status == SUPPRESSED
        return self.t.choice("status", SUPPRESSED if withheld else NOT_AVAILABLE)

    def part(self, reading: Reading, value: float | None) -> Cell:
        """Numerator, denominator or n."""
        if reading.status == SUPPRESSED:
            return self.gap(reading)
        if value is None:
            return self.not_applicable
        return Number(value, COUNT if float(value).is_integer() else "#,##0.0###")

    def bounds(self, measure: Measure, reading: Reading) -> list[Cell]:
        if reading.status == SUPPRESSED:
            return [self.gap(reading)] * 2
        low, high = reading.interval or (None, None)
        return [self.value(measure, low), self.value(measure, high)]
