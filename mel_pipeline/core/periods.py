"""Calendar quarters and years as people write them: ``2024-Q4`` and ``2024``. Does not read the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_QUARTER = re.compile(r"^(\d{4})-?[QqTt]([1-4])$")


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter. ``start`` is its first day, ``end`` the first day after it."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 4:
            raise ValueError(f"A quarter is numbered 1 to 4, not {self.number}.")

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read ``2024-Q4`` (also ``2024Q4`` and the French and Spanish ``2024-T4``).

        Raises:
            ValueError: the text is not a quarter; the message shows the expected form.
        """
        match = _QUARTER.match(text.strip())
        if not match:
            raise ValueError(f"'{text}' is not a quarter. Write it like 2024-Q4.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Quarter:
        """The quarter a day falls in."""
        return cls(day.year, (day.month - 1) // 3 + 1)

    @property
    def start(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def end(self) -> date:
        """First day after the quarter (exclusive bound)."""
        return self.next().start

    def next(self) -> Quarter:
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    def previous(self) -> Quarter:
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    def year_before(self) -> Quarter:
        return Quarter(self.year - 1, self.number)

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"


def quarters(first: Quarter, last: Quarter) -> Iterator[Quarter]:
    """Every quarter from first to last, both included."""
    quarter = first
    while quarter <= last:
        yield quarter
        quarter = quarter.next()


def quarters_of_year(year: int) -> list[Quarter]:
    return [Quarter(year, number) for number in (1, 2, 3, 4)]


def closing_quarter(period: str) -> str:
    """The quarter in which a month (``2024-11``), quarter or year closes."""
    if "-" not in period:
        return f"{period}-Q4"
    return period if "Q" in period else str(Quarter.of(date.fromisoformat(f"{period}-01")))


def previous_period(period: str) -> str:
    """The quarter before a quarter, the year before a year."""
    return str(Quarter.parse(period).previous()) if "-" in period else str(int(period) - 1)


def year_before(period: str) -> str:
    """The same quarter a year earlier, or the year before."""
    return str(Quarter.parse(period).year_before()) if "-" in period else str(int(period) - 1)


def parse_period(text: str) -> str:
    """A quarter or a year in its canonical form.

    Raises:
        ValueError: it is neither.
    """
    year = text.strip()
    return year if year.isdecimal() and len(year) == 4 else str(Quarter.parse(text))
