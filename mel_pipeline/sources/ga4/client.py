"""Fetch visits by day and visitors of a period from Google Analytics 4. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import ClassVar

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import UnpromisedError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.ga4 import parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Http, Policy, base_url
from mel_pipeline.sources.shared.oauth.google import GoogleSession
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.budget import Budget
from mel_pipeline.sources.shared.platform.days import daily_pull, days_of, fetch_end, periods_of
from mel_pipeline.sources.shared.platform.rows import Period, Quality, account_row, batch_of
from mel_pipeline.sources.shared.values import Novelty

PAGE = 10_000  # rows
WHAT = "Google Analytics property"
WINDOW_DAYS = 366
TOKENS_A_DAY = 200_000  # of a standard property


def open(settings: Settings, policy: Policy | None = None) -> GoogleAnalytics:
    return GoogleAnalytics(settings, Http(policy))


class GoogleAnalytics(Client):
    """Google Analytics as a source, up to yesterday."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._sites = options.listed("property_ids")
        self._session = GoogleSession(options, http)
        self._url = base_url(options.text("api_url"), options.variable("api_url"))
        self._admin = base_url(options.text("admin_url"), options.variable("admin_url"))
        self._budget = Budget(http, "Google Analytics")
        self._today = settings.current_day
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._zone = settings.time_zone
        self._warnings: dict[str, None] = {}

    def _property_load(self, load: Load) -> Pull:
        return self._each(partial(self._properties, load.contract))

    def _daily_load(self, load: Load) -> Pull:
        """Visits by day since the cursor."""
        daily = daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._sites,
            partial(self._days, load.contract),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
            what=WHAT,
            unread=partial(parse.unread_days, load.contract),
        )
        return replace(daily, usage=self._budget.usage, warnings=lambda: [*daily.warnings(), *self._warnings])

    def _user_load(self, load: Load) -> Pull:
        """The unique visitors of a quarter."""
        periods = periods_of(load.quarter, self._today)
        return self._each(
            partial(self._users, load.contract, periods),
            lambda site: [parse.unread_periods(load.contract, site, periods)],
        )

    def _each(
        self,
        read: Callable[[str], Iterator[Batch]],
        unread: Callable[[str], Iterable[Batch]] | None = None,
    ) -> Pull:
        """Every property, read one after another."""
        each = EachAccount(WHAT)
        return Pull(
            each.batches(self._sites, read, unread),
            usage=self._budget.usage,
            warnings=lambda: [*each.warnings(), *self._warnings],
        )

    def _properties(self, contract: EntityContract, site: str) -> Iterator[Batch]:
        self._budget.before_call()
        data = self._session.call(f"property {site}", f"{self._admin}/properties/{site}", dict)
        name = str(data.get("displayName") or "") or None
        yield batch_of([account_row(parse.NAME, site, name, self._today, None, f"property {site}")], contract)

    def _days(self, contract: EntityContract, site: str, window: tuple[date, date]) -> Iterator[Batch]:
        days = days_of(window)
        rows, quality = self._report(site, (days[0], days[-1]), ["date"], parse.DAILY_METRICS)
        yield parse.day_rows(rows, contract, site, days, quality)

    def _users(self, contract: EntityContract, periods: Sequence[Period], site: str) -> Iterator[Batch]:
        for period in periods:
            last = fetch_end(period, self._today) - timedelta(days=1)
            rows, quality = self._report(site, (period.start, last), [], (parse.USERS,))
            yield parse.user_rows(rows, contract, site, period, quality)

    def _report(
        self, site: str, days: tuple[date, date], dimensions: list[str], metrics: tuple[str, ...]
    ) -> tuple[list[dict[str, str]], Quality]:
        """Every row of a report, page by page, and how exact it is. Rows of zeros are requested too: a gap shows."""
        rows: list[dict[str, str]] = []
        novelty = Novelty(f"Google Analytics report of {site}")
        qualities: set[Quality] = set()
        while True:
            body = {
                "dateRanges": [{"startDate": days[0].isoformat(), "endDate": days[1].isoformat()}],
                "dimensions": [{"name": name} for name in dimensions],
                "metrics": [{"name": name} for name in metrics],
                "keepEmptyRows": True,
                "returnPropertyQuota": True,
                "limit": str(PAGE),
                "offset": str(len(rows)),
            }
            page = self._page(site, body, [*dimensions, *metrics])
            rows += page.rows
            qualities.add(page.quality)
            if len(rows) >= page.total:
                return rows, parse.least_exact(qualities)
            if not page.rows:
                raise UnpromisedError(
                    f"Google Analytics report of {site}: {page.total} rows were announced and {len(rows)} came."
                    " Run the load again later."
                )
            novelty.require(tuple(sorted(row.items())) for row in page.rows)

    def _page(self, site: str, body: Mapping[str, object], wanted: list[str]) -> parse.Report:
        self._budget.before_call()
        page = self._session.call(
            f"report of {site}",
            f"{self._url}/properties/{site}:runReport",
            lambda data: parse.report_of(data, wanted),
            body=body,
        )
        if page.tokens_left is not None:
            self._budget.note_left(page.tokens_left, TOKENS_A_DAY, name="tokens of the day")
        if page.time_zone and page.time_zone != self._zone:
            self._warnings[
                f"The property {site} counts its days in {page.time_zone}, and reports use {self._zone}:"
                " visits near midnight fall on another day. Change it in the property's settings."
            ] = None
        if page.is_thresholded:
            self._warnings[
                f"Google leaves out small groups of the property {site} (thresholding): figures are too low."
                " In the property's settings, choose the reporting identity 'device-based'."
            ] = None
        if page.sample:
            self._warnings[
                f"Google calculated figures of the property {site} from a sample ({page.sample}): they are"
                " estimates. Shorter periods may be exact."
            ] = None
        if page.has_other_row:
            self._warnings[
                f"Google merged rows of the property {site} into one called (other): days of it have no figure."
                " Run the load again later, or ask for fewer days."
            ] = None
        return page

    loads: ClassVar = {
        "accounts": _property_load,
        "daily": _daily_load,
        "periods": _user_load,
    }
