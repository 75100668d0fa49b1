"""Periods of a year, and the day on which something happened."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

TIME_ZONE = "Europe/Madrid"  # of the organisation: decides the day of an event


@dataclass(frozen=True)
class Period:
    """A quarter or a year; ``last`` is its last day."""

    name: str
    first: date
    last: date

    def contains(self, days: pd.Series) -> pd.Series:
        return days.notna() & (days >= self.first) & (days <= self.last)


def periods_of(year: int) -> list[Period]:
    """The four quarters, then the year."""
    starts = [date(year, month, 1) for month in (1, 4, 7, 10)] + [date(year + 1, 1, 1)]
    quarters = [
        Period(f"{year}-Q{number + 1}", first, following - timedelta(days=1))
        for number, (first, following) in enumerate(itertools.pairwise(starts))
    ]
    return [*quarters, Period(str(year), starts[0], starts[-1] - timedelta(days=1))]


def local_day(moments: pd.Series) -> pd.Series:
    """The day in the organisation's time zone of moments with an offset; empty ones stay empty."""
    return pd.to_datetime(moments, utc=True, format="ISO8601").dt.tz_convert(TIME_ZONE).dt.date


def plain_day(texts: pd.Series, form: str = "ISO8601") -> pd.Series:
    """Dates written without a time; empty ones stay empty."""
    found = pd.to_datetime(texts, format=form)
    return found.dt.date.where(found.notna(), None)
