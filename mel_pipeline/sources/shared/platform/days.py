"""Which days and periods to request from a platform: what is new, what may still change, whole quarters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.shared.base import Batch, Pull
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.rows import QUALITIES, Period

SETTLES_DAYS = 3  # platforms complete their figures up to 48 hours later


def periods_of(quarter: Quarter, today: date) -> list[Period]:
    """The quarter, and with a fourth quarter its whole year: unique figures cannot be added up.

    Only periods that began before today. One that is not over keeps its calendar end; the request may
    end earlier (``fetch_end``).
    """
    found = [Period("quarter", quarter.start, quarter.end)]
    if quarter.number == 4:
        found.append(Period("year", date(quarter.year, 1, 1), date(quarter.year + 1, 1, 1)))
    return [period for period in found if period.start < today]


def fetch_end(period: Period, today: date) -> date:
    """The first day not to request: the end of the period, or today."""
    return min(period.end or today, today)


def months_of(quarter: Quarter, today: date) -> list[Period]:
    """The calendar months of a quarter that have begun."""
    starts = [date(quarter.year, quarter.start.month + number, 1) for number in range(3)]
    ends = [*starts[1:], quarter.end]
    return [Period("month", start, end) for start, end in zip(starts, ends, strict=True) if start < today]


def months_ending_in(window: tuple[date, date]) -> list[Period]:
    """The calendar months whose last day is in a window."""
    found = []
    start = window[0].replace(day=1)
    while (end := (start + timedelta(days=31)).replace(day=1)) <= window[1]:
        if end > window[0]:
            found.append(Period("month", start, end))
        start = end
    return found


def days_of(window: tuple[date, date]) -> list[date]:
    """The days from the first up to, not including, the second."""
    return [window[0] + timedelta(days=number) for number in range((window[1] - window[0]).days)]


def parts_of(period: Period, end: date, most_days: int) -> list[tuple[date, date]]:
    """Windows of at most ``most_days`` days that cover a period up to ``end`` once; none spans two quarters.

    So the windows of a year are those of its quarters.
    """
    found: list[tuple[date, date]] = []
    quarter = Quarter.of(period.start)
    while quarter.start < end:
        first = max(quarter.start, period.start)
        found += windows(first, min(quarter.end, end), most_days)
        quarter = quarter.next()
    return found


def windows(first: date, end: date, most_days: int) -> list[tuple[date, date]]:
    """Windows of at most ``most_days`` days from ``first`` up to, not including, ``end``."""
    found = []
    while first < end:
        until = min(first + timedelta(days=most_days), end)
        found.append((first, until))
        first = until
    return found


@dataclass
class DayCursor:
    """The last stored day, by account. Starts over when the contract has changed."""

    rules: str
    last: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None, contract: EntityContract) -> DayCursor:
        stored = json.loads(text) if text else {}
        rules = fingerprint_of(contract)
        return cls(rules, dict(stored.get("days", {})) if stored.get("rules") == rules else {})

    @property
    def text(self) -> str | None:
        return json.dumps({"rules": self.rules, "days": self.last}, sort_keys=True) if self.last else None

    def first_day(self, account: str, beginning: date, repull_days: int) -> date:
        """Where to resume: some days before the last one, because platforms restate them."""
        if account not in self.last:
            return beginning
        return max(beginning, date.fromisoformat(self.last[account]) - timedelta(days=repull_days - 1))

    def note(self, account: str, day: date) -> None:
        self.last[account] = max(self.last.get(account, ""), day.isoformat())


def daily_pull(
    contract: EntityContract,
    cursor: str | None,
    checkpoint: str | None,
    accounts: Sequence[str],
    ask: Callable[[str, tuple[date, date]], Iterable[Batch]],
    *,
    beginning: date,
    today: date,
    window_days: int,
    repull_days: int = SETTLES_DAYS,
    what: str = "The account",
    unread: Callable[[str, list[date]], Batch] | None = None,
) -> Pull:
    """Daily figures of each account up to yesterday, window by window; an interrupted load resumes.

    An account that cannot be read does not stop the others: its new days are stored as such, and it is named.

    Args:
        ask: fetches the batches of one account and window (first day, first day after it).
        beginning: the first day to fetch for an account that was never read.
        what: the account in words, for messages.
        unread: rows for days of an account that could not be read; stored figures are not replaced.
    """
    here = DayCursor.read(cursor, contract)
    stored = dict(here.last)
    done = DayCursor.read(checkpoint, contract).last if checkpoint else {}
    each = EachAccount(what)

    def read(account: str) -> Iterator[Batch]:
        first = here.first_day(account, beginning, repull_days)
        if account in done:
            first = max(first, date.fromisoformat(done[account]) + timedelta(days=1))
        for window in windows(first, today, window_days):
            parts = list(ask(account, window))
            done[account] = (window[1] - timedelta(days=1)).isoformat()
            for number, batch in enumerate(parts, start=1):
                for day in _days_with_figures(batch):
                    here.note(account, day)
                whole = number == len(parts)
                yield replace(batch, checkpoint=DayCursor(here.rules, dict(done)).text) if whole else batch

    def unread_days(account: str) -> Iterator[Batch]:
        last = stored.get(account)
        first = date.fromisoformat(last) + timedelta(days=1) if last else beginning
        if account in done:
            first = max(first, date.fromisoformat(done[account]) + timedelta(days=1))
        if unread and first < today:
            yield unread(account, days_of((first, today)))

    batches = each.batches(accounts, read, unread_days)
    return Pull(batches, cursor=lambda: here.text, warnings=each.warnings)


def _days_with_figures(batch: Batch) -> list[date]:
    """Only a day with a figure moves the cursor: a late one is requested again."""
    frame = batch.frame
    given = frame[(frame["grain"] == "day") & frame["availability"].isin(QUALITIES)]
    return [date.fromisoformat(str(given["period_start"].max()))] if len(given) else []
