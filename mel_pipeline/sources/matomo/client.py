"""Fetch visits by day and visitors by month from Matomo. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import ClassVar

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.matomo import parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.days import (
    SETTLES_DAYS,
    DayCursor,
    daily_pull,
    days_of,
    months_of,
    periods_of,
)
from mel_pipeline.sources.shared.platform.rows import account_row, batch_of

WHAT = "Matomo site"
QUIET_DAYS = 14  # without a visit, until a site counts as ended
WINDOW_DAYS = 92  # per call; Matomo sets no limit, but its server has a timeout


def open(settings: Settings, policy: Policy | None = None) -> Matomo:
    options = settings.source(parse.NAME)
    sites, token = options.listed("site_ids"), options.text("token")
    url = base_url(options.text("url"), options.variable("url"))
    first_day = Quarter.parse(settings.first_quarter).start
    return Matomo(Http(policy), url, token, sites, first_day, settings.current_day)


class Matomo(Client):
    """Matomo as a source, up to yesterday. The token travels in the body."""

    source = "matomo"

    def __init__(
        self, http: Http, url: str, token: str, sites: list[str], first_day: date, today: date
    ) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._sites = sites
        self._first_day = first_day
        self._today = today

    def _site_load(self, load: Load) -> Pull:
        return self._each(partial(self._site_rows, load.contract))

    def _daily_load(self, load: Load) -> Pull:
        """Visits by day since the cursor."""
        quiet = _Quiet(DayCursor.read(load.cursor, load.contract).last)
        pull = daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._sites,
            partial(self._days, load.contract, quiet),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
            what=WHAT,
            unread=partial(parse.unread_days, load.contract),
        )
        return replace(pull, warnings=lambda: [*pull.warnings(), *quiet.warnings.values()])

    def _month_load(self, load: Load) -> Pull:
        """The unique visitors of a quarter's months."""
        periods = periods_of(load.quarter, self._today)
        return self._each(
            partial(self._months, load.contract, load.quarter),
            lambda site: [parse.unread_periods(load.contract, site, periods)],
        )

    def _each(
        self,
        read: Callable[[str], Iterator[Batch]],
        unread: Callable[[str], Iterable[Batch]] | None = None,
    ) -> Pull:
        """Every site, read one after another."""
        each = EachAccount(WHAT)
        return Pull(each.batches(self._sites, read, unread), warnings=each.warnings)

    def _site_rows(self, contract: EntityContract, site: str) -> Iterator[Batch]:
        what = f"Matomo site {site}"
        name = parse.site_name(self._request(site, "SitesManager.getSiteFromId", {}), what)
        yield batch_of([account_row(parse.NAME, site, name, self._today, None, f"site {site}")], contract)

    def _days(
        self, contract: EntityContract, quiet: _Quiet, site: str, window: tuple[date, date]
    ) -> Iterator[Batch]:
        days = days_of(window)
        data = self._visits(site, "day", days[0], days[-1])
        yield parse.parse_days(data, contract, site, days)
        if ended := quiet.days(site, data, days, self._today - timedelta(days=SETTLES_DAYS)):
            yield parse.quiet_days(contract, site, ended)

    def _months(self, contract: EntityContract, quarter: Quarter, site: str) -> Iterator[Batch]:
        """Only completed months: Matomo counts the visitors of a whole month."""
        months = [
            period
            for period in months_of(quarter, self._today)
            if period.end is not None and period.end <= self._today
        ]
        if months:
            data = self._visits(site, "month", months[0].start, months[-1].start)
            yield parse.parse_months(data, contract, site, months)
        yield parse.not_offered(contract, site, periods_of(quarter, self._today))

    def _visits(self, site: str, period: str, first: date, last: date) -> object:
        # Always a range: for a single date Matomo omits the day from the response.
        return self._request(site, "VisitsSummary.get", {"period": period, "date": f"{first},{last}"})

    def _request(self, site: str, method: str, more: dict[str, str]) -> object:
        what = f"Matomo {method} site {site}"

        def judge(answer: Answer) -> object:
            if answer.status != 200 and not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_MATOMO_URL.")
            data = parse.check(answer.json(), what, [self._token])
            if answer.status != 200:
                raise explain_status(answer, "Check MEL_MATOMO_URL.")
            return data

        form = {
            "module": "API",
            "method": method,
            "idSite": site,
            "format": "JSON",
            "token_auth": self._token,
        }
        return self._http.call(what, self._url, judge, method="POST", form=form | more)

    loads: ClassVar = {
        "accounts": _site_load,
        "daily": _daily_load,
        "periods": _month_load,
    }


class _Quiet:
    """Sites that nobody visits any more, such as those of a campaign that ended: zero visits, not missing ones.

    An empty day may also be one that was not processed. So days count as quiet in a run of two weeks up to the days
    that have settled, after the last visit that is known; and after days that were found quiet before.
    """

    def __init__(self, stored: Mapping[str, str]) -> None:
        self._stored = {site: date.fromisoformat(day) for site, day in stored.items()}
        self._visited: dict[str, date] = {}
        self.warnings: dict[str, str] = {}  # by site

    def days(self, site: str, data: object, days: list[date], settled_before: date) -> list[date]:
        """The quiet days known with this window, ascending."""
        if (last := parse.last_visited(data, days)) is not None:
            self._visited[site] = last
        known = self._visited.get(site)
        if known is None:
            stored = self._stored.get(site)
            if stored is None or stored not in days or not parse.is_empty(data, stored):
                return []
            quiet = [day for day in days if day < settled_before]  # the stored day was quiet, and still is
        else:
            quiet = days_of((known + timedelta(days=1), min(days[-1] + timedelta(days=1), settled_before)))
            if len(quiet) < QUIET_DAYS:
                return []
        missing = [day for day in quiet if day in days and not parse.is_empty(data, day)]
        if missing:
            return []
        since = f"since {known}" if known else "lately"
        self.warnings[site] = (
            f"Matomo site {site} had no visits {since}: counted as zero. If people do visit it, check its tracking"
            " code and that Matomo's reports are processed."
        )
        return quiet
