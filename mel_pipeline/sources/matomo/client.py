"""Fetch visits by day and visitors by month from Matomo. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import ClassVar

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.matomo import parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull, simple_pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.platform.days import daily_pull, days_of, months_of, periods_of
from mel_pipeline.sources.shared.platform.rows import account_row, batch_of

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
        return simple_pull(self._site_rows(load.contract))

    def _daily_load(self, load: Load) -> Pull:
        """Visits by day since the cursor."""
        return daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._sites,
            partial(self._days, load.contract),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
        )

    def _month_load(self, load: Load) -> Pull:
        """The unique visitors of a quarter's months."""
        return simple_pull(self._months(load.contract, load.quarter))

    def _site_rows(self, contract: EntityContract) -> Iterator[Batch]:
        for site in self._sites:
            what = f"Matomo site {site}"
            name = parse.site_name(self._request(site, "SitesManager.getSiteFromId", {}), what)
            yield batch_of([account_row(parse.NAME, site, name, self._today, None, f"site {site}")], contract)

    def _days(self, contract: EntityContract, site: str, window: tuple[date, date]) -> Iterator[Batch]:
        days = days_of(window)
        yield parse.parse_days(self._visits(site, "day", days[0], days[-1]), contract, site, days)

    def _months(self, contract: EntityContract, quarter: Quarter) -> Iterator[Batch]:
        """Only completed months: Matomo counts the visitors of a whole month."""
        months = [
            period
            for period in months_of(quarter, self._today)
            if period.end is not None and period.end <= self._today
        ]
        for site in self._sites:
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
